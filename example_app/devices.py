"""What an account's sessions are called on the page that lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from example_app.session import ShopSession
from fastsession import SessionEntry

# In this order: most browsers and systems call themselves by others' names too.
_BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser/": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


@dataclass(frozen=True, slots=True)
class Device:
    """One place where somebody is signed in, as the page shows it."""

    handle: str
    name: str
    signed_in_at: datetime
    last_seen: datetime
    is_current: bool


def device_name(user_agent: str) -> str:
    """The browser and system that a User-Agent header tells of, in words that their user knows."""
    browser = _first_named(_BROWSERS, user_agent) or "Unknown browser"
    system = _first_named(_SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def devices(entries: Iterable[SessionEntry]) -> list[Device]:
    """The devices behind an account's sessions: this one, then the others, those seen last first."""
    found = [
        Device(
            handle=entry.handle,
            name=entry.session.device if isinstance(entry.session, ShopSession) else device_name(""),
            signed_in_at=entry.created_at,
            last_seen=entry.last_seen,
            is_current=entry.is_current,
        )
        for entry in entries
    ]
    return sorted(found, key=lambda device: (device.is_current, device.last_seen), reverse=True)


def _first_named(names: dict[str, str], user_agent: str) -> str | None:
    return next((name for mark, name in names.items() if mark in user_agent), None)
