"""Cookie header in, Set-Cookie out: names and prefixes, chunks, sizes, attributes (RFC 6265bis)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from fastsession.errors import ConfigurationError, Rejected
from fastsession.events import SessionStatus
from fastsession.token import HEADER_CHARACTERS

Header = tuple[bytes, bytes]
SameSite = Literal["lax", "strict", "none"]

# Browsers store at most 4096 bytes of name and value (RFC 6265bis, section 5.6); nginx passes 3,914
# bytes of Set-Cookie with its default settings.
MAX_COOKIE_SIZE: Final = 3800
MAX_COOKIES: Final = 3
# A cookie that takes more is worth a warning before it takes too much.
NEAR_LIMIT: Final = 3000
# More cookies of one name than this are never looked at (security.md R-22).
_MOST_CANDIDATES = 4
# Servers differ in what they let through (8 KB to 8 MB); beyond this nothing is searched.
_MOST_HEADER_BYTES = 64 * 1024
_SUFFIXES = ("", ".1", ".2")
# A chunk is `count.set.piece`; a whole token has no full stop.
_SET_ID_SIZE = 8
_CHUNK_OVERHEAD = len("2.") + _SET_ID_SIZE + len(".")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTE = re.compile(r"[\x20-\x3a\x3c-\x7e]+")


class SessionCookie:
    """The session's cookie: one name, up to three chunks, one set of attributes for setting and clearing."""

    def __init__(
        self,
        session_cookie: str,
        *,
        path: str = "/",
        domain: str | None = None,
        same_site: SameSite = "lax",
        https_only: bool = True,
        partitioned: bool = False,
        max_cookies: int = 2,
    ) -> None:
        if same_site not in ("lax", "strict", "none"):
            message = "same_site must be 'lax', 'strict' or 'none'."
            raise ConfigurationError(message)
        if not https_only and (same_site == "none" or partitioned):
            message = "same_site='none' and partitioned=True need https_only=True: browsers drop such cookies."
            raise ConfigurationError(message)
        if max_cookies not in range(1, MAX_COOKIES + 1):
            message = f"max_cookies must be 1, 2 or {MAX_COOKIES}: proxies refuse more."
            raise ConfigurationError(message)
        if not path.startswith("/") or not _ATTRIBUTE.fullmatch(path):
            message = "path must begin with a slash and hold neither semicolons nor control characters."
            raise ConfigurationError(message)
        if domain is not None and not _ATTRIBUTE.fullmatch(domain):
            message = "domain must be a host name, or None for the host that answers."
            raise ConfigurationError(message)
        self.https_only = https_only
        self.name = cookie_name(session_cookie, path=path, domain=domain, https_only=https_only)
        self._names = tuple(self.name + suffix for suffix in _SUFFIXES)
        self._chunk_mark = f"{self.name}.".encode()
        self._finders = tuple(f"{name}=".encode() for name in self._names)
        self._capacities = tuple(MAX_COOKIE_SIZE - len(name) - _CHUNK_OVERHEAD for name in self._names[:max_cookies])
        # The whole token in one cookie, or spread over all of them.
        self._single_capacity = MAX_COOKIE_SIZE - len(self.name)
        self.capacity = self._single_capacity if max_cookies == 1 else sum(self._capacities)
        self._path = f"; path={path}"
        self._attributes = (
            (f"; domain={domain}" if domain else "")
            + f"; HttpOnly; SameSite={same_site.capitalize()}"
            + ("; Secure" if https_only else "")
            + ("; Partitioned" if partitioned else "")
        )

    def values(self, headers: Iterable[Header]) -> list[str]:
        """The values under the session's name, at most four; raises `Rejected` (oversize, incomplete)."""
        values: list[str] = []
        size = 0
        # Every cookie header counts: clients may send several (RFC 9113, section 8.2.3).
        for name, line in headers:
            if name == b"cookie":
                size += len(line)
                if size > _MOST_HEADER_BYTES:
                    raise Rejected(SessionStatus.OVERSIZE, "too many bytes of cookies")
                values += _find(line, self._finders[0])
        if size and not values and self._stale(headers, first=1):
            raise Rejected(SessionStatus.INCOMPLETE, "the first chunk is missing")
        return values[:_MOST_CANDIDATES]

    def joined_chunks(self, value: str, headers: Iterable[Header]) -> str:
        """The token whose first chunk is `value`; raises `Rejected` (malformed, incomplete)."""
        count, set_id, piece = _chunk(value)
        pieces = [piece]
        for finder in self._finders[1:count]:
            chunks = [_chunk(other) for other in _find_all(headers, finder)[:_MOST_CANDIDATES]]
            matching = [
                other for other_count, other_set, other in chunks if (other_count, other_set) == (count, set_id)
            ]
            if not matching:
                raise Rejected(SessionStatus.INCOMPLETE, f"{len(pieces)} of {count} chunks")
            pieces.append(matching[0])
        return "".join(pieces)

    def clear_characters(self, headers: Iterable[Header]) -> str | None:
        """The characters of the first value's clear header, unchecked; None without a cookie."""
        for name, line in headers:
            if name == b"cookie" and self._finders[0] in line:
                values = _find(line, self._finders[0])
                if values:
                    start = 0 if "." not in values[0] else _CHUNK_OVERHEAD
                    return values[0][start : start + HEADER_CHARACTERS]
        return None

    def set(self, token: str, *, max_age: int | None, headers: Iterable[Header]) -> list[Header]:
        """Set-Cookie headers for a token of at most `capacity` characters; the request's stale chunks go."""
        values = [token] if len(token) <= self._single_capacity else self._split(token)
        age = "" if max_age is None else f"; Max-Age={max_age}"
        cookies = [self._header(name, value, age) for name, value in zip(self._names, values, strict=False)]
        return cookies + self._clear(self._stale(headers, first=len(values)))

    def clear(self, headers: Iterable[Header]) -> list[Header]:
        """Set-Cookie headers that delete the cookie and every chunk that the request brought."""
        return self._clear([self.name, *self._stale(headers, first=1)])

    def _split(self, token: str) -> list[str]:
        """Chunks of the token, each with their number and with the token's last characters as the set's id."""
        pieces: list[str] = []
        rest = token
        for capacity in self._capacities:
            if rest:
                pieces.append(rest[:capacity])
                rest = rest[capacity:]
        return [f"{len(pieces)}.{token[-_SET_ID_SIZE:]}.{piece}" for piece in pieces]

    def _stale(self, headers: Iterable[Header], *, first: int) -> list[str]:
        """The chunk names from `first` on that the request brought; the names are ours, never the client's."""
        if not any(name == b"cookie" and self._chunk_mark in line for name, line in headers):
            return []
        named = zip(self._names[first:], self._finders[first:], strict=True)
        return [name for name, finder in named if _find_all(headers, finder)]

    def _clear(self, names: Iterable[str]) -> list[Header]:
        return [self._header(name, "", "; Max-Age=0") for name in names]

    def _header(self, name: str, value: str, age: str) -> Header:
        """The one place that writes Set-Cookie, so that clearing always has the attributes of setting."""
        return b"set-cookie", f"{name}={value}{self._path}{age}{self._attributes}".encode()


def cookie_name(session_cookie: str, *, path: str, domain: str | None, https_only: bool) -> str:
    """The name with the strongest prefix that the options allow (RFC 6265bis, section 4.1.3)."""
    if not _NAME.fullmatch(session_cookie):
        message = "session_cookie must be a cookie name: letters, digits and !#$%&'*+-.^_`|~"
        raise ConfigurationError(message)
    host_bound = https_only and path == "/" and domain is None
    lowered = session_cookie.lower()
    if lowered.startswith(("__host-", "__host-http-")) and not host_bound:
        message = f"The name {session_cookie!r} needs https_only=True, path='/' and no domain: browsers drop it else."
        raise ConfigurationError(message)
    if lowered.startswith(("__secure-", "__http-")) and not https_only:
        message = f"The name {session_cookie!r} needs https_only=True: browsers drop it otherwise."
        raise ConfigurationError(message)
    if not https_only or lowered.startswith(("__host-", "__secure-", "__http-")):
        return session_cookie
    return ("__Host-" if host_bound else "__Secure-") + session_cookie


def _chunk(value: str) -> tuple[int, str, str]:
    """Count, set id and piece of a chunk; raises `Rejected` for anything else."""
    count, _, rest = value.partition(".")
    set_id, _, piece = rest.partition(".")
    if count not in ("2", "3") or len(set_id) != _SET_ID_SIZE or not piece or len(value) > MAX_COOKIE_SIZE:
        raise Rejected(SessionStatus.MALFORMED, "not a chunk of a session")
    return int(count), set_id, piece


def _find_all(headers: Iterable[Header], finder: bytes) -> list[str]:
    return [value for name, line in headers if name == b"cookie" for value in _find(line, finder)]


def _find(line: bytes, finder: bytes) -> list[str]:
    """The values in one cookie header under the name in `finder` (`name=`), in time linear in its length.

    Only space and tab are trimmed and double quotes are part of a value (RFC 6265bis, section 5.6).
    """
    values: list[str] = []
    position = line.find(finder)
    while position >= 0:
        end = line.find(b";", position)
        if end < 0:
            end = len(line)
        # The name must begin its pair: nothing but blanks between it and the semicolon before.
        if position == 0 or not line[line.rfind(b";", 0, position) + 1 : position].strip(b" \t"):
            values.append(line[position + len(finder) : end].strip(b" \t").decode("latin-1"))
        position = line.find(finder, end)
    return values
