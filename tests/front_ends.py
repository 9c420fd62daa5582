"""Cookies as the front ends' packages write them, made by their formats' own rules and not by our code."""

import hashlib
import hmac
import json
import os
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

AUTH_SECRET = "9cTq2vYbL6wZr1nXs8kMfD4hGj7pEa3u"
AUTHJS_COOKIE = "__Secure-authjs.session-token"
BETTER_AUTH_COOKIE = "__Secure-better-auth.session_token"
DAY = 86_400


def authjs_cookie(subject, *, at, name=AUTHJS_COOKIE, secret=AUTH_SECRET, days=30, **claims):
    """The value that Auth.js sets at a sign-in, and anew whenever it renews the session."""
    times = {"iat": int(at), "exp": int(at) + days * DAY, "jti": os.urandom(16).hex()}
    named = {} if subject is None else {"sub": subject}
    return authjs_seal({**named, **claims, **times}, name=name, secret=secret)


def authjs_seal(claims, *, name=AUTHJS_COOKIE, secret=AUTH_SECRET):
    info = f"Auth.js Generated Encryption Key ({name})"
    key = hkdf(secret, salt=name, info=info, length=64)
    return seal_cbc(json.dumps(claims).encode(), key, kid=thumbprint(key, "sha512"))


def seal_cbc(plaintext, key, **fields):
    """A JWE by A256CBC-HS512."""
    header = base64url(json.dumps({"alg": "dir", "enc": "A256CBC-HS512", **fields}).encode())
    iv, padder = os.urandom(16), PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key[32:]), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padder.update(plaintext) + padder.finalize())
    signed = header.encode() + iv + ciphertext + (8 * len(header)).to_bytes(8, "big")
    tag = hmac.digest(key[:32], signed, "sha512")[:32]
    return ".".join([header, "", *map(base64url, (iv, ciphertext, tag))])


def seal_gcm(plaintext, key, **fields):
    """A JWE by A256GCM."""
    header, iv = base64url(json.dumps({"alg": "dir", "enc": "A256GCM", **fields}).encode()), os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, plaintext, header.encode())
    return ".".join([header, "", *map(base64url, (iv, sealed[:-16], sealed[-16:]))])


def hkdf(secret, *, salt, info, length):
    return HKDF(algorithm=SHA256(), length=length, salt=salt.encode(), info=info.encode()).derive(secret.encode())


def thumbprint(key, digest):
    return base64url(hashlib.new(digest, b'{"k":"%s","kty":"oct"}' % base64url(key).encode()).digest())


def better_auth_cookie(token, *, secret=AUTH_SECRET):
    """The value that Better Auth sets for a session's token."""
    signature = b64encode(hmac.digest(secret.encode(), token.encode(), "sha256")).decode()
    return quote(f"{token}.{signature}", safe="")


def base64url(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()
