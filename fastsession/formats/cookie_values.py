"""Raw cookie values: which are accepted, and which other spellings are allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from fastsession.errors import ConfigurationError, Rejected
from fastsession.status import SessionStatus

# Browsers store no more (RFC 6265bis, section 5.6).
MAX_VALUE_SIZE: Final = 4096
# Allowed characters of a cookie's name (RFC 9110, section 5.6.2), and of its value in a header.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def checked_name(cookie_name: str) -> str:
    """Return the name; raises `ConfigurationError` for an invalid cookie name."""
    if not _NAME.fullmatch(cookie_name):
        message = "cookie_name must be the other system's cookie name: letters, digits and !#$%&'*+-.^_`|~"
        raise ConfigurationError(message)
    return cookie_name


def cookie_value(cookies: Mapping[str, str], name: str) -> str:
    """Return the value of that name; raises `Rejected` (absent, oversize, malformed)."""
    value = cookies.get(name)
    if not value:
        raise Rejected(SessionStatus.ABSENT)
    return checked_value(value)


def checked_value(value: str) -> str:
    """Return the value; raises `Rejected` (oversize, malformed) if no header can contain it."""
    if len(value) > MAX_VALUE_SIZE:
        raise Rejected(SessionStatus.OVERSIZE, f"{len(value)} characters of value")
    if not _VALUE.fullmatch(value):
        raise Rejected(SessionStatus.MALFORMED, "characters that no cookie value holds")
    return value


def unquoted(value: str) -> str:
    """Return the value without surrounding double quotes, which some parsers treat as syntax."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def percent_decoded(value: str) -> str:
    """Undo `encodeURIComponent`; raises `Rejected` (malformed)."""
    if "%" not in value:
        return value
    if _BROKEN_ESCAPE.search(value):
        raise Rejected(SessionStatus.MALFORMED, "a broken percent escape")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise Rejected(SessionStatus.MALFORMED, "percent escapes that are not UTF-8") from None
