"""The packages over sockets: headers as a real server writes them, two servers on one host, one jar of cookies."""

import httpx2
import pytest
from starlette_login.login_manager import Config

from fastsession import Session
from tests.live_server import served
from tests.third_party.login_site import login_site
from tests.third_party.oauth_shop import Member, oauth_shop
from tests.third_party.openid_provider import OpenIdProvider


def browser(address: str) -> httpx2.Client:
    return httpx2.Client(base_url=address, follow_redirects=True, trust_env=False)


@pytest.mark.parametrize("model", [Session, Member])
def test_a_visitor_signs_in_at_a_provider_and_out_again(model):
    provider = OpenIdProvider(subject="alice")
    with served(provider.app) as issuer:
        shop = oauth_shop(provider, issuer, model=model, https_only=False)
        with served(shop) as address, browser(address) as client:
            assert client.get("/login").json() == "alice"
            assert client.get("/keys").json() == ["user"]
            assert client.get("/logout").json() == {"post_logout_redirect_uri": f"{address}/signed-out"}
            assert client.get("/me").json() is None
            assert not client.cookies


def test_a_login_and_its_remember_token_travel_as_two_cookies():
    with served(login_site(Config(), https_only=False)) as address, browser(address) as client:
        answer = client.post("/sign-in", params={"remember": True})
        assert [line.partition("=")[0] for line in answer.headers.get_list("set-cookie")] == [
            "remember_token",
            "app_session",
        ]
        assert client.get("/account").json() == "ada"
        client.post("/sign-out")
        assert client.get("/account").url.path == "/sign-in"
