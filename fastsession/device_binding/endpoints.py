"""What the browser asks of us in the application's place: a key registered, a proof refreshed, a page loaded anew.

W3C, Device Bound Session Credentials, "Session registration" and "Session refresh". None of the answers writes the
session cookie or moves the idle deadline.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, Response

from fastsession.device_binding.coming_back import FROM_ELSEWHERE
from fastsession.device_binding.devices import PATHS_KEY, Devices, identifier_of
from fastsession.device_binding.proof import Proof, ProofRefused, is_signed_by, read_proof
from fastsession.errors import ConfigurationError, StoreUnavailableError
from fastsession.events import EventKind
from fastsession.response_headers import DEVICE_ANSWER
from fastsession.scope import SCOPE_KEY
from fastsession.server_side.lifecycle import ServerLifecycle
from fastsession.server_side.serving import ONE_PATH_FOR_TWO
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from fastsession.cookies import Header
    from fastsession.device_binding.device_cookies import Device
    from fastsession.lifecycle import Lifecycle
    from fastsession.visit import Visit

# The browser then starts the navigation itself, waits for the refresh, and keeps a fragment and the history. After a
# second without scripts; `Refresh: 0` hangs on an address with a fragment.
_LOAD_ANEW = '<!doctype html><title>Continue</title><script>location.reload()</script><a href="">Continue</a>'
_ONLY_FOR_NOW = (SessionStatus.UNKNOWN_KEY, SessionStatus.STORE_DOWN)


class DeviceEndpoints:
    """Answers `path`/register and `path`/refresh, and navigations for which no browser refreshes its proof."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle, devices: Devices) -> None:
        self.app = app
        self._lifecycle = lifecycle
        self._devices = devices

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with its session in the scope (ASGI 3)."""
        views = scope.get(SCOPE_KEY)
        if not views or views[-1].visit.setup is not self._lifecycle.setup:
            # The lifespan, or a session shared with an outer middleware, which has answered what is to be answered.
            await self.app(scope, receive, send)
            return
        self._take_path(scope)
        visit: Visit = views[-1].visit
        if visit.brings_proof:
            answer: Response | None = await self._answer(visit, scope)
        else:
            answer = await self._bounce(visit, scope)
        await (answer or self.app)(scope, receive, send)

    def _take_path(self, scope: Scope) -> None:
        """Raise `ConfigurationError` where another middleware answers at our path already."""
        paths: dict[Devices, str] = scope.setdefault(PATHS_KEY, {})
        mine = paths.setdefault(self._devices, self._devices.full_path(scope))
        if list(paths.values()).count(mine) > 1:
            raise ConfigurationError(ONE_PATH_FOR_TWO)

    async def _bounce(self, visit: Visit, scope: Scope) -> Response | None:
        """A page that loads itself anew, for a navigation from another host: browsers do not refresh for those."""
        if scope["type"] != "http" or scope["method"] != "GET" or _values(scope, b"secure-session-skipped"):
            return None
        if _value(scope, b"sec-fetch-site") not in FROM_ELSEWHERE or _value(scope, b"sec-fetch-dest") != "document":
            return None
        await self._fetch(visit)
        if not visit.opened:
            self._lifecycle.open(visit)
        is_due = visit.status in (SessionStatus.VALID, SessionStatus.UNBOUND)
        if is_due and self._devices.lacks_proof(visit.device, visit.now):
            # An honest user's as a rule. Whoever comes back with it and without a proof is reported.
            visit.rejection_reported = True
            return HTMLResponse(_LOAD_ANEW, headers={**DEVICE_ANSWER, "Refresh": "1"})
        return None

    async def _answer(self, visit: Visit, scope: Scope) -> Response:
        """The answer to a POST to one of the two endpoints."""
        # Before anything else: such a request does not prolong the session.
        visit.renew_as(wanted=False)
        try:
            await self._fetch(visit)
            # With its model, whose subject may have been ended.
            self._lifecycle.load(visit)
            if visit.status in _ONLY_FOR_NOW:
                return _response(HTTPStatus.SERVICE_UNAVAILABLE)
            if self._devices.purpose_of(scope) == "register":
                return await self._register(visit, scope)
        except StoreUnavailableError:
            return _response(HTTPStatus.SERVICE_UNAVAILABLE)
        return self._refresh(visit, scope)

    async def _fetch(self, visit: Visit) -> None:
        """Get what the server has of the session, if that has not been done; raises `StoreUnavailableError`."""
        if isinstance(self._lifecycle, ServerLifecycle):
            await self._lifecycle.ask(visit)

    async def _register(self, visit: Visit, scope: Scope) -> Response:
        """Keep the browser's new key in the device cookie; raises `StoreUnavailableError`."""
        devices, device, now = self._devices, visit.device, visit.now
        if visit.token is None or device is None:
            return self._failed(visit, scope, HTTPStatus.BAD_REQUEST, "no session to bind")
        try:
            proof = read_proof(_value(scope, b"secure-session-response") or "")
        except ProofRefused as refused:
            return self._failed(visit, scope, HTTPStatus.BAD_REQUEST, str(refused))
        key = proof.key
        # The signature last: it costs most.
        if key is None or device.key not in (b"", key):
            return self._failed(visit, scope, HTTPStatus.BAD_REQUEST, "no key, or another one is registered")
        if not devices.cookies.is_challenge(proof.challenge, "register", device.pair, now):
            return self._failed(visit, scope, HTTPStatus.BAD_REQUEST, "another challenge, or too old")
        if not is_signed_by(proof, key):
            return self._failed(visit, scope, HTTPStatus.BAD_REQUEST, "the signature does not match")
        if isinstance(self._lifecycle, ServerLifecycle):
            await self._lifecycle.revoking.deny_unclaimed(device.pair, visit.token.created_at)
        cookies = [*devices.registered(device.pair, key, since=now, now=now), *devices.proven(device.pair, now)]
        self._report(EventKind.BOUND, visit, scope)
        return _response(HTTPStatus.OK, cookies, devices.instructions(key, scope))

    def _refresh(self, visit: Visit, scope: Scope) -> Response:
        """Say that the browser still has its key, if it proves that."""
        devices, device, now = self._devices, visit.device, visit.now
        if visit.token is None or device is None or not device.key:
            return _response(HTTPStatus.UNAUTHORIZED)
        if _value(scope, b"sec-secure-session-id") != identifier_of(device.key):
            return _response(HTTPStatus.UNAUTHORIZED)
        text = _value(scope, b"secure-session-response")
        if text is None:
            return _response(HTTPStatus.FORBIDDEN, [self._challenge(device, now)])
        proof = _proof_without_key(text)
        if proof is None or not is_signed_by(proof, device.key):
            return self._failed(visit, scope, HTTPStatus.UNAUTHORIZED, "malformed, or signed by another key")
        challenge = self._challenge(device, now)
        if not devices.cookies.is_challenge(proof.challenge, "refresh", device.pair, now):
            # From before a night's sleep, say: browsers keep one for the next time.
            return _response(HTTPStatus.FORBIDDEN, [challenge])
        cookies = [*devices.proven(device.pair, now), challenge]
        if device.stale:
            cookies += devices.registered(device.pair, device.key, since=device.since, now=now)
        self._report(EventKind.REFRESHED, visit, scope)
        return _response(HTTPStatus.OK, cookies)

    def _challenge(self, device: Device, now: float) -> Header:
        challenge = self._devices.cookies.challenge("refresh", device.pair, now)
        return b"secure-session-challenge", f'"{challenge}";id="{identifier_of(device.key)}"'.encode()

    def _failed(self, visit: Visit, scope: Scope, status: HTTPStatus, why: str) -> Response:
        self._report(EventKind.PROOF_FAILED, visit, scope, why)
        return _response(status)

    def _report(self, kind: EventKind, visit: Visit, scope: Scope, detail: str = "") -> None:
        session_id = None if visit.token is None else visit.token.id
        visit.setup.events.send(kind, visit.status, scope, session_id=session_id, detail=detail)


def _proof_without_key(text: str) -> Proof | None:
    """The proof of a refresh, None for what is none: a key comes at registration only."""
    try:
        proof = read_proof(text)
    except ProofRefused:
        return None
    return proof if proof.key is None else None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for header, value in scope["headers"] if header == name]


def _value(scope: Scope, name: bytes) -> str | None:
    """The header's value, bare or in double quotes; None for none and for several."""
    values = _values(scope, name)
    if len(values) != 1:
        return None
    value = values[0].strip(" \t")
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _response(status: HTTPStatus, headers: list[Header] | None = None, body: bytes = b"") -> Response:
    response = Response(body, status, DEVICE_ANSWER, "application/json" if body else None)
    response.raw_headers += headers or []
    return response
