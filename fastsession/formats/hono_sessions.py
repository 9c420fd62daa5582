"""hono-sessions with its CookieStore: JSON text, written once more as JSON, in a Fe26.2 seal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastsession.errors import Rejected
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, cookie_value, percent_decoded
from fastsession.formats.foreign_secrets import warn_of_weak
from fastsession.formats.iron_passwords import password_list
from fastsession.formats.iron_seal import IronSealer, check_expiration
from fastsession.formats.json_data import is_object, load_object, load_value
from fastsession.formats.validity import expired, milliseconds
from fastsession.keyring import SecretKey
from fastsession.status import SessionStatus

_TIMESTAMP_SKEW = 60


class HonoSessions:
    """Reads the cookies of hono-sessions' CookieStore. `password` is its encryptionKey.

    They tell when they end, or that they do not, and not when they began. Flash values are read once more.
    """

    def __init__(self, *, password: SecretKey, cookie_name: str = "session") -> None:
        self.cookie_name = checked_name(cookie_name)
        # Its seals have no id, and one with an id is not its.
        passwords = password_list({"default": password})
        self._sealer = IronSealer(passwords, encryption="aes-256-cbc", integrity="sha256")
        self.secrets = passwords.secrets()
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The values of the session's data, ending at its `_expire`."""
        seal = percent_decoded(cookie_value(cookies, self.cookie_name))
        plaintext, sealed_until = self._sealer.open(seal)
        check_expiration(sealed_until, now, skew=_TIMESTAMP_SKEW)
        text = load_value(plaintext)
        if not isinstance(text, str):
            raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not the text of a session")
        envelope = load_object(text.encode("utf-8", "backslashreplace"))
        expires_at = _timestamp(envelope.get("_expire"))
        if expires_at is not None and milliseconds(now) >= milliseconds(expires_at):
            raise expired()
        return ForeignSession(_values(envelope.get("_data")), None, expires_at)


def _values(data: object) -> dict[str, Any]:
    """The entries' values; raises `Rejected` (incompatible)."""
    if not is_object(data) or not all(is_object(entry) for entry in data.values()):
        raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a session of hono-sessions")
    return {name: entry.get("value") for name, entry in data.items()}


def _timestamp(expires: object) -> float | None:
    """Unix seconds of JavaScript's `toISOString`; None for no end. Raises `Rejected` for text that is no date."""
    if expires is None:
        return None
    try:
        moment = datetime.fromisoformat(expires) if isinstance(expires, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise expired("its _expire is no time")
    return moment.timestamp()
