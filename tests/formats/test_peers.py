"""Both ways between FastSession and the real packages: 200 random sessions each, expired and tampered ones refused."""

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from fastsession import SessionStatus
from fastsession.formats import (
    ClientSessions,
    CookieSession,
    ExpressSession,
    FastifySecureSession,
    ForeignSession,
    H3Session,
    Iron,
    IronSession,
    NuxtSession,
    Yar,
)
from tests.formats.random_json import sessions
from tests.formats.reception import status_of
from tests.formats.vector import normal

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

SECRET = "a secret of the other system, long enough"
OLDER = "the one that it had before, also long enough"
KEY, OTHER_KEY, LONG_KEY = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 128))
HOUR = 3600
ROUNDS = 200
# A character changed within a percent escape or a separator makes the cookie malformed already.
TAMPERED = {SessionStatus.FORGED, SessionStatus.MALFORMED}


@dataclass(frozen=True)
class Pair:
    """One configuration at both sides."""

    id: str
    reader: Any
    format: str
    options: dict[str, Any] = field(repr=False)


IRON_SESSION = {"cookieName": "app", "password": {"1": OLDER, "2": SECRET}, "ttl": HOUR}
TWO_WAY = [
    Pair(
        "iron-session",
        IronSession(password={1: OLDER, 2: SECRET}, cookie_name="app", ttl=HOUR),
        "iron-session",
        IRON_SESSION,
    ),
    Pair(
        "iron",
        Iron(password=SECRET, cookie_name="app", ttl=HOUR),
        "hapi-iron",
        {"cookieName": "app", "password": SECRET, "ttl": HOUR * 1000},
    ),
    Pair(
        "iron-bytes-ctr-ids",
        Iron(
            password={"now": {"encryption": KEY[:16], "integrity": OTHER_KEY}, "before": SECRET},
            cookie_name="app",
            encryption="aes-128-ctr",
            ttl=HOUR,
        ),
        "hapi-iron",
        {
            "cookieName": "app",
            "password": {
                "now": {"encryption": {"$hex": KEY[:16].hex()}, "integrity": {"$hex": OTHER_KEY.hex()}},
                "before": SECRET,
            },
            "sealing": {
                "id": "now",
                "encryption": {"$hex": KEY[:16].hex()},
                "integrity": {"$hex": OTHER_KEY.hex()},
            },
            "encryption": {"algorithm": "aes-128-ctr"},
            "ttl": HOUR * 1000,
        },
    ),
    Pair(
        "yar",
        Yar(password=SECRET),
        "hapi-yar",
        {"cookieOptions": {"password": SECRET, "isSecure": False}},
    ),
    Pair(
        "h3",
        H3Session(password=SECRET, cookie_name="app", max_age=HOUR),
        "h3",
        {"version": 2, "password": SECRET, "name": "app", "maxAge": HOUR},
    ),
    Pair(
        "nuxt",
        NuxtSession(password=SECRET, max_age=HOUR),
        "h3",
        {"version": 1, "password": SECRET, "name": "nuxt-session", "maxAge": HOUR},
    ),
    Pair(
        "client-sessions",
        ClientSessions(secret=SECRET, duration=HOUR),
        "client-sessions",
        {"cookieName": "session_state", "secret": SECRET, "duration": HOUR * 1000},
    ),
    Pair(
        "client-sessions-keys",
        ClientSessions(
            encryption_key=KEY[:24],
            signature_key=LONG_KEY,
            encryption_algorithm="aes192",
            signature_algorithm="sha512-drop256",
            duration=HOUR,
        ),
        "client-sessions",
        {
            "cookieName": "session_state",
            "encryptionKey": KEY[:24].hex(),
            "signatureKey": LONG_KEY.hex(),
            "encryptionAlgorithm": "aes192",
            "signatureAlgorithm": "sha512-drop256",
            "duration": HOUR * 1000,
        },
    ),
]
ONE_WAY = [
    Pair("cookie-session", CookieSession(keys=[SECRET, OLDER]), "cookie-session", {"name": "session", "keys": [OLDER]}),
    Pair(
        "secure-session",
        FastifySecureSession(key=[OTHER_KEY, KEY], expiry=HOUR),
        "fastify-secure-session",
        {"key": [KEY.hex()], "expiry": HOUR},
    ),
    Pair(
        "secure-session-secret-signed",
        FastifySecureSession(secret=SECRET, salt="0123456789abcdef", expiry=HOUR, signed=True),
        "fastify-secure-session",
        {"secret": SECRET, "salt": "0123456789abcdef", "expiry": HOUR, "cookie": {"signed": True}},
    ),
]
EVERY = pytest.mark.parametrize("pair", TWO_WAY + ONE_WAY, ids=lambda pair: pair.id)
BOTH = pytest.mark.parametrize("pair", TWO_WAY, ids=lambda pair: pair.id)


def tampered(cookies):
    """The first cookie with one character of its middle changed."""
    name, value = next(iter(cookies.items()))
    middle = len(value) // 2
    return {**cookies, name: value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]}


@EVERY
def test_what_the_package_seals_is_read(pair, peer):
    for data in sessions(pair.id, ROUNDS):
        cookies, _ = peer.seal(pair.format, pair.options, data)
        assert normal(pair.reader.read(cookies, now=time.time()).data) == normal(data)


@BOTH
def test_the_package_opens_what_is_written(pair, peer):
    for data in sessions(f"{pair.id}, written", ROUNDS):
        cookies = pair.reader.write(ForeignSession(data), now=time.time())
        assert normal(peer.open(pair.format, pair.options, cookies)) == normal(data)


@EVERY
def test_a_tampered_cookie_is_refused_by_both(pair, peer):
    cookies, _ = peer.seal(pair.format, pair.options, {"user_id": 42, "cart": ["apple", "pear"]})
    for _ in range(2):
        assert peer.open(pair.format, pair.options, cookies) is not None
        assert peer.open(pair.format, pair.options, tampered(cookies)) is None
        assert status_of(pair.reader, tampered(cookies), time.time()) in TAMPERED


@BOTH
def test_what_has_expired_is_refused_by_both(pair, peer):
    past = time.time() - 2 * HOUR
    expired = ForeignSession({"user_id": 42}, past - HOUR, past)
    cookies = pair.reader.write(expired, now=past - HOUR)
    assert pair.reader.read(cookies, now=past - 1).data == {"user_id": 42}
    assert status_of(pair.reader, cookies, time.time()) is SessionStatus.EXPIRED_ABSOLUTE
    assert peer.open(pair.format, pair.options, cookies) is None


@EVERY
def test_what_the_package_seals_expires_here_too(pair, peer):
    cookies, _ = peer.seal(pair.format, pair.options, {"user_id": 42})
    session = pair.reader.read(cookies, now=time.time())
    later = time.time() + HOUR + 61
    if session.expires_at is None:
        assert pair.format in {"hapi-yar", "cookie-session"}
        assert pair.reader.read(cookies, now=later) == session
    else:
        assert status_of(pair.reader, cookies, later) is SessionStatus.EXPIRED_ABSOLUTE


@pytest.mark.parametrize("written_here", [False, True])
def test_iron_session_chunks_are_read_on_both_sides(written_here, peer):
    reader = IronSession(password={1: OLDER, 2: SECRET}, cookie_name="app", ttl=HOUR, chunk=True)
    options = {**IRON_SESSION, "chunk": True}
    data = {"user_id": 42, "blob": "0123456789ä" * 800}
    if written_here:
        cookies = reader.write(ForeignSession(data), now=time.time())
        assert peer.open("iron-session", options, cookies) == data
    else:
        cookies, _ = peer.seal("iron-session", options, data)
        assert reader.read(cookies, now=time.time()).data == data
    assert set(cookies) == {"app.0", "app.1", "app.2", "app.3"}


def test_yar_keeps_its_id_through_a_round_trip(peer):
    (pair,) = (pair for pair in TWO_WAY if pair.id == "yar")
    cookies, _ = peer.seal(pair.format, pair.options, {"user_id": 42})
    session = pair.reader.read(cookies, now=time.time())
    written = pair.reader.write(session, now=time.time())
    assert pair.reader.read(written, now=time.time()).id == session.id
    assert peer.open(pair.format, pair.options, written) == {"user_id": 42}


def test_express_sessions_are_read_from_their_store(peer):
    options = {"secret": [OLDER], "cookie": {"maxAge": HOUR * 1000}}
    for data in sessions("express-session", ROUNDS):
        cookies, store = peer.seal("express-session", options, data)
        reader = ExpressSession(secret=[SECRET, OLDER], store=store)
        session = reader.read(cookies, now=time.time())
        assert normal(session.data) == normal(data)
        assert list(store) == [session.id]
    assert peer.open("express-session", options, cookies) is not None
    assert peer.open("express-session", options, tampered(cookies)) is None
    assert status_of(reader, tampered(cookies), time.time()) in TAMPERED
    assert status_of(reader, cookies, time.time() + HOUR) is SessionStatus.EXPIRED_ABSOLUTE
