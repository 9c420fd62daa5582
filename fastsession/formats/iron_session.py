"""iron-session, versions 9 and 8: the sealed cookies of Next.js and other Node servers."""

from __future__ import annotations

from collections.abc import Mapping

from fastsession.building.given import checked_seconds
from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.errors import Rejected
from fastsession.formats.capacity import check_capacity
from fastsession.formats.contract import ForeignSession
from fastsession.formats.cookie_values import checked_name, checked_value, percent_decoded
from fastsession.formats.foreign_secrets import warn_of_weak
from fastsession.formats.iron_passwords import NumberedPasswords, numbered_password_list
from fastsession.formats.iron_seal import IronSealer, check_expiration, creation
from fastsession.formats.json_data import dump_object, load_object
from fastsession.status import SessionStatus

# iron-session ignores everything from the first one on, which no MAC covers.
_SUFFIX_MARK = "~"
_SUFFIX = "~2"
_MOST_CHUNKS = 4
# iron-webcrypto's default, which iron-session cannot change.
_TIMESTAMP_SKEW = 60


class IronSession:
    """Reads and writes iron-session's cookies: sealed JSON with an expiration.

    `password` is a string, or a mapping of whole numbers to strings, of which the highest seals. `ttl` is in
    seconds and has to match the Node server's: the cookie contains its end, and began `ttl` before that. With
    `ttl=0` seals never expire and contain no time. `chunk` splits large sessions over up to four cookies;
    chunks are always read.
    """

    def __init__(
        self,
        *,
        password: NumberedPasswords,
        cookie_name: str,
        ttl: float = 1209600,
        chunk: bool = False,
    ) -> None:
        self.cookie_name = checked_name(cookie_name)
        self._sealer = IronSealer(numbered_password_list(password), encryption="aes-256-cbc", integrity="sha256")
        self._ttl = checked_seconds("ttl", ttl, least=0)
        self.timed = self._ttl > 0
        self._chunk = chunk
        self._chunk_names = tuple(f"{cookie_name}.{number}" for number in range(_MOST_CHUNKS))
        self.secrets = self._sealer.passwords.secrets()
        warn_of_weak(self, self.secrets)

    def read(self, cookies: Mapping[str, str], *, now: float) -> ForeignSession:
        """Return the session from the one cookie, or else from chunks."""
        seal = percent_decoded(self._text(cookies)).partition(_SUFFIX_MARK)[0]
        plaintext, expires_at = self._sealer.open(seal)
        check_expiration(expires_at, now, skew=_TIMESTAMP_SKEW)
        created_at = creation(expires_at, self._ttl, now)
        # iron-session reads null as an empty session.
        data = {} if plaintext == b"null" else load_object(plaintext)
        return ForeignSession(data, created_at, expires_at)

    def write(self, session: ForeignSession, *, now: float) -> dict[str, str]:
        """Return one cookie, or chunks, sealed until `expires_at`; the default is `ttl` from now."""
        expires_at = session.expires_at
        if expires_at is None and self._ttl:
            expires_at = now + self._ttl
        value = self._sealer.seal(dump_object(session.data), expires_at=expires_at) + _SUFFIX
        single = MAX_COOKIE_SIZE - len(self.cookie_name)
        if not self._chunk:
            check_capacity(session.data, size=len(value), limit=single)
        if len(value) <= single:
            return {self.cookie_name: value}
        size = MAX_COOKIE_SIZE - len(self._chunk_names[0])
        check_capacity(session.data, size=len(value), limit=size * _MOST_CHUNKS)
        pieces = [value[start : start + size] for start in range(0, len(value), size)]
        return dict(zip(self._chunk_names, pieces, strict=False))

    def names(self, cookies: Mapping[str, str]) -> list[str]:
        """Return those names of the cookie and its chunks that are in the request."""
        return [name for name in (self.cookie_name, *self._chunk_names) if name in cookies]

    def _text(self, cookies: Mapping[str, str]) -> str:
        whole = cookies.get(self.cookie_name)
        if whole:
            return checked_value(whole)
        pieces: list[str] = []
        for name in self._chunk_names:
            piece = cookies.get(name)
            if not piece:
                break
            pieces.append(checked_value(piece))
        if not pieces:
            missing = any(cookies.get(name) for name in self._chunk_names)
            raise Rejected(SessionStatus.INCOMPLETE if missing else SessionStatus.ABSENT)
        return "".join(pieces)
