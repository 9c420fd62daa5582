"""A session comes in a cookie and in nothing else (security.md R-09)."""

import pytest
from fastapi import Request

from tests.shop import COOKIE, browser, shop


@pytest.fixture
def token(clock):
    client = browser(shop(clock=clock))
    client.post("/cart/tea")
    return client.cookies[COOKIE]


@pytest.fixture
def client(clock):
    app = shop(clock=clock)

    @app.post("/form")
    async def form(request: Request) -> list[str]:
        await request.form()
        return list(request.session)

    return browser(app)


def test_in_the_cookie_it_is_a_session(client, token):
    assert client.get("/cart", headers={"cookie": f"{COOKIE}={token}"}).json() == ["tea"]


@pytest.mark.parametrize(
    "header", ["authorization", "x-session", "cookie2", "set-cookie", "x-cookie", COOKIE, "x-forwarded-cookie"]
)
@pytest.mark.parametrize("form", ["{token}", "Bearer {token}", "{name}={token}"])
def test_in_another_header_it_is_none(client, token, header, form):
    assert client.get("/cart", headers={header: form.format(name=COOKIE, token=token)}).json() == []


@pytest.mark.parametrize("name", [COOKIE, "app_session", "session", "sid"])
def test_in_the_query_or_the_path_it_is_none(client, token, name):
    assert client.get("/cart", params={name: token}).json() == []
    assert client.get(f"/cart;{name}={token}").status_code == 404


@pytest.mark.parametrize("name", [COOKIE, "app_session", "session", "sid"])
def test_in_a_form_it_is_none(client, token, name):
    assert client.post("/form", data={name: token}).json() == []
