"""A small cookie jar: names, values, ages, and attributes that have to be the same to replace or to delete."""

from typing import NamedTuple


class SetCookie(NamedTuple):
    """A Set-Cookie line taken apart."""

    name: str
    value: str
    max_age: int | None
    attributes: frozenset[str]


def parsed(line):
    pair, *rest = line.split("; ")
    name, _, value = pair.partition("=")
    ages = [int(attribute.partition("=")[2]) for attribute in rest if attribute.startswith("Max-Age=")]
    attributes = frozenset(attribute for attribute in rest if not attribute.startswith("Max-Age="))
    return SetCookie(name, value, ages[0] if ages else None, attributes)


class Jar:
    """What a browser holds for one site.

    Stricter than a browser, which only asks for the same path and domain: any other difference between
    setting and deleting is a mistake waiting for one that does.
    """

    def __init__(self):
        self._cookies = {}

    def keep(self, set_cookies, now):
        for cookie in set_cookies:
            place = cookie.name, cookie.attributes
            if cookie.max_age is not None and cookie.max_age <= 0:
                self._cookies.pop(place, None)
            else:
                expires_at = None if cookie.max_age is None else now + cookie.max_age
                self._cookies[place] = cookie.value, expires_at

    def close(self):
        """Forget what lasts as long as the browser runs."""
        self._cookies = {place: held for place, held in self._cookies.items() if held[1] is not None}

    def pairs(self, now):
        """Names and values that a request sends; a name may stand there twice."""
        live = {place: held for place, held in self._cookies.items() if held[1] is None or held[1] > now}
        self._cookies = live
        return [(name, value) for (name, _), (value, _) in live.items()]
