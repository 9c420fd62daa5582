"""AES as client-sessions and @hapi/iron use it. Always inside a MAC, so there is no padding oracle."""

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
    """Encrypt with PKCS #7 padding."""
    padder = _padding.padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Decrypt authentic ciphertext; raises `Rejected` (malformed) if it was written under another key."""
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    unpadder = _padding.unpadder()
    try:
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise Rejected(SessionStatus.MALFORMED, "authentic, but encrypted under another key") from None


def apply_ctr(key: bytes, iv: bytes, text: bytes) -> bytes:
    """Encrypt or decrypt in counter mode; the iv is the first counter block."""
    encryptor = Cipher(AES(key), CTR(iv)).encryptor()
    return encryptor.update(text) + encryptor.finalize()
