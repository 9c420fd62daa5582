"""Nothing that is logged, printed, raised or sent to a listener holds a token, a session id, a key or session data."""

import binascii
import logging
import traceback
from base64 import urlsafe_b64encode
from typing import NamedTuple

import pytest
from starlette.background import BackgroundTask
from starlette.responses import Response

from fastsession import SessionMiddleware, generate_key
from fastsession.keyring import KeyRing
from fastsession.sealing.token import TokenSealer
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
