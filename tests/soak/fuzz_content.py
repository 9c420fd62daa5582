"""Other systems' cookies around any content, signed or sealed as they do it, so that the fuzzer gets past the MAC.

The content is two fields parted by a zero byte: what stands in clear, such as a time, and what is encoded or encrypted.
"""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fastsession.formats.aes import encrypt_cbc
from fastsession.formats.encoding import encode_base64, encode_base64url
from tests.formats.vector import Vector
from tests.front_ends import hkdf, thumbprint

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


def authjs(vector: Vector, content: bytes) -> Cookies:
    name = vector.fields["cookie_name"]
    key = _derived(vector, salt=name, info=f"Auth.js Generated Encryption Key ({name})", length=64)
    return {name: _sealed_by_cbc(key, content, kid=thumbprint(key, "sha512"))}


def next_auth(vector: Vector, content: bytes) -> Cookies:
    key = _derived(vector, salt="", info="NextAuth.js Generated Encryption Key", length=32)
    return {vector.fields["cookie_name"]: _sealed_by_gcm(key, content)}


def hono(vector: Vector, content: bytes) -> Cookies:
    key = _derived(vector, salt="", info="session jwe cek", length=32)
    return {vector.fields["cookie_name"]: _sealed_by_gcm(key, content)}


def better_auth_jwe(vector: Vector, content: bytes) -> Cookies:
    key = _derived(vector, salt="better-auth-session", info="BetterAuth.js Generated Encryption Key", length=64)
    return {vector.fields["cookie_name"]: _sealed_by_cbc(key, content, kid=thumbprint(key, "sha256"))}


def better_auth_jwt(vector: Vector, content: bytes) -> Cookies:
    secret = vector.fields["secrets"][0].encode()
    return {
        vector.fields["cookie_name"]: _signed(content, lambda text: hmac.digest(secret, text, "sha256"), alg="HS256")
    }


def better_auth_jwks(vector: Vector, content: bytes) -> Cookies:
    fields = {"alg": "EdDSA", "kid": "k", "typ": "better-auth.session-cache+jwt"}
    return {vector.fields["cookie_name"]: _signed(content, SIGNING.sign, **fields)}


def better_auth_compact(vector: Vector, content: bytes) -> Cookies:
    """In clear when the cache ends; the content is a JSON object."""
    clear, session = split(content)
    ending = b',"expiresAt":' + clear.encode("latin-1")
    mac = hmac.digest(vector.fields["secrets"][0].encode(), session[:-1] + ending + b"}", "sha256")
    text = b'{"session":' + session + ending + b',"signature":"' + encode_base64url(mac).encode() + b'"}'
    return {vector.fields["cookie_name"]: encode_base64url(text)}


def better_auth(vector: Vector, content: bytes) -> Cookies:
    """In clear the token; the data is what the store answers."""
    token, _ = split(content)
    mac = hmac.digest(vector.fields["secrets"][0].encode(), token.encode(), "sha256")
    return {vector.fields["cookie_name"]: quote(f"{token}.{encode_base64(mac)}", safe="")}


def _derived(vector: Vector, *, salt: str, info: str, length: int) -> bytes:
    return _hkdf(vector.fields["secrets"][0], salt, info, length)


@cache
def _hkdf(secret: str, salt: str, info: str, length: int) -> bytes:
    return hkdf(secret, salt=salt, info=info, length=length)


def _header(clear: str, fields: dict[str, str]) -> str:
    """A header in clear is part of what is authentic; without one it is the usual one."""
    return encode_base64url(clear.encode("latin-1") or json.dumps(fields, separators=(",", ":")).encode())


def _sealed_by_cbc(key: bytes, content: bytes, **fields: str) -> str:
    clear, claims = split(content)
    header = _header(clear, {"alg": "dir", "enc": "A256CBC-HS512", **fields})
    ciphertext = encrypt_cbc(key[32:], bytes(SIZE), claims)
    signed = header.encode() + bytes(SIZE) + ciphertext + (8 * len(header)).to_bytes(8)
    tag = hmac.digest(key[:32], signed, "sha512")[:32]
    return ".".join((header, "", *map(encode_base64url, (bytes(SIZE), ciphertext, tag))))


def _sealed_by_gcm(key: bytes, content: bytes) -> str:
    clear, claims = split(content)
    header = _header(clear, {"alg": "dir", "enc": "A256GCM"})
    sealed = AESGCM(key).encrypt(bytes(12), claims, header.encode())
    return ".".join((header, "", *map(encode_base64url, (bytes(12), sealed[:-16], sealed[-16:]))))


def _signed(content: bytes, sign: Callable[[bytes], bytes], **fields: str) -> str:
    clear, claims = split(content)
    text = f"{_header(clear, fields)}.{encode_base64url(claims)}"
    return f"{text}.{encode_base64url(sign(text.encode()))}"


# Better Auth's public keys are those of a key that we have.
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_PUBLIC = encode_base64url(SIGNING.public_key().public_bytes_raw())
OPTIONS: dict[str, dict[str, object]] = {
    "BetterAuthCache, jwks": {
        "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": _PUBLIC}]},
        "issuer": "http://localhost:3000",
    },
}

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
    "H3Session": iron,
    "NuxtSession": iron,
    "HonoSession": hono,
    "HonoSessions": iron,
    "AuthjsSession": authjs,
    "NextAuthSession": next_auth,
    "BetterAuthSession": better_auth,
    "BetterAuthCache": better_auth_compact,
    "BetterAuthCache, jwt": better_auth_jwt,
    "BetterAuthCache, jwe": better_auth_jwe,
    "BetterAuthCache, jwks": better_auth_jwks,
}


class OneText:
    """A store of express-session's or Better Auth's that has one text under every id."""

    text = b""

    def get(self, _session_id: str, /) -> bytes:
        return self.text
