"""The two cookies beside a bound session's own, and the challenges: v1 tokens, told apart by the authenticated name.

Pure: time is a parameter. docs/token-format.md has the bytes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from fastsession.cookies import find_values
from fastsession.errors import Rejected
from fastsession.lifetime import CLOCK_SKEW
from fastsession.sealing.recent import Recent
from fastsession.sealing.token import Token, TokenSealer
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from fastsession.keyring import KeyRing

# How long a challenge for a new key holds, in seconds.
CHALLENGE_LIFETIME: Final = 300
_PREFIX = re.compile(r"__(?:host-http|host|secure|http)-", re.IGNORECASE)
# Cookie headers whose device is known, and the longest of them; hashes of those that were seen once.
_REMEMBERED, _LONGEST_REMEMBERED, _NOTED = 512, 8192, 1024


class Device(NamedTuple):
    """What a request's cookies say of the device that its session is bound to.

    `key` is the compressed public key (33 bytes), empty while it is only offered, `since` the second at which
    it was offered or registered, `proven_at` when its owner last proved to have it, 0 for never. A `stale`
    device cookie came under a fallback key.
    """

    pair: bytes
    key: bytes
    since: int
    proven_at: int
    stale: bool

    def proven_until(self, now: float, lifetime: int) -> int:
        """Until when its key is proven, in Unix seconds; 0 without a key or a live proof."""
        until = self.proven_at + lifetime
        return until if self.key and self.proven_at - CLOCK_SKEW <= now < until else 0

    def __repr__(self) -> str:
        """Without what it carries: it ends up in error reports."""
        return "Device(...)"


class DeviceCookies:
    """Opens and seals what belongs to the sessions of one cookie."""

    def __init__(self, keys: KeyRing, *, cookie_name: str, audience: str, proof_lifetime: int) -> None:
        match = _PREFIX.match(cookie_name)
        prefix = match[0] if match else ""
        rest = cookie_name.removeprefix(prefix)
        # They do not begin with the session's name, which is searched for by its beginning.
        self.device_name = f"{prefix}device-{rest}"
        self.bound_name = f"{prefix}bound-{rest}"

        def sealer(name: str) -> TokenSealer:
            return TokenSealer(keys, cookie_name=name, audience=audience)

        self._device, self._bound = sealer(self.device_name), sealer(self.bound_name)
        # No cookie can have a name with a space.
        self._challenges = {name: sealer(f"{cookie_name} {name}") for name in ("register", "refresh")}
        self._hold = {"register": CHALLENGE_LIFETIME, "refresh": proof_lifetime + CHALLENGE_LIFETIME}
        # As for session cookies: of the first time only a hash is noted.
        self._known: Recent[bytes, Device] = Recent(_REMEMBERED)
        self._noted: set[int] = set()

    def find(self, header: bytes, pair: bytes) -> Device:
        """The device of this pair; raises `Rejected` (unbound, unknown_key) without its device cookie."""
        known = self._known.get(header)
        if known is not None and known.pair == pair:
            return known
        device = self._newest(self._device, header, self.device_name, pair)
        if device is None:
            raise Rejected(SessionStatus.UNBOUND, "without its device cookie", outdated=True)
        try:
            proof = self._newest(self._bound, header, self.bound_name, pair)
        except Rejected:
            # Sealed under a secret that is gone: no proof.
            proof = None
        found = Device(pair, device.payload, device.renewed_at, proof.renewed_at if proof else 0, device.stale)
        mark = hash(header)
        if mark in self._noted and len(header) <= _LONGEST_REMEMBERED:
            self._known.put(header, found)
        else:
            if len(self._noted) >= _NOTED:
                self._noted.clear()
            self._noted.add(mark)
        return found

    def brought(self, header: bytes) -> list[str]:
        """The names of those of the two cookies that the request brought."""
        return [name for name in (self.device_name, self.bound_name) if name.encode() in header]

    def device_cookie(self, pair: bytes, key: bytes, *, since: float, now: float) -> dict[str, str]:
        """Name and value of the cookie that holds the device's key, or that is offered it without one."""
        return {self.device_name: self._device.seal(_token(pair, since, key), now=now)}

    def bound_cookie(self, pair: bytes, now: float) -> dict[str, str]:
        """Name and value of the cookie that says when the key was last proven: now."""
        return {self.bound_name: self._bound.seal(_token(pair, now), now=now)}

    def challenge(self, purpose: str, pair: bytes, now: float) -> str:
        """What the browser has to sign, to `register` or `refresh`."""
        return self._challenges[purpose].seal(_token(pair, now), now=now)

    def is_challenge(self, text: str, purpose: str, pair: bytes, now: float) -> bool:
        """Whether the text is a challenge of ours, made for that purpose and pair, that still holds."""
        try:
            token = self._challenges[purpose].open(text)
        except Rejected:
            return False
        return token.id == pair and -CLOCK_SKEW <= now - token.renewed_at <= self._hold[purpose]

    def _newest(self, sealer: TokenSealer, header: bytes, name: str, pair: bytes) -> Token | None:
        """The newest token of this pair among the cookies of a name; raises `Rejected` where a secret is missing.

        One with a key is newer than any without.
        """
        newest, missing = None, None
        for text in find_values(header, name.encode()):
            try:
                token = sealer.open(text)
            except Rejected as rejected:
                missing = rejected.again() if rejected.status is SessionStatus.UNKNOWN_KEY else missing
            else:
                if token.id == pair and (newest is None or _age(token) > _age(newest)):
                    newest = token
        if newest is None and missing is not None:
            raise missing
        return newest


def _age(token: Token) -> tuple[bool, int]:
    return token.payload != b"", token.renewed_at


def _token(pair: bytes, now: float, payload: bytes = b"") -> Token:
    return Token(pair, int(now), 0, int(now), remembered=False, payload=payload)
