"""What a store and revocations are to the rest of the library: implement these to bring your own.

What is common to both:

- Keys, session names and owners come from the library as hex digits, HMACs that tell nothing. Data is
  sealed. A backend sees no plaintext, so it needs no secrets and no encryption of its own.
- *Not found* is an answer, given by None, False or an empty dict. `StoreUnavailableError` is for a system
  that did not answer, or that answered with a fault of its own: unreachable, too slow, full, read-only. Its
  message says why, for operators. Nothing else is raised, but `ConfigurationError` by `start()` for what no
  waiting mends, such as a refused password.
- An operation answers within the time it was given, fault or not: a request waits for it. 0.25 seconds are
  right for a server, 2 for a disk. Time in which the event loop is held does not count; `deadline.within`
  does all of that.
- An operation that returned has happened and stays so, as far as the system behind it keeps what it
  confirmed. Where a system can be asked to keep something more safely, ask it for what begins or ends a
  session: `create`, `supersede`, `delete`, `end_owned`, a `replace` with another owner, and every denial.
- An operation that raised, or whose caller was cancelled, may have happened or not, and no more than that: it
  never answers another caller, and never leaves half of itself behind that counts.
- `start()` and `stop()` may be called in any order and any number of times, in every process and again
  after `stop()`. Other methods may be called before `start()`. One event loop at a time.
- Times are Unix seconds.

`fastsession.testing.stores` has the suites that every implementation here passes; run yours through them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Record:
    """What a store keeps of a session. `version` is 1 when it is created and grows by 1 with each `replace`."""

    data: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some of an owner's records, by key. `after` asks for the next page; None means that there is none."""

    records: dict[str, Record]
    after: str | None = None


class SessionStore(Protocol):
    """A server-side home of session data.

    A record past its `expires_at` does not exist, for any method, whether or not its bytes are still
    somewhere. A record that was deleted or has expired never comes back: only `create` and `supersede` make
    records.

    Each record may have an owner, so that all sessions of a subject can be found. The index behind that
    may lag in one direction only: a live record is never missing from it.
    """

    async def start(self) -> None:
        """Make ready. A store that cannot be reached now may raise, or be reached by later calls."""
        ...

    async def stop(self) -> None:
        """Give back connections, threads and files."""
        ...

    async def read(self, key: str) -> Record | None:
        """The record, as the last completed write left it: never an older one."""
        ...

    async def create(self, key: str, data: bytes, *, expires_at: int, owner: str | None) -> None:
        """Keep a new record, with version 1. Where the key was used before, the new one takes its place."""
        ...

    async def replace(self, key: str, data: bytes, *, version: int, expires_at: int, owner: str | None) -> bool:
        """Put data, expiry and owner in place of those of the record with this version, in one atomic step.

        True with the version raised by 1. False when the record is gone or has another version; then
        nothing has changed. Of several with one version, exactly one is True.
        """
        ...

    async def touch(self, key: str, *, expires_at: int) -> bool:
        """Move the expiry alone: data and version stay. False when there is no such record."""
        ...

    async def delete(self, key: str) -> bool:
        """End the record. Whether there was one. A `replace` or `touch` under way must not bring it back."""
        ...

    async def supersede(
        self,
        old: str,
        key: str,
        data: bytes,
        *,
        version: int,
        expires_at: int,
        owner: str | None,
        note: bytes,
        note_until: int,
    ) -> bool:
        """Let a new record take the place of the record `old`, if that has this version: in one step, or not at all.

        Under the old key a `note` remains until `note_until`: a record without an owner, with its version raised
        by 1. False when the old one is gone or has another version; then there is no new one.
        """
        ...

    async def owned(self, owner: str, *, after: str | None = None) -> Page:
        """A page of the live records whose owner this is now, from the first one, or after an earlier page.

        A page is as large as one answer may be; it can be empty and still not be the last one. A record that
        lives while all pages are read is in at least one of them. Clears the index of records that are gone.
        """
        ...

    async def end_owned(self, owner: str, *, keep: Collection[str] = ()) -> None:
        """End every record that the owner had when this was called, but for those with the keys in `keep`.

        However many there are: their data is not read, and each step answers in time, not all of them together.
        One that raised has ended some, and may be called again.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """What revocations may be, besides: some that find out by themselves what operators have to hear of."""

    def tell_to(self, listener: Callable[[str], None]) -> None:
        """Call the listener with a sentence, such as that the system behind has lost denials."""
        ...


class Revocations(Protocol):
    """Who may no longer come in with a token that is authentic and not expired.

    A session is denied when it was denied by name, or when it was created before its owner's cut-off,
    or before the cut-off for all. Denials only grow, until they are of no more use: from `until` on no
    token of that session can be valid any more, so the denial has to disappear from memory and storage
    before long, and nobody asks whether it still holds.

    A denial that returned is in force in this process at once and in every other within 100 ms (99th
    percentile, one machine). A process that was out of touch learns what it missed before it is up to
    date again, and keeps what it knew even if the system behind has lost it.
    """

    async def start(self) -> None:
        """Learn what is denied and begin to follow changes.

        Returns when that is known, or when the first attempt has failed: then `denied` raises until a
        later one has succeeded.
        """
        ...

    async def stop(self) -> None:
        """Stop following, and give back connections, threads and files. What was known is kept."""
        ...

    async def catch_up(self) -> None:
        """Look once when what is known is too old, as after the process was frozen, before anyone is refused for it.

        Returns at once when it is not. One look serves all that wait for it; it takes no longer than an answer.
        Raises nothing: `denied` says what came of it.
        """
        ...

    def denied(self, session: str, owner: str | None, created_at: int) -> bool:
        """Whether this session is denied, from memory alone: called with every request, it does no I/O.

        `session` is at least 16 hex digits, of which 16 may be all that is kept: among 1,000,000 denials
        another session is taken for a denied one with a probability of 2^-44.

        Raises `StoreUnavailableError` when what is known was last confirmed longer ago than the
        implementation's `max_staleness`, or never.
        """
        ...

    async def deny_session(self, session: str, *, until: int) -> None:
        """Deny one session. `until` is its absolute expiry."""
        ...

    async def deny_owner(self, owner: str, *, before: int, until: int) -> None:
        """Deny the owner's sessions that were created before `before`; the latest cut-off holds.

        `until` is when the last of them would have expired.
        """
        ...

    async def deny_all(self, *, before: int) -> None:
        """Deny every session that was created before `before`; the latest cut-off holds."""
        ...
