"""Other systems' secrets: taken as they are, with a warning where ours would be refused."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fastsession.errors import ConfigurationError
from fastsession.keyring import SecretKey, accepted_secrets, secret_as_bytes

logger = logging.getLogger("fastsession")


def secret_bytes(option: str, secret: SecretKey) -> bytes:
    """One secret, text as UTF-8; raises `ConfigurationError` for an empty one or another type."""
    try:
        value = secret_as_bytes(secret)
    except TypeError:
        message = f"{option} must be the other system's secret as a string or bytes, not {type(secret).__name__}."
        raise ConfigurationError(message) from None
    if value is None:
        message = f"{option} is no text: its environment variable holds damaged bytes."
        raise ConfigurationError(message)
    if not value:
        message = f"{option} is empty: anybody could write such sessions. Give it the other system's secret."
        raise ConfigurationError(message)
    return value


def secret_list(option: str, secrets: Sequence[SecretKey]) -> tuple[bytes, ...]:
    """Several secrets, the writing one first; raises `ConfigurationError` for a bare secret or none."""
    if isinstance(secrets, str | bytes) or not isinstance(secrets, Sequence) or not secrets:
        message = f"{option} takes a list of secrets, the newest first; write [secret] for a single one."
        raise ConfigurationError(message)
    return tuple(secret_bytes(f"{option}[{number}]", secret) for number, secret in enumerate(secrets))


def one_or_more(option: str, secrets: SecretKey | Sequence[SecretKey]) -> tuple[bytes, ...]:
    """A secret or a list of them, where the other system takes either."""
    if isinstance(secrets, Sequence) and not isinstance(secrets, str | bytes):
        return secret_list(option, secrets)
    return (secret_bytes(option, secrets),)


def warn_of_weak(reader: object, secrets: Sequence[bytes]) -> None:
    """Log one warning when a secret is weaker than FastSession's own may be."""
    try:
        accepted_secrets(secrets[0], secrets[1:])
    except ConfigurationError:
        logger.warning(
            "%s: a secret of the other system is short or known. Whoever guesses it can write sessions that are "
            "accepted here; migrate quickly, or replace it there.",
            type(reader).__name__,
        )


def refuse_shared_secrets(formats: Sequence[object], own: Sequence[bytes]) -> None:
    """Raise `ConfigurationError` for a format that uses a secret of ours: a leak there must not be one here."""
    for foreign in formats:
        if set(own) & set(getattr(foreign, "secrets", ())):
            message = f"{type(foreign).__name__} has the same secret as the session middleware: give that one its own."
            raise ConfigurationError(message)
