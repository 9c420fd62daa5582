"""Read the Cookie header and write Set-Cookie: names, prefixes, sizes, attributes (RFC 6265bis)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from fastsession.errors import ConfigurationError, Rejected
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import Scope

Header = tuple[bytes, bytes]
SameSite = Literal["lax", "strict", "none"]

# Browsers store at most 4096 bytes of name and value (RFC 6265bis, section 5.6); nginx passes 3,914
# bytes of Set-Cookie with its default settings.
MAX_COOKIE_SIZE: Final = 3800
MAX_COOKIES: Final = 3
# Servers accept between 8 KB and 8 MB; a longer header is not searched.
MOST_HEADER_BYTES: Final = 64 * 1024
# At most this many cookies of one name are examined (security.md R-22).
MOST_CANDIDATES: Final = 4
# A browser keeps fewer than 200 cookies per site. More are forged, and parsing them costs time.
_MOST_COOKIES = 512
# Occurrences of a name in a header that may be a cookie. In a browser's header each one is.
_MOST_LOOKS = 16
_LONGEST_NAME = 256
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ATTRIBUTE = re.compile(r"[\x20-\x3a\x3c-\x7e]+")
# Browsers ignore a longer attribute (RFC 6265bis, section 5.6).
_LONGEST_ATTRIBUTE = 1024
# Characters that a browser does not encode in a request's path, without segments `.` or `..`, which it resolves (URL
# Standard, "path percent-encode set" and "double-dot URL path segment"; Chromium encodes the bar too).
_PATH = re.compile(r"""(?!.*/(?:\.|%2[eE]){1,2}(?:/|$))[^\x00-\x20"#;<>?\\^`{|}\x7f-\U0010ffff]+""")
# Labels of a host name (RFC 1123, section 2.1). Browsers also accept underscores, and drop a leading dot.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"\.?(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


class CookieWriter:
    """Writes Set-Cookie headers, for setting and for deleting with the same attributes."""

    def __init__(
        self,
        *,
        path: str = "/",
        domain: str | None = None,
        same_site: SameSite = "lax",
        https_only: bool = True,
        partitioned: bool = False,
    ) -> None:
        if same_site not in ("lax", "strict", "none"):
            message = "same_site must be 'lax', 'strict' or 'none'."
            raise ConfigurationError(message)
        if not isinstance(https_only, bool) or not isinstance(partitioned, bool):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a type checker
            message = "https_only and partitioned take True or False: any text is true, 'no' too."
            raise ConfigurationError(message)
        if not https_only and (same_site == "none" or partitioned):
            message = "same_site='none' and partitioned=True need https_only=True: browsers drop such cookies."
            raise ConfigurationError(message)
        check_place(path, domain)
        self.https_only = https_only
        self.path = path
        self._path = f"; path={path}"
        self._attributes = (
            (f"; domain={domain}" if domain else "")
            + f"; HttpOnly; SameSite={same_site.capitalize()}"
            + ("; Secure" if https_only else "")
            + ("; Partitioned" if partitioned else "")
        )

    @property
    def attributes(self) -> str:
        """What stands behind name and value, but for how long the browser keeps the cookie."""
        return f"{self._path}{self._attributes}".removeprefix("; ")

    def set(self, values: Mapping[str, str], *, max_age: int | None) -> list[Header]:
        """Return Set-Cookie headers; `max_age` is in seconds, None means until the browser closes."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        headers: list[Header] = []
        for name, value in values.items():
            headers.append(self._header(name, value, age))
        return headers

    def delete(self, names: Iterable[str]) -> list[Header]:
        """Return Set-Cookie headers that delete these cookies."""
        return [self._header(name, "", "; Max-Age=0") for name in names]

    def _header(self, name: str, value: str, age: str) -> Header:
        """Write every Set-Cookie, so that clearing has the same attributes as setting."""
        return b"set-cookie", f"{name}={value}{self._path}{age}{self._attributes}".encode()


def check_place(path: str, domain: str | None) -> None:
    """Raise `ConfigurationError` for a path or domain with which browsers drop the cookie or never send it back."""
    if not isinstance(path, str) or not path.startswith("/") or not _ATTRIBUTE.fullmatch(path):
        message = "path must begin with a slash and hold neither semicolons nor control characters."
        raise ConfigurationError(message)
    if not _PATH.fullmatch(path) or len(path) > _LONGEST_ATTRIBUTE:
        message = (
            "path must be written as browsers send it, or they never send the cookie back: percent-encoded "
            "('/my%20projects'), without a query, a fragment, '.' or '..', and 1,024 characters at most."
        )
        raise ConfigurationError(message)
    host = domain if isinstance(domain, str) else ""
    if domain is not None and not _DOMAIN.fullmatch(host):
        message = "domain must be a host name, or None for the host that answers."
        if not host.isascii():
            message += " Write letters beyond ASCII as browsers do, in punycode: xn--...."
        elif _ATTRIBUTE.fullmatch(host):
            message += " It has no scheme, port, path, star or space, and no dot at its end: 'example.com'."
        raise ConfigurationError(message)


def cookie_name(session_cookie: str, *, path: str, domain: str | None, https_only: bool) -> str:
    """Return the name with the strongest prefix that the options allow (RFC 6265bis, section 4.1.3)."""
    check_name(session_cookie, path=path, domain=domain, https_only=https_only)
    if not https_only or session_cookie.lower().startswith(("__host-", "__secure-", "__http-")):
        return session_cookie
    return ("__Host-" if path == "/" and domain is None else "__Secure-") + session_cookie


def check_name(name: str, *, path: str, domain: str | None, https_only: bool) -> None:
    """Raise `ConfigurationError` for an invalid name, or a prefix that contradicts the other options."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        message = f"session_cookie must be a cookie name: letters, digits and !#$%&'*+-.^_`|~, {_LONGEST_NAME} at most."
        raise ConfigurationError(message)
    lowered = name.lower()
    if lowered.startswith("__host-") and not (https_only and path == "/" and domain is None):
        message = f"The name {name!r} needs https_only=True, path='/' and no domain: browsers drop it otherwise."
        raise ConfigurationError(message)
    if lowered.startswith(("__secure-", "__http-")) and not https_only:
        message = f"The name {name!r} needs https_only=True: browsers drop it otherwise."
        raise ConfigurationError(message)


def refuse_other_rules(name: str, mine: Mapping[str, object], others: Mapping[str, object]) -> None:
    """Raise `ConfigurationError` if two middlewares write this cookie with different options."""
    differing = [option for option, setting in mine.items() if others[option] != setting]
    if differing:
        message = (
            f"Two session middlewares write the cookie {name!r} and differ in {', '.join(differing)}: give both the "
            "same, and they share one session, or give one of them another session_cookie=."
        )
        raise ConfigurationError(message)


def cookie_header(headers: Iterable[Header]) -> bytes:
    """Return the request's Cookie headers joined into one (RFC 9113, section 8.2.3)."""
    # A comprehension costs an extra call on Python 3.11.
    lines: list[bytes] = []
    for name, line in headers:
        if name == b"cookie":
            lines.append(line)
    return b"; ".join(lines)


def lambda_headers(scope: Scope) -> list[Header]:
    """The headers with every Cookie line on its own again.

    A REST API's event lists them; mangum joins the list with commas, which a cookie's value may hold too,
    so that the joined text cannot be taken apart safely.
    """
    event: dict[str, Any] = scope["aws.event"]
    headers: list[Header] = list(scope["headers"])
    listed: dict[str, list[str]] = event.get("multiValueHeaders") or {}
    lines = [line for name, values in listed.items() if name.lower() == "cookie" for line in values]
    if len(lines) < 2:  # noqa: PLR2004  (one line was joined with nothing)
        return headers
    kept = [header for header in headers if header[0] != b"cookie"]
    return [*kept, *((b"cookie", line.encode("latin-1", "replace")) for line in lines)]


def find_values(header: bytes, find: bytes) -> list[str]:
    """Return the first values of the cookies with this name, in bounded time for any header.

    Trims only space and tab; double quotes are part of a value (RFC 6265bis, section 5.6). Raises
    `Rejected` (oversize) for a header that is too long to search.
    """
    if len(header) > MOST_HEADER_BYTES:
        raise Rejected(SessionStatus.OVERSIZE, "too many bytes of cookies")
    values: list[str] = []
    for match in itertools.islice(_pairs_named(find).finditer(header), _MOST_LOOKS):
        if begins_pair(header, match.start()):
            values.append(match[1].strip(b" \t").decode("latin-1"))
            if len(values) == MOST_CANDIDATES:
                break
    return values


def presented(header: bytes, names: Iterable[str]) -> tuple[str | bytes, ...]:
    """Return the values of these cookies, or the beginning of a header that is too long to search."""
    try:
        return tuple(value for name in names for value in find_values(header, name.encode()))
    except Rejected:
        return (header[:MOST_HEADER_BYTES],)


@lru_cache(maxsize=64)
def _pairs_named(name: bytes) -> re.Pattern[bytes]:
    """Return a pattern for pairs with this name. It starts with the name, so `re` searches for plain bytes."""
    escaped = re.escape(name)
    return re.compile(escaped + rb"(?=[ \t=])(?<![^; \t]" + escaped + rb")[ \t]*+=([^;]*+)")


def begins_pair(header: bytes, start: int) -> bool:
    """Return whether only blanks precede `start` since the last semicolon."""
    return not header[header.rfind(b";", 0, start) + 1 : start].strip(b" \t")


class RequestCookies(dict[str, str]):
    """A request's cookies as names to raw values. For a repeated name the first value counts.

    `repeated` has all values of the repeated names, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.repeated: dict[str, list[str]] = {}


def cookie_pairs(header: bytes) -> RequestCookies:
    """Parse names and raw values of the first cookies."""
    cookies = RequestCookies()
    for pair in header[:MOST_HEADER_BYTES].decode("latin-1").split(";", _MOST_COOKIES)[:_MOST_COOKIES]:
        name, equals, value = pair.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if not equals or not name:
            continue
        if name in cookies:
            cookies.repeated.setdefault(name, [cookies[name]]).append(value)
        else:
            cookies[name] = value
    return cookies
