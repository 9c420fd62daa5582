"""A cookie's value as it stands in the header: which are looked at, and how far they may be spelled otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from fastsession.errors import ConfigurationError, Rejected
from fastsession.status import SessionStatus

# No browser stores more (RFC 6265bis, section 5.6), so no system can have set more.
MAX_VALUE_SIZE: Final = 4096
# What a cookie's name may hold (RFC 9110, section 5.6.2), and what its value can hold in a header.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def checked_name(cookie_name: str) -> str:
    """The name; raises `ConfigurationError` when no cookie can be called so."""
    if not _NAME.fullmatch(cookie_name):
        message = "cookie_name must be the other system's cookie name: letters, digits and !#$%&'*+-.^_`|~"
        raise ConfigurationError(message)
    return cookie_name


def cookie_value(cookies: Mapping[str, str], name: str) -> str:
    """The value of that name; raises `Rejected` (absent, oversize, malformed)."""
    value = cookies.get(name)
    if not value:
        raise Rejected(SessionStatus.ABSENT)
    return checked_value(value)


def checked_value(value: str) -> str:
    """The value; raises `Rejected` (oversize, malformed) for one that no header can hold."""
    if len(value) > MAX_VALUE_SIZE:
        raise Rejected(SessionStatus.OVERSIZE, f"{len(value)} characters of value")
    if not _VALUE.fullmatch(value):
        raise Rejected(SessionStatus.MALFORMED, "characters that no cookie value holds")
    return value


def unquoted(value: str) -> str:
    """The value without the double quotes around it, which some parsers take for a part of the syntax."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def percent_decoded(value: str) -> str:
    """What `encodeURIComponent` was given; raises `Rejected` (malformed)."""
    if "%" not in value:
        return value
    if _BROKEN_ESCAPE.search(value):
        raise Rejected(SessionStatus.MALFORMED, "a broken percent escape")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise Rejected(SessionStatus.MALFORMED, "percent escapes that are not UTF-8") from None
