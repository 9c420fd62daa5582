"""`SignedIn`: the front end's user, from a cookie that is looked at and left alone."""

import asyncio
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.exceptions import FastAPIError
from starlette.websockets import WebSocketDisconnect

from fastsession import ConfigurationError, SignedIn, StoreUnavailableError, generate_key
from fastsession.formats import (
    AuthjsSession,
    BetterAuthSession,
    ForeignSession,
    H3Session,
    Migration,
    NextAuthSession,
    NuxtSession,
)
from tests.front_ends import (
    AUTH_SECRET,
    AUTHJS_COOKIE,
    BETTER_AUTH_COOKIE,
    DAY,
    authjs_cookie,
    authjs_seal,
    better_auth_cookie,
)
from tests.shop import START, browser, set_cookies, shop

NOW = datetime.fromtimestamp(START, UTC)


def signed_in_app(front_end, **options):
    app = FastAPI(**options)

    @app.get("/me")
    async def me(user: Annotated[ForeignSession | None, Depends(front_end)]) -> dict[str, object]:
        if user is None:
            return {"subject": None}
        times = {"created_at": user.created_at, "expires_at": user.expires_at}
        return {"subject": user.subject, "email": user.data.get("email"), "id": user.id, **times}

    @app.websocket("/live")
    async def live(socket: WebSocket, user: Annotated[ForeignSession, Depends(front_end)]) -> None:
        await socket.accept()
        await socket.send_json(user.subject)
        await socket.close()

    return app


def authjs(clock, **options):
    return SignedIn(AuthjsSession(secret=AUTH_SECRET), clock=clock, **options)


def ask(app, *values, path="/me", name=AUTHJS_COOKIE):
    return browser(app).get(
        path, headers={"cookie": "; ".join(f"{name}={value}" for value in values).encode("latin-1")}
    )


def test_the_route_gets_who_it_is_and_the_times_that_the_format_has(clock):
    app = signed_in_app(authjs(clock))
    response = ask(app, authjs_cookie("ada", at=START - 60, email="ada@example.com"))
    ends_at = START - 60 + 30 * DAY
    assert response.json() == {
        "subject": "ada",
        "email": "ada@example.com",
        "id": None,
        "created_at": None,
        "expires_at": ends_at,
    }


def test_the_cookie_is_neither_written_nor_deleted_and_caches_are_told(clock):
    app = signed_in_app(authjs(clock))
    for value in (authjs_cookie("ada", at=START), authjs_cookie("ada", at=START - 60 * DAY), "garbage"):
        assert set_cookies(ask(app, value)) == []
    headers = ask(app, authjs_cookie("ada", at=START)).headers
    assert (headers["vary"], headers["cache-control"]) == ("Cookie", "no-store")


BAD = {
    "no cookie": list,
    "garbage": lambda: ["garbage"],
    "an empty value": lambda: [""],
    "ended": lambda: [authjs_cookie("ada", at=START - 31 * DAY)],
    "another secret": lambda: [authjs_cookie("ada", at=START, secret="another secret of the front end, as long")],
    "another name's": lambda: [authjs_cookie("ada", at=START, name="authjs.session-token")],
    "a changed tag": lambda: [authjs_cookie("ada", at=START)[:-8] + "AAAAAAAA"],
    "two users": lambda: [authjs_cookie("ada", at=START), authjs_cookie("bob", at=START)],
    "oversize": lambda: ["x" * 5_000],
    "bytes": lambda: ["\xff\x00\x7f"],
    "text for a time": lambda: [authjs_seal({"sub": "ada", "exp": "never"})],
    "a list": lambda: [authjs_seal(["ada"])],
}


@pytest.mark.parametrize("kind", BAD)
def test_every_bad_cookie_is_401_and_none_tells_why(clock, kind):
    app = signed_in_app(authjs(clock))
    response, expected = ask(app, *BAD[kind]()), ask(app)
    assert (response.status_code, response.content) == (401, b'{"detail":"Not authenticated"}')
    assert response.headers.items() == expected.headers.items()
    assert response.headers["www-authenticate"] == "Cookie"


@pytest.mark.parametrize("kind", BAD)
def test_where_it_is_optional_every_bad_cookie_is_nobody(clock, kind):
    app = signed_in_app(authjs(clock, optional=True))
    response = ask(app, *BAD[kind]())
    assert (response.status_code, response.json()) == (200, {"subject": None})
    assert response.headers["vary"] == "Cookie"


def test_a_bad_cookie_is_one_event_however_often_it_comes(clock, events, caplog):
    app = signed_in_app(authjs(clock, on_event=events.append))
    value = authjs_cookie("ada", at=START)[:-8] + "AAAAAAAA"
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            ask(app, value)
        ask(app, "garbage")
        ask(app)
    assert [(event.kind, event.status) for event in events] == [("rejected", "forged"), ("rejected", "malformed")]
    assert events[0].detail.startswith("AuthjsSession: ")
    assert value[:40] not in caplog.text
    assert AUTH_SECRET not in caplog.text


def test_garbage_beside_the_cookie_does_not_hide_it(clock):
    app = signed_in_app(authjs(clock))
    good = authjs_cookie("ada", at=START)
    assert ask(app, "x", "", "a..b.c.d", good, "y").json()["subject"] == "ada"


def test_of_two_cookies_of_one_user_the_one_that_ends_later_counts(clock):
    app = signed_in_app(authjs(clock))
    old, new = (authjs_cookie("ada", at=START - age, email=f"{age}@example.com") for age in (5_000, 5))
    assert ask(app, new, old).json()["email"] == "5@example.com"


def test_on_a_socket_it_is_the_same(clock):
    client = browser(signed_in_app(authjs(clock)))
    cookie = f"{AUTHJS_COOKIE}={authjs_cookie('ada', at=START)}"
    with client.websocket_connect("/live", headers={"cookie": cookie}) as socket:
        assert socket.receive_json() == "ada"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live"):
        raise AssertionError


def test_openapi_has_the_cookie_by_its_name_and_the_refusal(clock):
    app = shop()
    user = authjs(clock)

    @app.get("/me")
    async def me(user: Annotated[ForeignSession, Depends(user)]) -> str | None:
        return user.subject

    with browser(app) as client:
        document = client.get("/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["AuthjsSessionCookie"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", AUTHJS_COOKIE)
    operation = document["paths"]["/me"]["get"]
    assert {"AuthjsSessionCookie": []} in operation["security"]
    assert operation["responses"]["401"] == {"description": "Not signed in at the front end"}


def test_an_override_takes_its_place_in_a_test(clock):
    front_end = authjs(clock)
    app = signed_in_app(front_end)
    app.dependency_overrides[front_end] = lambda: ForeignSession({"email": "eve@example.com"}, subject="eve")
    assert ask(app).json()["subject"] == "eve"


async def takes_one(user: ForeignSession) -> None: ...
async def may_take_one(user: ForeignSession | None = None) -> None: ...
async def takes_several(users: list[ForeignSession]) -> None: ...
async def returns_one() -> ForeignSession: ...
async def makes_one(user: Annotated[object, Depends(ForeignSession)]) -> None: ...
async def makes_the_dependency(user: Annotated[object, Depends(SignedIn)]) -> None: ...


@pytest.mark.parametrize("endpoint", [takes_one, may_take_one, takes_several, returns_one])
def test_a_forgotten_depends_does_not_let_the_client_say_who_it_is(endpoint):
    with pytest.raises(ConfigurationError, match=r"SignedIn\(\.\.\.\)"):
        FastAPI().post("/slip")(endpoint)


@pytest.mark.parametrize("endpoint", [makes_one, makes_the_dependency])
def test_a_class_in_depends_is_found_before_it_is_served(endpoint):
    def serve():
        app = shop()
        app.post("/slip")(endpoint)
        browser(app).get("/cart")

    with pytest.raises((ConfigurationError, FastAPIError)):
        serve()


async def stands_in() -> ForeignSession:
    return ForeignSession({}, subject="eve")


def test_a_dependency_may_make_one_itself():
    app = shop()

    @app.get("/me")
    async def me(user: Annotated[ForeignSession, Depends(stands_in)]) -> str | None:
        return user.subject

    assert browser(app).get("/me").json() == "eve"


def test_a_format_that_does_not_say_who_is_signed_in_needs_to_be_told(clock):
    password = "a password of the front end, long enough"
    for reader in (H3Session(password=password), NuxtSession(password=password)):
        with pytest.raises(ConfigurationError, match="subject=lambda data"):
            SignedIn(reader)
    reader = NuxtSession(password=password)
    front_end = SignedIn(reader, subject=lambda data: (data.get("user") or {}).get("id"), clock=clock)
    app = signed_in_app(front_end)
    known, visitor = (
        ask(app, reader.write(ForeignSession(data), now=START)["nuxt-session"], name="nuxt-session")
        for data in ({"user": {"id": 7}}, {"cart": ["tea"]})
    )
    assert known.json()["subject"] == "7"
    assert visitor.status_code == 401


def test_another_claim_than_sub_can_say_who_it_is(clock):
    app = signed_in_app(authjs(clock, subject=lambda claims: claims.get("user_id")))
    assert ask(app, authjs_cookie("x", at=START, user_id=42)).json()["subject"] == "42"
    assert ask(app, authjs_cookie("x", at=START)).status_code == 401


@pytest.mark.parametrize("nobody", [None, "", False])
def test_a_subject_that_is_nobody_is_nobody(clock, nobody):
    app = signed_in_app(authjs(clock, subject=lambda _: nobody))
    assert ask(app, authjs_cookie("ada", at=START)).status_code == 401


async def asynchronous(claims):
    return claims["sub"]


@pytest.mark.parametrize("subject", [asynchronous, lambda claims: claims, lambda claims: [claims["sub"]], bool])
def test_a_subject_that_would_name_all_users_alike_is_a_configuration_error(clock, subject):
    app = signed_in_app(authjs(clock, subject=subject))
    with pytest.raises(ConfigurationError, match="plain function"):
        ask(app, authjs_cookie("ada", at=START))


def test_what_is_no_format_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="takes a format"):
        SignedIn("secret")


@pytest.mark.parametrize("reader", [AuthjsSession(secret=AUTH_SECRET), NextAuthSession(secret=AUTH_SECRET)])
def test_a_front_ends_cookie_is_not_for_migrating_unless_it_may_go(reader):
    with pytest.raises(ConfigurationError, match="signs the user out"):
        Migration(reader, accept_until=NOW + timedelta(days=30))
    assert Migration(reader, accept_until=NOW + timedelta(days=30), signs_out_there=True)


def test_the_front_ends_cookie_is_migrated_and_deleted_when_that_is_said(clock):
    reader = AuthjsSession(secret=AUTH_SECRET)
    migration = Migration(reader, accept_until=NOW + timedelta(days=30), signs_out_there=True)
    response = ask(shop(clock=clock, migrate_from=[migration]), authjs_cookie("ada", at=START), path="/view")
    assert response.json()["sub"] == "ada"
    assert any(line.startswith(f"{AUTHJS_COOKIE}=;") for line in set_cookies(response))


class Rows:
    """Better Auth's rows by token, asked asynchronously."""

    def __init__(self, **users):
        self.users = users
        self.asked = []
        self.failure = None

    async def get(self, token):
        self.asked.append(token)
        if self.failure is not None:
            await self.failure()
        user = self.users.get(token)
        times = {"createdAt": NOW - timedelta(days=1), "expiresAt": NOW + timedelta(days=6)}
        session = {"id": f"session of {user}", "token": token, "userId": user, **times}
        return user and {"session": session, "user": {"id": user, "email": f"{user}@example.com", "name": user}}


async def down():
    message = "The database did not answer."
    raise StoreUnavailableError(message)


async def hang():
    await asyncio.Event().wait()


@pytest.fixture
def rows():
    return Rows(token_of_ada="ada", token_of_bob="bob")


def better_auth(rows, clock, **options):
    return SignedIn(BetterAuthSession(secret=AUTH_SECRET, store=rows, timeout=0.05), clock=clock, **options)


def test_better_auths_database_is_asked_for_authentic_tokens_only(clock, rows):
    app = signed_in_app(better_auth(rows, clock))
    for value in ("garbage", "token_of_ada.AAAA", better_auth_cookie("token_of_ada")[:-6]):
        assert ask(app, value, name=BETTER_AUTH_COOKIE).status_code == 401
    assert rows.asked == []
    response = ask(app, better_auth_cookie("token_of_ada"), name=BETTER_AUTH_COOKIE)
    assert (response.json()["subject"], response.json()["id"]) == ("ada", "session of ada")
    assert response.json()["created_at"] == START - DAY
    assert rows.asked == ["token_of_ada"]


def test_who_signed_out_at_better_auth_is_unknown_at_once(clock, rows):
    app = signed_in_app(better_auth(rows, clock))
    del rows.users["token_of_ada"]
    assert ask(app, better_auth_cookie("token_of_ada"), name=BETTER_AUTH_COOKIE).status_code == 401


@pytest.mark.parametrize("failure", [down, hang])
def test_a_database_that_does_not_answer_is_503_and_not_a_sign_out(clock, rows, failure):
    rows.failure = failure
    for optional in (False, True):
        app = signed_in_app(better_auth(rows, clock, optional=optional))
        response = ask(app, better_auth_cookie("token_of_ada"), name=BETTER_AUTH_COOKIE)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert ask(app, name=BETTER_AUTH_COOKIE).status_code == (200 if optional else 401)


def test_importing_fastsession_does_not_import_the_formats():
    script = "import sys, fastsession; print(*[name for name in sys.modules if name.startswith('fastsession.formats')])"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "fastsession.formats.contract" in modules
    for name in ("jwe", "jws", "authjs", "better_auth", "h3", "iron"):
        assert name not in modules


def test_the_secret_of_the_front_end_is_not_ours_too(clock):
    secret = generate_key()
    front_end = SignedIn(AuthjsSession(secret=secret))
    with pytest.raises(ConfigurationError, match="give that one its own"):
        browser(shop(clock=clock, secret_key=secret, binding=front_end)).get("/cart")
