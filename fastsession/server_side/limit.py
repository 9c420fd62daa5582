"""How many sessions one subject may have at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from fastsession.errors import SessionLimitError
from fastsession.formats.marks import mark_in

if TYPE_CHECKING:
    from fastsession.options import WhenFull
    from fastsession.sealing.token import Token
    from fastsession.server_side.records import Records

# More are ended in pages, together with what signs in during that moment.
_MOST_ONE_BY_ONE = 100
# Takes the id of a session and when it was created.
End = Callable[[bytes, int], Awaitable[None]]


class SessionLimit:
    """At most `most` sessions: a further one ends the oldest, or is refused (OWASP ASVS 7.1.2)."""

    def __init__(self, most: int, when_full: WhenFull) -> None:
        self._most = most
        self._when_full = when_full

    async def make_room(self, records: Records, owners: Sequence[str], *, leaving: Token | None, end: End) -> None:
        """Make room for one more; raises `SessionLimitError` when the rule is to refuse it.

        `leaving` is the session that the new one replaces, which does not count. `end` ends one of the others.
        """
        ids = {(entry.created_at, entry.id) async for entry in records.each_owned(owners)}
        staying = [each for each in sorted(ids) if leaving is None or each[1] != leaving.id]
        surplus = staying[: max(0, len(staying) - self._most + 1)]
        if surplus and self._when_full == "refuse":
            message = f"This subject has {len(staying)} sessions already, and max_sessions is {self._most}."
            raise SessionLimitError(message)
        if len(surplus) > _MOST_ONE_BY_ONE:
            newest = [session_id for _, session_id in staying[len(surplus) :]]
            await records.end_owned(owners, keep=newest if leaving is None else [*newest, leaving.id])
            # Those that were taken over have another system's cookie, too.
            surplus = [(created_at, session_id) for created_at, session_id in surplus if mark_in(session_id)]
        for created_at, session_id in surplus:
            await end(session_id, created_at)
