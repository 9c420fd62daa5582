"""Guess which program wrote a foreign cookie under our name. For operators only."""

from __future__ import annotations

import re

# A token begins with the version in base64url, a chunk with its mark.
_OURS = re.compile(r"A[Q-Za-f]|[23]\.")
_LOOKS = (
    (re.compile(r"Fe26\.2\*"), "by its look a seal of iron-session or @hapi/iron"),
    # Flask and Starlette sign with itsdangerous: data, time in a few characters, signature.
    (re.compile(r"\"?\.?[\w+/=-]+\.[\w-]{6}\.[\w-]{27,}\"?$"), "by its look Starlette's or Flask's signed session"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*$"), "by its look a JSON Web Token"),
    (re.compile(r"eyJ[\w-]+\.[\w-]*\.[\w-]*\.[\w-]+\.[\w-]+$"), "by its look an encrypted JSON Web Token"),
    (re.compile(r"[\w.+/=-]+:[\w-]{5,7}:[\w-]{27,}$"), "by its look Django's signed session"),
    (re.compile(r"s(:|%3[Aa])"), "by its look express-session's signed id"),
    (re.compile(r"(j(:|%3[Aa]))?[\"'\\]*([{\[]|%7[Bb]|%5[Bb]|eyJ|W3si|e30)"), "by its look JSON"),
    (re.compile(r"gAAAAA"), "by its look a Fernet token"),
    (re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"), "by its look a UUID"),
)


def other_writer(value: str) -> str | None:
    """Return a guess at the program that writes such values, or None if the value begins like ours."""
    if _OURS.match(value):
        return None
    return next((words for look, words in _LOOKS if look.match(value)), "by its look none that is known here")
