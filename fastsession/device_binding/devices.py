"""The rules of device binding in ordinary requests: which session is believed, which gets a pair, what is offered."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from fastsession.device_binding import DeviceBinding
from fastsession.device_binding.coming_back import GIVEN_UP_AFTER, may_come_back
from fastsession.device_binding.device_cookies import Device, DeviceCookies
from fastsession.errors import ConfigurationError, Rejected
from fastsession.lifetime import as_datetime
from fastsession.sealing.token import encode, new_id
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

    from fastsession.cookies import CookieWriter, Header
    from fastsession.events import EventLog
    from fastsession.keyring import KeyRing
    from fastsession.lifetime import Timeouts
    from fastsession.payload.codec import PayloadCodec
    from fastsession.sealing.token import Token

# Where the scope keeps who answers below which path: mounts lower down change `root_path` before the response starts.
PATHS_KEY: Final = "fastsession.device_binding"
_IDENTIFIER_SIZE = 12
_UNREACHED = (
    "Sessions are not bound to devices: the path of DeviceBinding, below the application's root path, does not lie "
    "below the path= of the session cookie. Write DeviceBinding(path=...) so that it does."
)


class Visited(Protocol):
    """What of a visit counts here."""

    header: bytes
    now: float
    token: Token | None
    device: Device | None
    # Whether a proof may be missing: it is what the request brings.
    brings_proof: bool
    payload: bytes | None
    regenerated: bool
    sealed: Token | None


class Devices:
    """The device binding of one middleware. Holds configuration, nothing of a request.

    Raises `ConfigurationError` for an option that is none, and beside one of those `refused` that is given.
    """

    def __init__(
        self,
        option: DeviceBinding,
        *,
        keys: KeyRing,
        writer: CookieWriter,
        timeouts: Timeouts,
        codec: PayloadCodec,
        events: EventLog,
        cookie_name: str,
        audience: str,
        refused: Mapping[str, object],
    ) -> None:
        _check(option, refused)
        self.path = option.path
        self._purposes = {f"{option.path}/{purpose}": purpose for purpose in ("register", "refresh")}
        self.proof_lifetime = option.lifetime
        self.cookies = DeviceCookies(
            keys, cookie_name=cookie_name, audience=audience, proof_lifetime=self.proof_lifetime
        )
        self._needs_proof = option.without_proof == "reject"
        self._exclude = option.exclude
        # Without it browsers hold only what pages of the very host start.
        self._also_held = {"allowed_refresh_initiators": option.initiators} if option.initiators else {}
        self._writer = writer
        self._codec = codec
        self._events = events
        self._kept = timeouts.longest_absolute

    def admit(self, visit: Visited) -> None:
        """Note the device of the session that came; raises `Rejected` (unbound, unknown_key) without one."""
        if visit.token is None or not visit.token.pair:
            return
        visit.device = self.cookies.find(visit.header, visit.token.pair)
        if self._needs_proof and not visit.brings_proof and self.lacks_proof(visit.device, visit.now):
            raise Rejected(SessionStatus.UNBOUND, "without a live proof", outdated=True)

    def proven_until(self, device: Device | None, now: float) -> int:
        """Until when the device is proven, in Unix seconds; 0 without a live proof."""
        return 0 if device is None else device.proven_until(now, self.proof_lifetime)

    def lacks_proof(self, device: Device | None, now: float) -> bool:
        """Whether the session is bound, and the request brings no live proof."""
        return device is not None and device.key != b"" and not self.proven_until(device, now)

    def shown(self, device: Device | None, now: float) -> dict[str, Any]:
        """What of it `SessionInfo` tells."""
        until = self.proven_until(device, now)
        return {
            "device_bound": device is not None and device.key != b"",
            "bound_until": as_datetime(until) if until else None,
        }

    def may_renew(self, visit: Visited) -> bool:
        """Whether the idle deadline may move: whoever cannot prove does not prolong."""
        return not self.lacks_proof(visit.device, visit.now)

    def may_come_back(self, visit: Visited, scope: Scope) -> bool:
        """Whether the browser may have the key of the session that it sent no proof for."""
        sent_late = self.cookies.bound_name.encode() in visit.header
        excluded = any(self._path_in(scope).startswith(path) for path in self._exclude)
        return may_come_back(visit.device, scope["headers"], sent_late=sent_late, excluded=excluded, now=visit.now)

    def paired(self, token: Token, visit: Visited, scope: Scope) -> Token:
        """The token that the response seals, with its pair.

        A new login gets a new one, unless the very device that is proven in this request signs its own user in again:
        otherwise whoever plants a session's three cookies would bind the victim's login to a key of his own.
        """
        device, came = visit.device, visit.token
        if not visit.regenerated:
            given_up = device is not None and not device.key and visit.now > device.since + GIVEN_UP_AFTER
            return token._replace(pair=b"") if given_up else token
        if came is not None and self.proven_until(device, visit.now) and self._have_one_subject(token, visit):
            return token._replace(pair=came.pair)
        return token._replace(pair=new_id()) if self._reaches_endpoints(scope) else token

    def headers(self, visit: Visited, scope: Scope, now: float, *, cleared: bool) -> list[Header]:
        """The headers that go with what the response does to the session cookie."""
        came = visit.token.pair if visit.token else b""
        if visit.sealed is None:
            return self.deletions(visit.header) if cleared else []
        pair, device = visit.sealed.pair, visit.device
        if pair == came:
            # The session that goes on under this pair begins now, and its device cookie has to last as long.
            if visit.regenerated and device is not None and device.key:
                return self.registered(pair, device.key, since=device.since, now=now)
            return []
        if not pair:
            return self.deletions(visit.header)
        offered = self.cookies.device_cookie(pair, b"", since=now, now=now)
        challenge = self.cookies.challenge("register", pair, now)
        target = f"{self.full_path(scope)}/register"
        return [
            *self._writer.set(offered, max_age=self._kept),
            *self.deletions(visit.header)[1:],
            (b"secure-session-registration", f'(ES256);path="{target}";challenge="{challenge}"'.encode()),
        ]

    def deletions(self, header: bytes) -> list[Header]:
        """The headers that delete the device cookie and the bound one, if the request brought any of them.

        Both, because one that the browser has forgotten may be on its way back from a refresh.
        """
        names = self.cookies.device_name, self.cookies.bound_name
        return self._writer.delete(names) if self.cookies.brought(header) else []

    def registered(self, pair: bytes, key: bytes, *, since: float, now: float) -> list[Header]:
        """The headers that keep a device's key."""
        return self._writer.set(self.cookies.device_cookie(pair, key, since=since, now=now), max_age=self._kept)

    def proven(self, pair: bytes, now: float) -> list[Header]:
        """The headers that say that the key was proven now."""
        return self._writer.set(self.cookies.bound_cookie(pair, now), max_age=self.proof_lifetime)

    def instructions(self, key: bytes, scope: Scope) -> bytes:
        """The JSON that tells the browser for what the session is, and which cookie to keep alive.

        Neither scheme nor host stands in it: the application may see others than the browser does.
        """
        root = quote(scope.get("root_path", ""))
        rules = [{"type": "exclude", "domain": "*", "path": root + path} for path in self._exclude]
        credential = {"type": "cookie", "name": self.cookies.bound_name, "attributes": self._writer.attributes}
        told: dict[str, Any] = {
            "session_identifier": identifier_of(key),
            "refresh_url": f"{self.full_path(scope)}/refresh",
            "scope": {"include_site": False, "scope_specification": rules},
            "credentials": [credential],
            **self._also_held,
        }
        return json.dumps(told).encode()

    def full_path(self, scope: Scope) -> str:
        """Below which path browsers are answered, as they write it."""
        paths: Mapping[Devices, str] = scope.get(PATHS_KEY, {})
        root = scope.get("root_path")
        return paths.get(self) or (quote(root) + self.path if root else self.path)

    def purpose_of(self, scope: Scope) -> str | None:
        """Whether the request is one for the two endpoints: `register`, `refresh`, or None."""
        if scope.get("method") != "POST":
            return None
        return self._purposes.get(self._path_in(scope))

    def _path_in(self, scope: Scope) -> str:
        """The path below the root path, which a proxy may have removed, and not every server puts back."""
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        return path.removeprefix(root) if f"{path}/".startswith(f"{root}/") else path

    def _have_one_subject(self, token: Token, visit: Visited) -> bool:
        """Whether the session is the same user's before and after."""
        before, after = (self._subject_in(payload) for payload in (visit.payload, token.payload))
        return before is not None and before == after

    def _subject_in(self, payload: bytes | None) -> str | None:
        with suppress(Rejected):
            return None if payload is None else self._events.subject(self._codec.load(payload)[0])
        return None

    def _reaches_endpoints(self, scope: Scope) -> bool:
        """Whether the browser would send the session's cookies to the two endpoints."""
        path = f"{self.full_path(scope)}/"
        # With two slashes it would be the address of another host.
        reaches = path.startswith(self._writer.path.rstrip("/") + "/") and not path.startswith("//")
        if not reaches:
            self._events.warn_once(_UNREACHED)
        return reaches


def identifier_of(key: bytes) -> str:
    """What the browser calls the session: public, of the public key."""
    return encode(sha256(key).digest()[:_IDENTIFIER_SIZE])


def _check(option: object, refused: Mapping[str, object]) -> None:
    if not isinstance(option, DeviceBinding):
        message = "device_binding takes a DeviceBinding: device_binding=DeviceBinding()."
        raise ConfigurationError(message)
    for written, given in refused.items():
        if given:
            message = f"device_binding= cannot be used with {written}: no browser binds such a session to a device."
            raise ConfigurationError(message)
