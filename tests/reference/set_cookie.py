"""A parser of Set-Cookie lines written from the text of RFC 6265bis, section 5.6. Correct, not fast."""

import re
from typing import NamedTuple

from tests.reference.cookie_date import seconds_of
from tests.reference.cookie_header import BLANKS

MOST_NAME_AND_VALUE, MOST_ATTRIBUTE_VALUE = 4096, 1024
# Section 5.5: no cookie is kept longer than 400 days.
MOST_SECONDS = 400 * 24 * 60 * 60
EARLIEST = float("-inf")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_AGE = re.compile(rb"-?[0-9]+")


class SetCookie(NamedTuple):
    """A received cookie; of `attributes`, whose names are in lower case, the last of a name counts."""

    name: bytes
    value: bytes
    attributes: dict[str, object]


def parse(line, *, now):
    """The cookie in a set-cookie-string, None where the user agent ignores it."""
    if _CONTROLS.search(line):
        return None
    pair, _, unparsed = line.partition(b";")
    name, equals, value = pair.partition(b"=")
    if not equals:
        name, value = b"", pair
    name, value = name.strip(BLANKS), value.strip(BLANKS)
    if len(name) + len(value) > MOST_NAME_AND_VALUE:
        return None
    attributes = {}
    for text in unparsed.split(b";"):
        attribute, _, argument = text.partition(b"=")
        attribute, argument = attribute.strip(BLANKS).lower().decode("latin-1"), argument.strip(BLANKS)
        if len(argument) <= MOST_ATTRIBUTE_VALUE and attribute in _READ:
            read = _READ[attribute](argument, now)
            if read is not None:
                attributes[attribute] = read
    return SetCookie(name, value, attributes)


def _expires(argument, now):
    """Section 5.6.1."""
    moment = seconds_of(argument)
    return None if moment is None else min(moment, now + MOST_SECONDS)


def _max_age(argument, now):
    """Section 5.6.2."""
    if not _MAX_AGE.fullmatch(argument):
        return None
    seconds = min(int(argument), MOST_SECONDS)
    return EARLIEST if seconds <= 0 else now + seconds


def _domain(argument, now):
    """Section 5.6.3."""
    return argument.removeprefix(b".").lower()


def _path(argument, now):
    """Section 5.6.4; an empty one stands for the default path, which is the request's."""
    return argument if argument.startswith(b"/") else b""


def _flag(argument, now):
    """Sections 5.6.5 and 5.6.6, and CHIPS for Partitioned: being there is all."""
    return True


def _same_site(argument, now):
    """Section 5.6.7."""
    known = {b"none": "None", b"strict": "Strict", b"lax": "Lax"}
    return known.get(argument.lower(), "Default")


_READ = {
    "expires": _expires,
    "max-age": _max_age,
    "domain": _domain,
    "path": _path,
    "secure": _flag,
    "httponly": _flag,
    "partitioned": _flag,
    "samesite": _same_site,
}
