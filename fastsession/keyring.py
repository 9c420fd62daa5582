"""Derive keys from secrets: which secrets are strong enough, which key seals, which keys open."""

from __future__ import annotations

import hmac
import itertools
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretBytes, SecretStr
from starlette.datastructures import Secret

from fastsession.errors import ConfigurationError
from fastsession.sealing.xaes import KEY_SIZE, XAES256GCM

SecretKey = str | bytes | Secret | SecretStr | SecretBytes

KEY_ID_SIZE: Final = 3
_SALT = b"fastsession/v1"
_GENERATED_PREFIX = "fs1."
_GENERATED = re.compile(rb"fs1\.[A-Za-z0-9_-]{43}")
_DAMAGED = "is no text: its environment variable holds damaged bytes"
_PADDED = "has white space around it, which would be part of the secret: remove it"
_QUOTED = "has quotation marks around it, which would be part of the secret: remove them"
# Some editors write it at the beginning of a file.
_BYTE_ORDER_MARK = "\ufeff"
_LEAST_BYTES = 32
_LEAST_DISTINCT = 8
_ADVICE = "Make one with `python -m fastsession keygen` and keep it outside the code, in SESSION_SECRET for example."


def generate_key() -> str:
    """Return a fresh secret: `fs1.` and 256 bits from the operating system as base64url."""
    return _generated(secrets.token_bytes(KEY_SIZE))


class Key:
    """The keys of one secret, derived by HKDF-SHA256 (RFC 5869) with one info label per purpose."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.id = self.derive("key id", KEY_ID_SIZE)
        self.cipher = XAES256GCM(self.derive("seal", KEY_SIZE))
        self._handle_key = self.derive("log handle", KEY_SIZE)
        self.record_cipher = XAES256GCM(self.derive("store", KEY_SIZE))

    def derive(self, purpose: str, length: int) -> bytes:
        """Derive key material: HKDF with the salt `fastsession/v1` and the purpose as info."""
        return HKDF(algorithm=SHA256(), length=length, salt=_SALT, info=purpose.encode()).derive(self._secret)

    def handle(self, session_id: bytes) -> str:
        """Return a public handle of 16 hex digits, which does not reveal the session id."""
        return hmac.digest(self._handle_key, session_id, "sha256")[:8].hex()


class KeyRing:
    """All keys of a middleware. `primary`, the first secret's, seals; every key in `by_id` opens."""

    def __init__(self, secrets_: Sequence[bytes]) -> None:
        keys = [Key(secret) for secret in dict.fromkeys(secrets_)]
        self.primary = keys[0]
        self.by_id = {key.id: key for key in keys}
        if len(self.by_id) != len(keys):
            message = f"Two of the secrets have the same key id; replace one of them. {_ADVICE}"
            raise ConfigurationError(message)


def stretched(secret: bytes, purpose: str) -> str:
    """A secret in the form of generated ones from one of any length; as hard to guess as that one."""
    return _generated(Key(secret).derive(purpose, KEY_SIZE))


def _generated(random: bytes) -> str:
    return _GENERATED_PREFIX + urlsafe_b64encode(random).rstrip(b"=").decode()


def accepted_secrets(secret_key: SecretKey, fallbacks: Sequence[SecretKey]) -> list[bytes]:
    """Return the secrets as bytes, the sealing one first; raises `ConfigurationError` for a weak one."""
    if isinstance(fallbacks, str | bytes) or not isinstance(fallbacks, Sequence):
        message = "secret_key_fallbacks takes a list of secrets, oldest last; write [old_secret] for a single one."
        raise ConfigurationError(message)
    named = [("secret_key", secret_key), *((f"secret_key_fallbacks[{i}]", key) for i, key in enumerate(fallbacks))]
    return [_accepted(name, secret) for name, secret in named]


def _accepted(name: str, secret: SecretKey) -> bytes:
    """Return one secret's bytes; raises `ConfigurationError`, which names the option and never the secret."""
    try:
        value = secret_as_bytes(secret)
    except TypeError:
        message = f"{name} must be a string or bytes, not {type(secret).__name__}. {_ADVICE}"
        raise ConfigurationError(message) from None
    fault = _DAMAGED if value is None else _padding(secret, value) or _weakness(value)
    if value is None or fault:
        message = f"{name} {fault}. {_ADVICE}"
        raise ConfigurationError(message)
    return value


def revealed(secret: object) -> object:
    """The secret in a type that hides it from reprs, Starlette's or pydantic's; anything else as it is."""
    if isinstance(secret, SecretStr | SecretBytes):
        return secret.get_secret_value()
    return str(secret) if isinstance(secret, Secret) else secret


def secret_as_bytes(secret: SecretKey) -> bytes | None:
    """Unwrap a secret, text as UTF-8. Returns None for undecodable text; raises `TypeError` for another type.

    None instead of an error, because `UnicodeEncodeError` would carry the secret.
    """
    value = revealed(secret)
    if not isinstance(value, str | bytes):
        raise TypeError
    try:
        return value if isinstance(value, bytes) else value.encode()
    except UnicodeEncodeError:
        return None


def _padding(secret: SecretKey, value: bytes) -> str | None:
    """Return what is wrong with a secret that has white space or quotation marks around it, or None.

    A server that gets it without them would open no session: a shell takes the marks of an env file away, and
    Docker does not. Bytes are kept, unless they are a generated secret, which is text.
    """
    text = value.decode("utf-8", "replace")
    bare = text.strip().strip(_BYTE_ORDER_MARK).strip()
    is_quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'"
    is_text = not isinstance(secret, bytes | SecretBytes) or bare.lstrip("\"'").startswith(_GENERATED_PREFIX)
    if not is_text:
        return None
    return _PADDED if text != bare else _QUOTED if is_quoted else None


def _weakness(secret: bytes) -> str | None:
    """Return why a secret is guessable or unusable, or None."""
    generated = secret.startswith(_GENERATED_PREFIX.encode())
    material = secret.removeprefix(_GENERATED_PREFIX.encode())
    steps = [(after - before) % 256 for before, after in itertools.pairwise(material)]
    letters = re.sub(rb"[^a-z0-9]", b"", secret.lower())
    faults = {
        "is not a whole fs1. key: a part of it is missing or changed": generated and not _GENERATED.fullmatch(secret),
        f"has {len(secret)} bytes and needs at least {_LEAST_BYTES}": len(secret) < _LEAST_BYTES,
        "is a repetition": len(set(material)) < _LEAST_DISTINCT or _repeats(material),
        "is a sequence": sum(step in (0, 1, 255) for step in steps) > len(steps) * 3 // 4,
        "is a published example": secret in _PUBLISHED,
        "is a placeholder": any(phrase in letters for phrase in _PLACEHOLDERS),
    }
    return next((fault for fault, found in faults.items() if found), None)


def _repeats(material: bytes) -> bool:
    return any(material[n:] == material[:-n] for n in range(1, len(material) // 2 + 1))


# Placeholders in documentation and templates, reduced to lower-case letters and digits.
_PLACEHOLDERS = (
    b"changeme changethis changeit yoursecret mysecret thesecret supersecret topsecret verysecret notsecret "
    b"notsosecret sosecret secretkey secretpassword sessionsecret cookiesecret defaultsecret devsecret "
    b"developmentsecret testsecret dummysecret fakesecret somesecret averylong insecure placeholder replaceme "
    b"replacethis donotuse keepitsecret complexpassword password123 mypassword yourpassword atleast32 "
    b"32characters 32bytes example temporarykey thisisasecret thisismyscret thisismysecret 256bitsecret "
    b"randomstring longstring somerandom correcthorsebattery loremipsum qwertyuiop secretatleast authsecret"
).split()
# Published secrets from documentation and defaults (security.md I-22), which only look random.
_PUBLISHED = frozenset(
    (
        # FastAPI's OAuth2 tutorial; Flask's quickstart and its deployment page.
        b"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
        b"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        # @fastify/secure-session's README; Superset's first default (CVE-2023-27524).
        b"a secret with minimum length of 32 characters",
        b"averylogphrasebiggerthanthirtytwochars",
        b"\2\1thisismyscretkey\1\2\\e\\y\\y\\h",
    ),
)
