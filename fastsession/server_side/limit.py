"""How many sessions one subject may have at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from fastsession.errors import SessionLimitError

if TYPE_CHECKING:
    from fastsession.options import WhenFull
    from fastsession.sealing.token import Token
    from fastsession.server_side.records import Records

# Takes the id of a session and when it was created.
End = Callable[[bytes, int], Awaitable[None]]


class SessionLimit:
    """At most `most` sessions: a further one ends the oldest, or is refused (OWASP ASVS 7.1.2)."""

    def __init__(self, most: int, when_full: WhenFull) -> None:
        self._most = most
        self._when_full = when_full

    async def make_room(self, records: Records, owners: Iterable[str], *, leaving: Token | None, end: End) -> None:
        """Make room for one more; raises `SessionLimitError` when the rule is to refuse it.

        `leaving` is the session that the new one replaces, which does not count. `end` ends one of the others.
        """
        held = await records.owned(owners)
        staying = [entry for entry in held if leaving is None or entry.id != leaving.id]
        surplus = staying[: max(0, len(staying) - self._most + 1)]
        if surplus and self._when_full == "refuse":
            message = f"This subject has {len(staying)} sessions already, and max_sessions is {self._most}."
            raise SessionLimitError(message)
        for entry in surplus:
            await end(entry.id, entry.created_at)
