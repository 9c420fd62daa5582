"""The decision table of docs/lifecycle.md through HTTP: how the cookie arrived, what was done, what was sent."""

import uuid

import pytest
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from fastsession import CurrentSession, Lifetime, Session, generate_key
from fastsession.testing import Clock, opened_session
from tests.shop import (
    CLEARED,
    COOKIE,
    HOUR,
    IDLE,
    OLD_SECRET,
    START,
    Current,
    browser,
    cookie_header,
    set_cookies,
    shop,
)

KEEP, SAVE, RENEW, CLEAR = "keep", "save", "renew", "clear"
ACTIONS = ("ignore", "look", "change", "regenerate", "remember", "destroy")
# One row for how the cookie arrived, one column for what the request did, in the order of ACTIONS.
BELOW_500 = {
    "absent": (KEEP, KEEP, SAVE, SAVE, SAVE, KEEP),
    "valid": (KEEP, KEEP, SAVE, SAVE, SAVE, CLEAR),
    "due": (RENEW, RENEW, SAVE, SAVE, SAVE, CLEAR),
    "fallback": (RENEW, RENEW, SAVE, SAVE, SAVE, CLEAR),
    "forged": (KEEP, KEEP, SAVE, SAVE, SAVE, CLEAR),
    "expired": (KEEP, KEEP, SAVE, SAVE, SAVE, CLEAR),
    "unknown_key": (KEEP, KEEP, SAVE, SAVE, SAVE, CLEAR),
}
FROM_500 = {arrived: tuple(KEEP if cell == SAVE else cell for cell in row) for arrived, row in BELOW_500.items()}
ROWS = [
    (arrived, action, status_code, outcome)
    for table, status_codes in ((BELOW_500, (200, 499)), (FROM_500, (500, 503)))
    for arrived, row in table.items()
    for action, outcome in zip(ACTIONS, row, strict=True)
    for status_code in status_codes
]


def deciding_shop(clock):
    app = shop(clock=clock, remember=Lifetime(idle=HOUR, absolute=HOUR), secret_key_fallbacks=[OLD_SECRET])

    @app.get("/ignore/{status_code}")
    async def ignore(status_code: int) -> Response:
        return Response(status_code=status_code)

    @app.get("/{action}/{status_code}")
    async def act(action: str, status_code: int, session: Current) -> Response:
        if action == "change":
            session.cart.append("milk")
        elif action != "look":
            getattr(session, action)()
        return Response(status_code=status_code)

    return app


def arriving_cookie(arrived, clock):
    secret = {"fallback": OLD_SECRET, "unknown_key": generate_key()}.get(arrived)
    client = browser(shop(clock=clock, **({"secret_key": secret} if secret else {})))
    client.post("/cart/tea")
    clock.advance({"due": IDLE // 4, "expired": IDLE}.get(arrived, 1))
    header = cookie_header(client)
    if arrived == "forged":
        # The last characters carry the tag; these two differ in all their bits that count.
        header = header[:-4] + ("AAAA" if header[-4:] != "AAAA" else "8888")
    return {} if arrived == "absent" else {"cookie": header}


def outcome_of(app, response):
    cookies = set_cookies(response)
    if not cookies:
        return KEEP
    if cookies == [CLEARED]:
        return CLEAR
    assert len(cookies) == 1
    session = opened_session(app, response)
    untouched = session.cart == ["tea"] and not session.info.remembered and session.info.authenticated_at is None
    return RENEW if untouched and session.info.created_at.timestamp() == START else SAVE


@pytest.mark.parametrize(("arrived", "action", "status_code", "outcome"), ROWS)
def test_the_response_does_what_the_table_says(arrived, action, status_code, outcome):
    clock = Clock(START)
    headers = arriving_cookie(arrived, clock)
    app = deciding_shop(clock)
    response = browser(app).get(f"/{action}/{status_code}", headers=headers)
    assert response.status_code == status_code
    assert outcome_of(app, response) == outcome


def test_destroying_wins_over_every_other_verb(client):
    client.post("/cart/tea")
    app = shop()

    @app.post("/all")
    async def everything(session: Current) -> None:
        session.destroy()
        session.regenerate()
        session.cart.append("milk")

    response = browser(app).post("/all", headers={"cookie": f"{COOKIE}=garbage"})
    assert set_cookies(response) == [CLEARED]


def test_a_key_that_is_written_after_destroying_begins_no_session():
    app = shop()

    @app.post("/logout-and-flash")
    async def log_out(request: Request, session: Current) -> None:
        session.destroy()
        request.session["flash"] = "Good bye!"

    client = browser(app)
    client.post("/cart/tea")
    assert set_cookies(client.post("/logout-and-flash")) == [CLEARED]


class Basket(Session):
    id: str = Field(default_factory=lambda: uuid.uuid4().hex)


def basket_shop():
    app = shop(model=Basket)

    @app.get("/basket")
    async def basket(session: CurrentSession[Basket]) -> str:
        return session.id

    return app


def test_a_model_whose_factories_make_values_is_saved_as_soon_as_it_is_touched():
    client = browser(basket_shop())
    assert set_cookies(client.get("/public")) == []
    assert client.get("/basket").json() == client.get("/basket").json()


def test_a_saved_factory_value_is_not_written_again():
    client = browser(basket_shop())
    client.get("/basket")
    assert set_cookies(client.get("/basket")) == []
