"""client-sessions' keys: derived from a secret or given, and the sizes that each algorithm needs."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastsession.errors import ConfigurationError
from fastsession.formats.foreign_secrets import one_or_more

Secrets = str | bytes | Sequence[str | bytes]

# Exact size of the key.
ENCRYPTION_ALGORITHMS: Final = {"aes128": 16, "aes192": 24, "aes256": 32}
# Hash, minimum size of the key, bytes of the MAC that are kept.
SIGNATURE_ALGORITHMS: Final = {
    "sha256": ("sha256", 32, 32),
    "sha256-drop128": ("sha256", 32, 16),
    "sha384": ("sha384", 48, 48),
    "sha384-drop192": ("sha384", 48, 24),
    "sha512": ("sha512", 64, 64),
    "sha512-drop256": ("sha512", 64, 32),
}


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The two keys of one cookie."""

    encryption: bytes
    signature: bytes


def check_algorithms(encryption: str, signature: str) -> None:
    """Raise `ConfigurationError` for names that client-sessions does not know."""
    if encryption not in ENCRYPTION_ALGORITHMS:
        message = f"encryption_algorithm must be one of {', '.join(ENCRYPTION_ALGORITHMS)}."
        raise ConfigurationError(message)
    if signature not in SIGNATURE_ALGORITHMS:
        message = f"signature_algorithm must be one of {', '.join(SIGNATURE_ALGORITHMS)}."
        raise ConfigurationError(message)


def given_secrets(
    secret: Secrets | None, encryption_key: bytes | None, signature_key: bytes | None
) -> tuple[bytes, ...]:
    """Return the given secrets or keys as bytes; raises `ConfigurationError` without a complete pair."""
    if secret is None and (encryption_key is None or signature_key is None):
        message = "Give ClientSessions the other side's secret, or both its encryption_key and its signature_key."
        raise ConfigurationError(message)
    if not all(key is None or isinstance(key, bytes) for key in (encryption_key, signature_key)):
        message = "encryption_key and signature_key are bytes, like the Buffers in Node."
        raise ConfigurationError(message)
    given = () if secret is None else one_or_more("secret", secret)
    return given + tuple(key for key in (encryption_key, signature_key) if key is not None)


def keys_from(secret: Secrets | None, encryption_key: bytes | None, signature_key: bytes | None) -> list[Keys]:
    """Return one pair of keys per secret; a given key replaces the derived one."""
    masters = (b"",) if secret is None else one_or_more("secret", secret)
    return [
        Keys(
            encryption_key or hmac.digest(master, b"cookiesession-encryption", "sha256"),
            signature_key or hmac.digest(master, b"cookiesession-signature", "sha256"),
        )
        for master in masters
    ]


def check_sizes(keys: Keys, encryption_algorithm: str, signature_algorithm: str) -> None:
    """Raise `ConfigurationError` for keys that client-sessions would refuse."""
    exactly = ENCRYPTION_ALGORITHMS[encryption_algorithm]
    _, at_least, _ = SIGNATURE_ALGORITHMS[signature_algorithm]
    if len(keys.encryption) != exactly:
        message = f"{encryption_algorithm} needs an encryption_key of exactly {exactly} bytes."
        raise ConfigurationError(message)
    if len(keys.signature) < at_least:
        message = f"{signature_algorithm} needs a signature_key of at least {at_least} bytes."
        raise ConfigurationError(message)
    if hmac.compare_digest(keys.encryption, keys.signature):
        message = "encryption_key and signature_key must be different."
        raise ConfigurationError(message)
