"""The example shop on a SQL database: in a SQLAlchemyStore, as docs/stores.md shows."""

import asyncio

import pytest

from example_app.app import create_app
from fastsession import generate_key
from fastsession.stores import SQLAlchemyStore, create_tables
from fastsession.stores.sqlalchemy_tables import SESSIONS
from tests.example_shop import FIREFOX, SAFARI, another_browser, serving, sign_in
from tests.processes import PATIENCE


@pytest.fixture(params=["postgres", "mariadb"])
def server(request):
    server = request.getfixturevalue(request.param)
    server.empty()
    return server


def test_the_shop_runs_on_it(server):
    asyncio.run(create_tables(server.url()))
    app = create_app(generate_key(), SQLAlchemyStore(server.url(), timeout=PATIENCE))
    with serving(app) as browser:
        browser.headers["user-agent"] = FIREFOX
        assert sign_in(browser).status_code == 200
        phone = another_browser(browser, SAFARI)
        sign_in(phone)
        devices = browser.get("/account/devices").text
        assert "Firefox" in devices
        assert "Safari" in devices
        owners = server.sql(f"SELECT count(DISTINCT owner), count(owner) FROM {SESSIONS} WHERE owner IS NOT NULL")
        assert owners.replace("|", "\t") == "1\t2"
