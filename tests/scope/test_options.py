import time
from datetime import datetime
from functools import partial

import pytest

from fastsession import ConfigurationError, SessionMiddleware
from tests.shop import SECRET, browser, set_cookies, shop


@pytest.mark.parametrize(
    ("options", "name", "attributes"),
    [
        ({}, "__Host-app_session", "path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"session_cookie": "s"}, "__Host-s", "path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"session_cookie": "__Host-s"}, "__Host-s", "path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"session_cookie": "__Host-Http-s"}, "__Host-Http-s", "path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"session_cookie": "__Secure-s"}, "__Secure-s", "path=/; HttpOnly; SameSite=Lax; Secure"),
        ({"path": "/cart"}, "__Secure-app_session", "path=/cart; HttpOnly; SameSite=Lax; Secure"),
        (
            {"domain": "testserver.local"},
            "__Secure-app_session",
            "path=/; domain=testserver.local; HttpOnly; SameSite=Lax; Secure",
        ),
        ({"https_only": False}, "app_session", "path=/; HttpOnly; SameSite=Lax"),
        ({"same_site": "strict"}, "__Host-app_session", "path=/; HttpOnly; SameSite=Strict; Secure"),
        ({"same_site": "none"}, "__Host-app_session", "path=/; HttpOnly; SameSite=None; Secure"),
        ({"partitioned": True}, "__Host-app_session", "path=/; HttpOnly; SameSite=Lax; Secure; Partitioned"),
    ],
)
def test_the_cookie_is_set_and_cleared_with_the_same_name_and_attributes(options, name, attributes):
    app = shop(**options)
    client = browser(app)
    [written] = set_cookies(client.post("/cart/tea"))
    assert (written.partition("=")[0], written.partition("; ")[2]) == (name, attributes)
    header = written.partition(";")[0]
    [cleared] = set_cookies(browser(app).post("/logout", headers={"cookie": header}))
    path, rest = attributes.split("; ", 1)
    assert cleared == f"{name}=; {path}; Max-Age=0; {rest}"


@pytest.mark.parametrize(
    "options",
    [
        {"session_cookie": "__Host-s", "path": "/cart"},
        {"session_cookie": "__Host-s", "domain": "example.com"},
        {"session_cookie": "__Host-s", "https_only": False},
        {"session_cookie": "__Host-Http-s", "path": "/cart"},
        {"session_cookie": "__Secure-s", "https_only": False},
        {"session_cookie": "a b"},
        {"session_cookie": ""},
        {"session_cookie": None},
        {"session_cookie": "a=b"},
        {"same_site": "none", "https_only": False},
        {"partitioned": True, "https_only": False},
        {"partitioned": True, "max_cookies": 3},
        {"same_site": "Lax"},
        {"path": "cart"},
        {"path": "/; Domain=evil.example"},
        {"domain": "example.com; Max-Age=0"},
        {"domain": ""},
        {"secret_key": ""},
        {"secret_key": "changeme"},
        {"audience": None},
        {"audience": b"staff"},
        {"model": dict},
        {"model": None},
    ],
    ids=str,
)
def test_options_that_contradict_each_other_are_refused_when_the_middleware_is_built(options):
    with pytest.raises(ConfigurationError):
        SessionMiddleware(None, **{"secret_key": SECRET, **options})


def test_there_is_no_default_secret():
    with pytest.raises(TypeError, match="secret_key is missing: make one with `python -m fastsession keygen`"):
        SessionMiddleware(None)


def test_options_are_given_by_name():
    with pytest.raises(TypeError):
        SessionMiddleware(None, SECRET)


@pytest.mark.parametrize("unknown", ["max_age", "secret", "timeout"])
def test_an_option_that_does_not_exist_is_not_ignored(unknown):
    with pytest.raises(TypeError, match=unknown):
        SessionMiddleware(None, secret_key=SECRET, **{unknown: 1})


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("max_age", "idle_timeout= and absolute_timeout= .* remember=Lifetime"),
        ("secret", "write secret_key="),
        ("idle_timout", "write idle_timeout="),
        ("https", "write https_only="),
        ("samesite", "write same_site="),
        ("revocation", "write revocations="),
        ("quite_another", "docs/configuration.md has them all"),
    ],
)
def test_an_option_that_does_not_exist_is_answered_with_what_to_write(given, advice):
    with pytest.raises(TypeError, match=f"SessionMiddleware has no option {given}=: {advice}"):
        SessionMiddleware(None, secret_key=SECRET, **{given: 1})


async def asynchronous_clock() -> float:
    return 0.0


@pytest.mark.parametrize(
    "clock",
    [None, 1_800_000_000, asynchronous_clock, partial(asynchronous_clock), datetime.now, time.time_ns],
    ids=["none", "number", "asynchronous", "partial", "datetime", "nanoseconds"],
)
def test_a_clock_is_a_plain_function_of_seconds(clock):
    with pytest.raises(ConfigurationError, match=r"plain function that returns Unix seconds, such as time\.time"):
        SessionMiddleware(None, secret_key=SECRET, clock=clock)
