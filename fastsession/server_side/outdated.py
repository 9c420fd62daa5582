"""Requests that a browser sent before it was told, by a response, that its session has another cookie now or has ended.

They come within a moment. For so long it is known which sessions were ended like that, and not from elsewhere: what
such a request merely changes is not saved, because its cookie would replace the one that the browser has by now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastsession.formats.marks import mark_in

if TYPE_CHECKING:
    from fastsession.sealing.token import Token
    from fastsession.server_side.names import Names
    from fastsession.stores.contract import Revocations

# Seconds: the slowest networks, and requests that wait for one another.
A_MOMENT: Final = 60
# What stands in the place of such a session's record.
ENDED_RECORD: Final = b"ended by its own browser"
_AFTER_ALL_CUT_OFFS = 2**40


def session_of(token: Token) -> bytes:
    """What the session is noted by. One that was taken over has a mark, which the cookie from before has as well."""
    return mark_in(token.id) or token.id


async def note_in(revocations: Revocations, names: Names, noted: bytes, now: float) -> None:
    """Deny a name that tells of the session's end, in this moment; raises `StoreUnavailableError`."""
    moment = int(now) // A_MOMENT
    await revocations.deny_session(names.sessions(_note(noted, moment))[0], until=int(now) + 2 * A_MOMENT)


def noted_in(revocations: Revocations, names: Names, noted: bytes, now: float) -> bool:
    """Whether that was noted a moment ago, by any server's clock. Looks into memory only."""
    moment = int(now) // A_MOMENT
    notes = [_note(noted, number) for number in (moment - 1, moment, moment + 1)]
    denied = (name for note in notes for name in names.sessions(note))
    return any(revocations.denied(name, None, _AFTER_ALL_CUT_OFFS) for name in denied)


def _note(noted: bytes, moment: int) -> bytes:
    # With the moment, because revocations may forget a denial late.
    return ENDED_RECORD + moment.to_bytes(5) + noted
