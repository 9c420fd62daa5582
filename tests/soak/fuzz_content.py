"""Other systems' cookies around any content, signed or sealed as they do it, so that the fuzzer gets past the MAC.

The content is two fields parted by a zero byte: what stands in clear, such as a time, and what is encoded or encrypted.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fastsession.formats.aes import encrypt_cbc
from fastsession.formats.encoding import encode_base64, encode_base64url
from tests.formats.vector import Vector

Cookies = dict[str, str]
SIZE = 16


def split(content: bytes) -> tuple[str, bytes]:
    clear, _, hidden = content.partition(b"\0")
    return clear.decode("latin-1"), hidden


def starlette(vector: Vector, content: bytes) -> Cookies:
    time, data = split(content)
    key = hashlib.sha1(b"itsdangerous.Signersigner" + vector.fields["secrets"][0].encode()).digest()
    return _timed(vector, f"{encode_base64(data)}.{time}", key)


def flask(vector: Vector, content: bytes) -> Cookies:
    """A full stop before the time says that the data is compressed."""
    time, data = split(content)
    mark = "." if time.startswith(".") else ""
    key = hmac.digest(vector.fields["secrets"][0].encode(), b"cookie-session", "sha1")
    return _timed(vector, f"{mark}{encode_base64url(data)}.{time.removeprefix('.')}", key)


def _timed(vector: Vector, text: str, key: bytes) -> Cookies:
    signature = encode_base64url(hmac.digest(key, text.encode(), "sha1"))
    return {vector.fields["cookie_name"]: f"{text}.{signature}"}


def cookie_session(vector: Vector, content: bytes) -> Cookies:
    name, value = vector.fields["cookie_name"], b64encode(split(content)[1]).decode()
    signature = hmac.digest(vector.fields["secrets"][0].encode(), f"{name}={value}".encode(), "sha1")
    return {name: value, f"{name}.sig": encode_base64url(signature)}


def fastify(vector: Vector, content: bytes) -> Cookies:
    from nacl.secret import SecretBox

    sealed = SecretBox(bytes.fromhex(vector.fields["secrets"][0])).encrypt(split(content)[1], bytes(24))
    value = f"{encode_base64(sealed.ciphertext)}%3B{encode_base64(sealed.nonce)}"
    return {vector.fields["cookie_name"]: value}


def litestar(vector: Vector, content: bytes) -> Cookies:
    clear, data = split(content)
    associated = clear.encode("latin-1")
    sealed = bytes(12) + AESGCM(bytes.fromhex(vector.options()["secret"].hex())).encrypt(bytes(12), data, associated)
    return {vector.fields["cookie_name"]: encode_base64(sealed + b"additional_authenticated_data=" + associated)}


def client_sessions(vector: Vector, content: bytes) -> Cookies:
    times, data = split(content)
    secret = vector.fields["secrets"][0].encode()
    encryption, signature = (
        hmac.digest(secret, b"cookiesession-" + purpose, "sha256") for purpose in (b"encryption", b"signature")
    )
    iv = bytes(SIZE)
    ciphertext = encrypt_cbc(encryption, iv, data)
    mac = hmac.digest(signature, b".".join((iv, ciphertext, times.encode())), "sha256")
    value = ".".join((encode_base64url(iv), encode_base64url(ciphertext), times, encode_base64url(mac)))
    return {vector.fields["cookie_name"]: value}


def iron(vector: Vector, content: bytes) -> Cookies:
    """In clear the expiration, and before an asterisk the password's id."""
    clear, data = split(content)
    id_, _, expiration = clear.rpartition("*")
    password = vector.fields["secrets"][0].encode()
    key = hashlib.pbkdf2_hmac("sha1", password, b"salt", 1, 32)
    ciphertext = encrypt_cbc(key, bytes(SIZE), data)
    fields = ("Fe26.2", id_, "salt", encode_base64url(bytes(SIZE)), encode_base64url(ciphertext), expiration)
    base = "*".join(fields)
    value = f"{base}*salt*{encode_base64url(hmac.digest(key, base.encode(), 'sha256'))}"
    return {vector.fields["cookie_name"]: value}


def express(vector: Vector, content: bytes) -> Cookies:
    """In clear the id; the data is what the store answers."""
    id_, _ = split(content)
    signature = hmac.digest(vector.fields["secrets"][0].encode(), id_.encode(), "sha256")
    return {vector.fields["cookie_name"]: f"s:{id_}.{encode_base64(signature).rstrip('=')}"}


AUTHENTIC: dict[str, Callable[[Vector, bytes], Cookies]] = {
    "IronSession": iron,
    "Iron": iron,
    "Yar": iron,
    "ClientSessions": client_sessions,
    "StarletteSession": starlette,
    "FlaskSession": flask,
    "LitestarSession": litestar,
    "CookieSession": cookie_session,
    "FastifySecureSession": fastify,
    "ExpressSession": express,
}


class OneText:
    """A store of express-session's that has one text under every id."""

    text = b""

    def get(self, _session_id: str, /) -> bytes:
        return self.text
