"""Nothing that is logged, printed, raised or sent to a listener holds a token, a session id, a key or session data."""

import binascii
import logging
import traceback
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest
from fastapi import WebSocket
from pydantic import SecretBytes, SecretStr
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from fastsession import SessionMiddleware, generate_key, starlette
from fastsession.keyring import KeyRing
from fastsession.sealing.token import TokenSealer
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import COOKIE, IDLE, OLD_SECRET, SECRET, Current, ShopSession, browser, cookie_header, shop, shown

CONFIDENTIAL = "a-confidential-item"


class Secrets(NamedTuple):
    """What must not show, in every spelling in which it could."""

    token: str
    session_id: bytes

    def spellings(self) -> list[str]:
        keys = KeyRing([SECRET.encode(), OLD_SECRET.encode()])
        raw = [self.session_id, *(key.derive("seal", 32) for key in keys.by_id.values())]
        encoded = [urlsafe_b64encode(part).rstrip(b"=").decode() for part in raw]
        hexadecimal = [binascii.hexlify(part).decode() for part in raw]
        literal = [repr(part)[2:-1] for part in raw]
        return [
            self.token,
            self.token[20:60],
            SECRET,
            OLD_SECRET,
            SECRET[4:],
            CONFIDENTIAL,
            *encoded,
            *hexadecimal,
            *literal,
        ]


def secrets_of(header):
    token = header.partition("=")[2]
    sealer = TokenSealer(KeyRing([SECRET.encode()]), cookie_name=COOKIE)
    return Secrets(token, sealer.open(token).id)


def assert_silent(text, secrets):
    shown_secrets = [spelling for spelling in secrets.spellings() if spelling in text]
    # The secrets themselves stay out of the test's own report.
    assert len(shown_secrets) == 0, f"{len(shown_secrets)} secrets show"


@pytest.fixture
def visit(clock, events, caplog):
    """A whole life of a session, with everything that was logged about it."""
    caplog.set_level(logging.DEBUG)
    app = shop(clock=clock, on_event=events.append, secret_key_fallbacks=[OLD_SECRET])
    client = browser(app)
    client.post(f"/cart/{CONFIDENTIAL}")
    header = cookie_header(client)
    clock.advance(IDLE // 4)
    client.get("/public")
    client.post("/note/2500")
    client.post("/logout")
    for altered in (
        header[:-4] + "AAAA",
        header + "=",
        header[:-1],
        f"{header}; {header[:60]}",
        header.replace("=", "=2."),
    ):
        shown(app, altered)
    clock.advance(IDLE)
    shown(app, header)
    return header


def test_neither_log_lines_nor_events_show_a_secret(visit, caplog, events):
    assert len(events) > 8
    # The path is the application's own, and here the item stands in it.
    lines = [record.getMessage().replace(f"/cart/{CONFIDENTIAL}", "") for record in caplog.records]
    attributes = [str(vars(record)).replace(f"/cart/{CONFIDENTIAL}", "") for record in caplog.records]
    told = [repr(event).replace(f"/cart/{CONFIDENTIAL}", "") for event in events]
    assert_silent("\n".join([*lines, *attributes, *told]), secrets_of(visit))


def test_reprs_show_no_secret(visit):
    middleware = SessionMiddleware(None, secret_key=SECRET, secret_key_fallbacks=[OLD_SECRET])
    session = ShopSession()
    texts = [repr(middleware), repr(vars(middleware)), repr(session.info), repr(middleware.lifecycle)]
    texts += [repr(value) for value in vars(middleware.lifecycle).values()]
    texts += [repr(vars(value)) for value in vars(middleware.lifecycle).values() if hasattr(value, "__dict__")]
    assert_silent("\n".join(texts), secrets_of(visit))


def too_large(app, client):
    client.post("/note/9000")


def crash_in_route(app, client):
    @app.get("/crash")
    async def crash(session: Current) -> None:
        raise LookupError

    client.get("/crash")


def late_verb(app, client):
    @app.get("/late")
    async def late(session: Current):
        return Response(background=BackgroundTask(session.destroy))

    client.get("/late")


def invalid_value(app, client):
    client.post("/update", json={"cart": CONFIDENTIAL})


def unsealable_value(app, client):
    @app.get("/odd")
    async def odd(session: Current) -> None:
        session.cart = CONFIDENTIAL

    client.get("/odd")


@pytest.mark.parametrize("break_it", [too_large, crash_in_route, late_verb, invalid_value, unsealable_value])
def test_tracebacks_show_no_secret(clock, break_it):
    app = shop(clock=clock)
    client = browser(app)
    client.post(f"/cart/{CONFIDENTIAL}")
    header = cookie_header(client)
    with pytest.raises(Exception) as caught:
        break_it(app, client)
    text = "".join(traceback.format_exception(caught.value))
    assert_silent(text, secrets_of(header))


def in_error_report(value, depth=5):
    """A local variable as error reports show it: containers to this depth, anything else by its repr (Sentry's SDK)."""
    if hasattr(type(value), "__sentry_repr__"):
        return value.__sentry_repr__()
    if depth and isinstance(value, Mapping):
        return "".join(f"{key}={in_error_report(value[key], depth - 1)};" for key in value)
    if depth and isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "".join(f"{in_error_report(each, depth - 1)};" for each in value)
    return repr(value)


def reported_variables(error, *, of="fastsession"):
    """The local variables of our frames, in the error and those that it names as its cause.

    Not the scope: it has the request's headers, and every frame of Starlette's shows it.
    """
    variables = []
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals["__name__"].partition(".")[0] == of:
                variables += [item for item in frame.f_locals.items() if item[0] not in ("scope", "shared", "message")]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(f"{name}: {in_error_report(value)}" for name, value in variables)


def refused_value(app, client):
    client.post("/update", json={"cart": "no list"})


def far_too_large(app, client):
    client.post("/note/5000000")


def crash_in_websocket(app, client):
    @app.websocket("/crash")
    async def crash(websocket: WebSocket, session: Current) -> None:
        raise LookupError

    with client.websocket_connect("wss://testserver/crash"):
        pass


SERVER_SIDES = {
    "cookies": dict,
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "store": lambda: {"store": MemoryStore()},
}


@pytest.mark.parametrize("server_side", SERVER_SIDES.values(), ids=SERVER_SIDES)
@pytest.mark.parametrize(
    "break_it", [far_too_large, crash_in_route, crash_in_websocket, late_verb, refused_value, unsealable_value]
)
def test_local_variables_in_error_reports_show_no_secret(clock, server_side, break_it):
    app = shop(clock=clock, **server_side())
    client = browser(app)
    client.post("/login")
    client.post(f"/cart/{CONFIDENTIAL}")
    header = cookie_header(client)
    with pytest.raises(Exception) as caught:
        break_it(app, client)
    text = reported_variables(caught.value)
    assert "visit: <fastsession.visit.Visit object" in text
    assert_silent(text, secrets_of(header))


def test_an_error_report_does_not_open_the_session(clock):
    app = shop(clock=clock)

    @app.get("/report")
    async def report(request: Request) -> list[str]:
        return [in_error_report(request.scope["session"]), in_error_report(ShopSession(cart=[CONFIDENTIAL]))]

    response = browser(app).get("/report")
    closed, model = response.json()
    assert closed.startswith("<session, not looked at: ")
    assert model == "<ShopSession>"
    assert "vary" not in response.headers


@pytest.mark.parametrize("bad", [{"secret_key": SECRET[:-1]}, {"max_cookies": 9}], ids=["secret", "another option"])
@pytest.mark.parametrize("kind", [str, SecretStr, SecretBytes, bytes])
@pytest.mark.parametrize("make", [SessionMiddleware.with_options, lambda **options: SessionMiddleware(None, **options)])
def test_local_variables_at_a_wrong_option_show_no_secret(make, kind, bad):
    def given(secret):
        return kind(secret.encode()) if kind in (bytes, SecretBytes) else kind(secret)

    options = {"secret_key": SECRET, "secret_key_fallbacks": [OLD_SECRET], **bad}
    options |= {"secret_key": given(options["secret_key"]), "secret_key_fallbacks": [given(OLD_SECRET)]}
    with pytest.raises(ValueError) as caught:
        make(**options)
    text = reported_variables(caught.value)
    assert "secret_key" in text
    assert SECRET[4:30] not in text
    assert OLD_SECRET[4:30] not in text


def test_local_variables_at_a_wrong_option_of_starlettes_show_no_secret():
    with pytest.raises(ValueError) as caught:
        starlette.SessionMiddleware.with_options(secret_key=SECRET, same_site="anything")
    text = reported_variables(caught.value)
    assert "secret_key" in text
    assert SECRET[4:30] not in text


@pytest.mark.parametrize(
    "secret",
    [f"{SECRET}x", SECRET[:-1], SECRET[4:30], "changeme" + SECRET[4:]],
    ids=["too long", "too short", "neither key nor passphrase", "a known word"],
)
def test_a_refused_secret_is_not_shown(secret):
    with pytest.raises(ValueError) as caught:
        SessionMiddleware(None, secret_key=secret)
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_no_response_shows_an_id_a_key_or_the_contents(clock):
    app = shop(clock=clock)
    client = browser(app)
    client.post(f"/cart/{CONFIDENTIAL}")
    secrets = secrets_of(cookie_header(client))
    response = client.get("/info")
    assert_silent(str(response.headers) + response.text, secrets)


def test_another_secret_has_another_handle_for_the_same_session():
    first, second = (KeyRing([generate_key().encode()]).primary for _ in range(2))
    assert first.handle(bytes(16)) != second.handle(bytes(16))
