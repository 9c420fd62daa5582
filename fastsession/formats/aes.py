"""AES as client-sessions and @hapi/iron use it, only ever inside a MAC: nobody can ask about the padding."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR
from cryptography.hazmat.primitives.padding import PKCS7

from fastsession.errors import Rejected
from fastsession.status import SessionStatus

IV_SIZE = 16
_padding = PKCS7(8 * IV_SIZE)


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Whole blocks of ciphertext, padded by PKCS #7."""
    padder = _padding.padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The plaintext of authentic ciphertext; raises `Rejected` (malformed) for one of another key."""
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    unpadder = _padding.unpadder()
    try:
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but encrypted under another key") from None


def apply_ctr(key: bytes, iv: bytes, text: bytes) -> bytes:
    """Ciphertext of plaintext and the other way round; the iv is the first counter block."""
    encryptor = Cipher(AES(key), CTR(iv)).encryptor()
    return encryptor.update(text) + encryptor.finalize()
