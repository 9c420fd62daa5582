"""The one decision about the response: what it does to the cookie. Pure."""

from __future__ import annotations

from enum import StrEnum

from fastsession.status import ABSENT, VALID, SessionStatus


class Outcome(StrEnum):
    """What the response does to the cookie."""

    KEEP = "keep"
    SAVE = "save"
    RENEW = "renew"
    CLEAR = "clear"


SERVER_ERROR = 500
# Reading an enum's member from its class takes a third of a microsecond on Python 3.11.
KEEP, SAVE, RENEW, CLEAR = Outcome.KEEP, Outcome.SAVE, Outcome.RENEW, Outcome.CLEAR


def decide(
    status: SessionStatus, *, destroyed: bool, changed: bool, outdated: bool, due: bool, status_code: int
) -> Outcome:
    """The decision table of docs/lifecycle.md, row by row.

    `changed` includes regenerated and remembered; `outdated` is a change to a session whose browser got
    another cookie a moment ago; `due` is an idle deadline to move, a fallback key or a migrated format.
    A rejection alone never clears the cookie: this response may reach the browser after the response to a
    login, and Set-Cookie deletes by name.
    """
    if destroyed:
        return KEEP if status is ABSENT else CLEAR
    if changed:
        return SAVE if status_code < SERVER_ERROR and not outdated else KEEP
    return RENEW if due and status is VALID else KEEP
