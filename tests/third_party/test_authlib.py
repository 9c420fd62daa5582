"""Authlib's Starlette client keeps its state in `request.session` from the redirect to the callback."""

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Host
from starlette.testclient import TestClient

from fastsession import Session
from fastsession.testing import opened_session
from tests.third_party.oauth_shop import Member, oauth_shop
from tests.third_party.openid_provider import OpenIdProvider

SHOP = "https://shop.test"
ISSUER = "https://provider.test"


class StateCache:
    """Authlib's server-side cache, which leaves only a marker in the session."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self.values.get(key)

    async def set(self, key: str, value: str, expires_in: int) -> None:
        self.values[key] = value

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)


@pytest.fixture
def provider() -> OpenIdProvider:
    return OpenIdProvider(subject="alice")


@pytest.fixture(params=[Session, Member], ids=["default_model", "typed_model"])
def shop(request: pytest.FixtureRequest, provider: OpenIdProvider) -> FastAPI:
    return shop_of(provider, model=request.param)


def shop_of(provider: OpenIdProvider, **options: Any) -> FastAPI:
    return oauth_shop(provider, ISSUER, transport=httpx2.ASGITransport(app=provider.app), **options)


def browser(shop: FastAPI, provider: OpenIdProvider) -> TestClient:
    """A client for both hosts, with one jar of cookies."""
    web = Starlette(routes=[Host("shop.test", shop), Host("provider.test", provider.app)])
    return TestClient(web, base_url=SHOP)


def callback_of(client: TestClient) -> str:
    """The address that the provider sends the browser back to."""
    to_provider = client.get("/login", follow_redirects=False)
    return client.get(to_provider.headers["location"], follow_redirects=False).headers["location"]


def states(client: TestClient) -> list[str]:
    return [key for key in client.get("/keys").json() if key.startswith("_state_sso_")]


def test_a_visitor_signs_in_at_the_provider(shop, provider):
    client = browser(shop, provider)
    arrived = client.get("/login")
    assert arrived.url == f"{SHOP}/me"
    assert arrived.json() == client.get("/me").json() == "alice"


def test_the_session_goes_to_the_shop_alone(shop, provider):
    client = browser(shop, provider)
    client.get("/login")
    assert {cookie.domain for cookie in client.cookies.jar} == {"shop.test"}


def test_the_state_is_saved_on_the_redirect(shop, provider):
    client = browser(shop, provider)
    to_provider = client.get("/login", follow_redirects=False)
    state = httpx2.URL(to_provider.headers["location"]).params["state"]
    assert states(client) == [f"_state_sso_{state}"]


def test_the_state_is_removed_by_the_callback(shop, provider):
    client = browser(shop, provider)
    client.get("/login")
    assert client.get("/keys").json() == ["user"]


def test_a_second_redirect_replaces_the_first_state(shop, provider):
    client = browser(shop, provider)
    client.get("/login", follow_redirects=False)
    first = states(client)
    client.get("/login", follow_redirects=False)
    assert len(states(client)) == 1
    assert states(client) != first


def test_a_callback_with_another_state_is_refused(shop, provider):
    client = browser(shop, provider)
    refused = client.get(httpx2.URL(callback_of(client)).copy_merge_params({"state": "forged"}))
    assert (refused.status_code, refused.json()) == (400, {"error": "mismatching_state"})
    assert client.get("/me").json() is None


def test_a_callback_that_another_browser_began_is_refused(shop, provider):
    attacker, victim = browser(shop, provider), browser(shop, provider)
    refused = victim.get(callback_of(attacker))
    assert (refused.status_code, refused.json()) == (400, {"error": "mismatching_state"})
    assert not victim.cookies


def test_a_callback_serves_only_once(shop, provider):
    client = browser(shop, provider)
    callback = callback_of(client)
    assert client.get(callback).json() == "alice"
    assert client.get(callback).json() == {"error": "mismatching_state"}
    assert client.get("/me").json() == "alice"


def test_an_altered_session_cookie_loses_the_state(shop, provider):
    client = browser(shop, provider)
    callback = callback_of(client)
    (cookie,) = client.cookies.jar
    cookie.value = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    assert client.get(callback).json() == {"error": "mismatching_state"}


def test_a_posted_callback_finds_its_state(shop, provider):
    client = browser(shop, provider)
    form = dict(httpx2.URL(callback_of(client)).params)
    assert client.post("/callback", data=form).json() == "alice"


def test_the_callback_can_regenerate_the_session(shop, provider):
    client = browser(shop, provider)
    callback = callback_of(client)
    before = opened_session(shop, client).info
    client.get(callback)
    after = opened_session(shop, client).info
    assert before.id != after.id
    assert before.authenticated_at is None
    assert after.authenticated_at is not None


def test_logout_at_the_provider_comes_back_with_its_state(shop, provider):
    client = browser(shop, provider)
    client.get("/login")
    signed_out = client.get("/logout")
    assert signed_out.json() == {"post_logout_redirect_uri": f"{SHOP}/signed-out"}
    assert client.get("/me").json() is None
    assert client.get(str(signed_out.url)).json() == {"error": "oauth_error"}


def test_a_session_without_content_ends_after_logout(shop, provider):
    client = browser(shop, provider)
    client.get("/login")
    client.get("/logout")
    assert not client.cookies


def test_with_a_cache_the_session_holds_a_marker(provider):
    cache = StateCache()
    shop = shop_of(provider, model=Session, cache=cache)
    client = browser(shop, provider)
    callback = callback_of(client)
    assert list(cache.values) == states(client)
    assert client.get(callback).json() == "alice"
    assert client.get("/keys").json() == ["user"]
    assert cache.values == {}


def test_with_a_cache_another_browser_is_refused_too(provider):
    shop = shop_of(provider, model=Session, cache=StateCache())
    attacker, victim = browser(shop, provider), browser(shop, provider)
    assert victim.get(callback_of(attacker)).json() == {"error": "mismatching_state"}


def test_a_declared_key_lands_in_the_model(provider):
    shop = shop_of(provider, model=Member)
    client = browser(shop, provider)
    client.get("/login")
    assert opened_session(shop, client, Member) == Member(user="alice")
