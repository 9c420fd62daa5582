"""Session data on the server: sealed under a key of its own, kept under a name that tells nothing."""

from __future__ import annotations

import hmac
import struct
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag

from fastsession.errors import Rejected, SessionTooLargeError
from fastsession.keyring import KEY_ID_SIZE, KeyRing
from fastsession.payload.lines import field_sizes
from fastsession.sealing.token import Token
from fastsession.sealing.xaes import NONCE_SIZE, TAG_SIZE
from fastsession.server_side.outdated import A_MOMENT, ENDED_RECORD
from fastsession.status import SessionStatus
from fastsession.stores.contract import Page, Record, SessionStore

_LABEL = b"fastsession/v1/store"
_NOTE_LABEL = b"fastsession/v1/note"
# Enough for any session, and little enough that a mistake is noticed.
MAX_RECORD_SIZE = 4 * 1024 * 1024
# Before the payload: id, created_at, renewed_at.
_FIXED = struct.Struct(">16sQQ")
# What a note is: Unix seconds.
_MOMENT = struct.Struct(">Q")
_LEAST_NOTE_SIZE = KEY_ID_SIZE + NONCE_SIZE + _MOMENT.size + TAG_SIZE
# How often a write is tried against those of other processes that are faster.
MOST_TRIES: Final = 50
_LEAST_SIZE = KEY_ID_SIZE + NONCE_SIZE + _FIXED.size + TAG_SIZE


def record_name(session_id: bytes) -> str:
    """The name of a session's record: an HMAC of the id, 32 hex digits.

    It must outlive the rotation of secrets, so its key is none of theirs; the id is 128 random bits, so
    that the name tells nothing of it.
    """
    return hmac.digest(_LABEL, session_id, "sha256")[:16].hex()


def _note_name(noted: bytes) -> str:
    return record_name(ENDED_RECORD + noted)


@dataclass(frozen=True, slots=True)
class Entry:
    """A session as its record tells of it. Times are Unix seconds."""

    id: bytes
    created_at: int
    renewed_at: int
    payload: bytes
    version: int
    stale: bool


class Records:
    """Seals sessions into a store's records and opens them, each bound to its name in the store."""

    def __init__(self, store: SessionStore, keys: KeyRing) -> None:
        self.store = store
        self._keys = keys

    async def read(self, session_id: bytes) -> Entry:
        """The session's record; raises `Rejected` (revoked, unknown_key, forged) and `StoreUnavailableError`."""
        name = record_name(session_id)
        record = await self.store.read(name)
        if record is None:
            outdated = await self.is_noted(session_id)
            raise Rejected(SessionStatus.REVOKED, "the store does not have it", outdated=outdated)
        return self._opened(name, record)

    async def owned(self, owners: Iterable[str]) -> list[Entry]:
        """The live sessions of a subject, under any of its names, the oldest first."""
        entries = {entry.id: entry async for entry in self.each_owned(owners)}
        return sorted(entries.values(), key=lambda entry: entry.created_at)

    async def each_owned(self, owners: Iterable[str]) -> AsyncGenerator[Entry]:
        """Each of them, read in pages; records that do not open are left out, and one may come twice."""
        for owner in owners:
            page = Page({}, "")
            while page.after is not None:
                page = await self.store.owned(owner, after=page.after or None)
                for name, record in page.records.items():
                    try:
                        yield self._opened(name, record)
                    except Rejected:
                        continue

    async def end_owned(self, owners: Iterable[str], *, keep: Iterable[bytes] = ()) -> None:
        """End them all, but for those with the ids in `keep`, whether or not they open."""
        kept = [record_name(session_id) for session_id in keep]
        for owner in owners:
            await self.store.end_owned(owner, keep=kept)

    async def create(self, token: Token, *, expires_at: int, owner: str | None, now: float) -> None:
        """Keep a new session's data; raises `StoreUnavailableError`."""
        name = record_name(token.id)
        await self.store.create(name, self._sealed(name, token, now), expires_at=expires_at, owner=owner)

    async def replace(self, token: Token, *, version: int, expires_at: int, owner: str | None, now: float) -> bool:
        """Put the data in place of the version that was read; False when that is no longer there."""
        name = record_name(token.id)
        data = self._sealed(name, token, now)
        return await self.store.replace(name, data, version=version, expires_at=expires_at, owner=owner)

    async def retire(self, session_id: bytes, *, version: int, now: float) -> None:
        """End the record, whoever has written to it since that version, or ended it.

        That its own browser is told so stays known for a moment.
        """
        name, until = record_name(session_id), int(now) + A_MOMENT
        for _ in range(MOST_TRIES):
            if await self.store.replace(name, ENDED_RECORD, version=version, expires_at=until, owner=None):
                return
            record = await self.store.read(name)
            if record is None:
                break
            version = record.version
        else:
            await self.store.delete(name)
        # Not in the record's place: it would begin at version 1 again, which somebody may be about to replace.
        await self.note_ended(session_id, now=now)

    async def note_ended(self, noted: bytes, *, now: float) -> None:
        """Know for a moment of what `outdated` notes, where it has no record; raises `StoreUnavailableError`."""
        await self.store.create(_note_name(noted), ENDED_RECORD, expires_at=int(now) + A_MOMENT, owner=None)

    async def is_noted(self, noted: bytes) -> bool:
        """Whether that was noted a moment ago; raises `StoreUnavailableError`."""
        return await self.store.read(_note_name(noted)) is not None

    async def supersede(
        self, old: bytes, token: Token, *, version: int, expires_at: int, owner: str | None, now: float
    ) -> bool:
        """Let a new session take the place of the version that was read; False when that is no longer there.

        That its own browser is told so stays known for a moment.
        """
        name, until = record_name(token.id), int(now) + A_MOMENT
        data = self._sealed(name, token, now)
        return await self.store.supersede(
            record_name(old),
            name,
            data,
            version=version,
            expires_at=expires_at,
            owner=owner,
            note=ENDED_RECORD,
            note_until=until,
        )

    async def touch(self, session_id: bytes, *, expires_at: int) -> bool:
        """Move the expiry alone; False when the record is no longer there."""
        return await self.store.touch(record_name(session_id), expires_at=expires_at)

    async def delete(self, session_id: bytes) -> None:
        """End the record."""
        await self.store.delete(record_name(session_id))

    async def note(self, name: str, moment: int, *, expires_at: int, now: float) -> None:
        """Keep a moment under a name of its own, in place of an earlier one; raises `StoreUnavailableError`."""
        key = self._keys.primary
        data = key.id + key.record_cipher.seal(_MOMENT.pack(moment), _NOTE_LABEL + name.encode(), now=now)
        await self.store.create(name, data, expires_at=expires_at, owner=None)

    async def noted(self, name: str) -> int | None:
        """The moment kept under this name, None without one; raises `Rejected` (forged) for data that is not ours."""
        record = await self.store.read(name)
        if record is None:
            return None
        key = self._keys.by_id.get(record.data[:KEY_ID_SIZE])
        if key is None or len(record.data) < _LEAST_NOTE_SIZE:
            raise Rejected(SessionStatus.FORGED, "a note of the store's is not ours")
        try:
            plaintext = key.record_cipher.open(record.data[KEY_ID_SIZE:], _NOTE_LABEL + name.encode())
        except InvalidTag:
            raise Rejected(SessionStatus.FORGED, "a note of the store's is not ours") from None
        moment: int = _MOMENT.unpack(plaintext)[0]
        return moment

    def _sealed(self, name: str, token: Token, now: float) -> bytes:
        if len(token.payload) > MAX_RECORD_SIZE:
            largest = field_sizes(token.payload)[:3]
            raise SessionTooLargeError(size=len(token.payload), limit=MAX_RECORD_SIZE, fields=largest, stored=True)
        key = self._keys.primary
        plaintext = _FIXED.pack(token.id, token.created_at, token.renewed_at) + token.payload
        return key.id + key.record_cipher.seal(plaintext, _LABEL + name.encode(), now=now)

    def _opened(self, name: str, record: Record) -> Entry:
        if record.data == ENDED_RECORD:
            raise Rejected(SessionStatus.REVOKED, "the store does not have it", outdated=True)
        if len(record.data) < _LEAST_SIZE:
            raise Rejected(SessionStatus.FORGED, "its record has been cut off")
        key = self._keys.by_id.get(record.data[:KEY_ID_SIZE])
        if key is None:
            raise Rejected(SessionStatus.UNKNOWN_KEY, "its record is sealed under a secret that is not configured")
        try:
            plaintext = key.record_cipher.open(record.data[KEY_ID_SIZE:], _LABEL + name.encode())
        except InvalidTag:
            raise Rejected(SessionStatus.FORGED, "its record is another session's") from None
        session_id, created_at, renewed_at = _FIXED.unpack_from(plaintext)
        stale = key is not self._keys.primary
        return Entry(session_id, created_at, renewed_at, plaintext[_FIXED.size :], record.version, stale)
