"""h3's sessions, versions 2 and 1: an envelope in a Fe26.2 seal, in one cookie or in counted chunks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from fastsession.building.given import checked_seconds
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.errors import ConfigurationError, Rejected
from fastsession.formats.capacity import check_capacity
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, checked_value, cookie_value, percent_decoded
from fastsession.formats.foreign_secrets import warn_of_weak
from fastsession.formats.iron_passwords import IronPassword, password_list
from fastsession.formats.iron_seal import IronOptions, IronSealer, check_expiration
from fastsession.formats.json_data import dump_object, is_object, load_object
from fastsession.formats.slow_seals import SlowSeals
from fastsession.formats.validity import MAX_DIGITS, expired, milliseconds
from fastsession.status import SessionStatus

# PBKDF2's iterations, which no seal tells of itself.
_ITERATIONS: Final = {1: 1, 2: 8192}
# More than these are worth a memory of keys.
_FEW_ITERATIONS: Final = 100
_TIMESTAMP_SKEW: Final = 60
# What stands in the cookie of the name when the seal is in NAME.1, NAME.2 and so on.
_COUNT = re.compile(r"__chunked__([1-9][0-9]?)")
# As many cookies as fit into the 64 KB of headers that we look at.
_MOST_CHUNKS: Final = 16


class H3Session:
    """Reads and writes the sessions of h3's `useSession`.

    `password` takes what h3 takes: a string, `{"id": ..., "secret": ...}`, or a mapping of ids to them, of
    which "default" seals. `max_age` and `idle_timeout` are h3's options, in seconds, 0 for none: a session
    ends `max_age` after its creation, and `idle_timeout` after it was last written. `h3` is the version at
    the other side: seals of version 1 are read by both, those of version 2 by 2 only. `legacy_seals=False`
    refuses version 1's. `encryption` and `integrity` are h3's `seal` options, as `Iron` takes them.
    """

    # The cookie tells when the session began, whoever wrote it last.
    tells_beginning = True

    def __init__(
        self,
        *,
        password: IronPassword,
        cookie_name: str = "h3",
        max_age: float = 0,
        idle_timeout: float = 0,
        h3: int = 2,
        legacy_seals: bool = True,
        encryption: IronOptions | str = "aes-256-cbc",
        integrity: IronOptions | str = "sha256",
    ) -> None:
        if h3 not in _ITERATIONS:
            message = "h3 is the major version of h3 at the other side: 2, or 1 as in Nuxt 4 and Nitro 2."
            raise ConfigurationError(message)
        self.cookie_name = checked_name(cookie_name)
        self._max_age = checked_seconds("max_age", max_age, least=0)
        self._idle_timeout = checked_seconds("idle_timeout", idle_timeout, least=0)
        self._spreads = h3 > 1
        self._chunk_names = tuple(f"{cookie_name}.{number}" for number in range(1, _MOST_CHUNKS + 1))
        passwords = password_list(password)
        encryption, integrity = (_with_iterations(each, _ITERATIONS[h3]) for each in (encryption, integrity))
        slow = integrity.get("iterations", 1) > _FEW_ITERATIONS
        self._slow = SlowSeals(passwords, encryption=encryption, integrity=integrity) if slow else None
        # Next to nothing to try, so they are tried first.
        self._quick = [] if slow else [IronSealer(passwords, encryption=encryption, integrity=integrity)]
        self._sealer = self._slow or self._quick[0]
        if h3 > 1 and legacy_seals:
            encryption, integrity = {**encryption, "iterations": 1}, {**integrity, "iterations": 1}
            self._quick.append(IronSealer(passwords, encryption=encryption, integrity=integrity))
        self.secrets = passwords.secrets()
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """The data in the envelope, with its `id` and `createdAt`."""
        plaintext, sealed_until = self._open(percent_decoded(self._text(cookies)), now)
        check_expiration(sealed_until, now, skew=_TIMESTAMP_SKEW)
        envelope = load_object(plaintext)
        data, session_id = envelope.get("data", {}), envelope.get("id")
        if not is_object(data):
            raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but not a session of h3's")
        created_at, seen_at = _time(envelope.get("createdAt")), _time(envelope.get("lastSeenAt"))
        ends = [_end(created_at, self._max_age), _end(seen_at or created_at, self._idle_timeout), sealed_until]
        for end, status in zip(ends[:2], (SessionStatus.EXPIRED_ABSOLUTE, SessionStatus.EXPIRED_IDLE), strict=True):
            if end is not None and milliseconds(end) < milliseconds(now):
                raise Rejected(status, "past its own end")
        if not isinstance(session_id, str) or not session_id:
            # h3 goes on with the data under a new id, and counts it as begun now.
            session_id, created_at = None, now
        return ForeignSession(
            data,
            created_at,
            min((end for end in ends if end is not None), default=None),
            session_id,
            renewed_at=self._renewed_at(sealed_until, now) or seen_at,
        )

    def write(self, session: ForeignSession, *, now: float) -> dict[str, str]:
        """One cookie or, for h3 2, chunks. The session goes on from its `created_at`; without one it begins now."""
        created_at = now if session.created_at is None else session.created_at
        envelope: dict[str, Any] = {"id": session.id or str(uuid4()), "createdAt": milliseconds(created_at)}
        if self._idle_timeout:
            envelope["lastSeenAt"] = milliseconds(now)
        seconds = self._max_age or self._idle_timeout
        expires_at = now + seconds if seconds else session.expires_at
        value = self._sealer.seal(dump_object({**envelope, "data": session.data}), expires_at=expires_at)
        single = MAX_COOKIE_SIZE - len(self.cookie_name)
        if not self._spreads:
            check_capacity(session.data, size=len(value), limit=single)
        if len(value) <= single:
            return {self.cookie_name: value}
        size = MAX_COOKIE_SIZE - len(self._chunk_names[-1])
        check_capacity(session.data, size=len(value), limit=size * _MOST_CHUNKS)
        chunks = [value[start : start + size] for start in range(0, len(value), size)]
        return {self.cookie_name: f"__chunked__{len(chunks)}", **dict(zip(self._chunk_names, chunks, strict=False))}

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """The cookie and its chunks, as far as the request brought them."""
        return [name for name in (self.cookie_name, *self._chunk_names) if name in cookies]

    def _text(self, cookies: Mapping[str, str]) -> str:
        """The seal; raises `Rejected` (absent, incomplete, oversize, malformed)."""
        value = cookie_value(cookies, self.cookie_name)
        count = _COUNT.fullmatch(value) if self._spreads else None
        if count is None:
            return value
        if int(count[1]) > _MOST_CHUNKS:
            raise Rejected(SessionStatus.OVERSIZE, f"{count[1]} chunks")
        chunks = [cookies.get(name, "") for name in self._chunk_names[: int(count[1])]]
        if not all(chunks):
            raise Rejected(SessionStatus.INCOMPLETE, "a chunk is missing")
        return "".join(map(checked_value, chunks))

    def _open(self, seal: str, now: float) -> tuple[bytes, float | None]:
        """Plaintext and expiration of a seal of either version; raises `Rejected`."""
        for sealer in self._quick:
            try:
                return sealer.open(seal)
            except Rejected as rejected:
                if rejected.status is not SessionStatus.FORGED:
                    raise
        if self._slow is None:
            raise Rejected(SessionStatus.FORGED, "the MAC does not match")
        return self._slow.open(seal, now)

    def _renewed_at(self, sealed_until: float | None, now: float) -> float | None:
        """When the seal was made, where it tells: h3 seals for as long as the options say."""
        seconds = self._max_age or self._idle_timeout
        return min(sealed_until - seconds, now) if sealed_until is not None and seconds else None


def _with_iterations(options: IronOptions | str, iterations: int) -> IronOptions:
    """The options as a mapping, with these iterations unless it names others."""
    given = IronOptions(algorithm=options) if isinstance(options, str) else options
    return {"iterations": iterations, **given}


def _end(start: float | None, seconds: float) -> float | None:
    """The last moment of a limit of so many seconds, None without one; raises `Rejected` without a beginning."""
    if not seconds:
        return None
    if not start:
        raise expired("it does not tell when it began")
    return start + seconds


def _time(value: object) -> float | None:
    """Unix seconds of JavaScript's milliseconds, None for none; raises `Rejected` (incompatible)."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**MAX_DIGITS:
        raise Rejected(SessionStatus.INCOMPATIBLE, "authentic, but a time in it is none")
    return value / 1000
