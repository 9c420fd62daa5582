"""Customers and staff: two middlewares that share a secret, a store and revocations, and no user."""

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI

from fastsession import (
    ConfigurationError,
    Session,
    SessionControl,
    SessionMiddleware,
    control_of,
    get_session_control,
    session_of,
)
from fastsession.keyring import KeyRing
from fastsession.server_side.names import Names
from tests.server_side.site import Home
from tests.shop import OLD_SECRET, SECRET, browser


class Person(Session):
    user_id: int | None = None

    def subject(self) -> str | None:
        return None if self.user_id is None else str(self.user_id)


class Customer(Person):
    pass


class Staff(Person):
    pass


MODELS = {"customer": Customer, "staff": Staff}


def routes(app, kind, model):
    session, control = session_of(model), control_of(model)

    @app.post(f"/{kind}/login/{{user_id}}")
    async def login(user_id: int, current: Annotated[Person, Depends(session)]):
        current.regenerate()
        current.user_id = user_id

    @app.get(f"/{kind}/who")
    async def who(current: Annotated[Person, Depends(session)]) -> list[object]:
        return [current.user_id, current.info.status, current.info.id]

    @app.post(f"/{kind}/list")
    async def listed(sessions: Annotated[SessionControl, Depends(control)]) -> int:
        return len(await sessions.list())

    @app.post(f"/{kind}/end/{{handle}}")
    async def end(handle: str, sessions: Annotated[SessionControl, Depends(control)]) -> bool:
        return await sessions.end(handle)

    @app.post(f"/{kind}/end-others")
    async def end_others(sessions: Annotated[SessionControl, Depends(control)]):
        await sessions.end_others()

    @app.post(f"/{kind}/end-all")
    async def end_all(sessions: Annotated[SessionControl, Depends(control)]):
        await sessions.end_all("1")


def site(together, options):
    """Both middlewares in one app, or each in an app of its own."""
    apps = {}
    shared = FastAPI()
    for kind, model in MODELS.items():
        app = shared if together else FastAPI()
        app.add_middleware(SessionMiddleware, model=model, secret_key=SECRET, session_cookie=kind, **options)
        routes(app, kind, model)
        apps[kind] = app
    return apps


@pytest.fixture(params=[True, False], ids=["one app", "two apps"])
def apps(request, mode, clock):
    return site(request.param, Home("memory", {}, clock).options(mode))


def signed_in(apps, kind):
    client = browser(apps[kind])
    client.post(f"/{kind}/login/1")
    return client


@pytest.mark.parametrize("verb", ["end-others", "end-all"])
def test_a_customer_does_not_end_the_sessions_of_staff_with_the_same_number(apps, verb):
    boss, customer = signed_in(apps, "staff"), signed_in(apps, "customer")
    assert customer.post(f"/customer/{verb}").status_code == 200
    assert boss.get("/staff/who").json()[:2] == [1, "valid"]
    assert boss.post("/staff/end-all").status_code == 200
    assert boss.get("/staff/who").json()[:2] == [None, "revoked"]


def test_a_handle_of_staff_is_none_of_a_customers(apps, mode):
    boss, customer = signed_in(apps, "staff"), signed_in(apps, "customer")
    handle = boss.get("/staff/who").json()[2]
    # Without a store nobody knows whether there is such a session.
    assert customer.post(f"/customer/end/{handle}").json() is (mode == "revocations")
    assert boss.get("/staff/who").json()[:2] == [1, "valid"]
    assert boss.post(f"/staff/end/{handle}").json() is True
    assert boss.get("/staff/who").json()[:2] == [None, "revoked"]


@pytest.mark.parametrize("mode", ["store", "both"])
@pytest.mark.parametrize("together", [True, False])
def test_a_customer_neither_lists_nor_evicts_staff(together, mode, clock):
    apps = site(together, {**Home("memory", {}, clock).options(mode), "max_sessions": 1})
    boss, customer = signed_in(apps, "staff"), signed_in(apps, "customer")
    assert customer.post("/customer/list").json() == 1
    assert boss.post("/staff/list").json() == 1
    assert boss.get("/staff/who").json()[:2] == [1, "valid"]


def test_audiences_and_names_keep_users_apart_and_secrets_are_all_looked_up():
    ring, older = KeyRing([SECRET.encode(), OLD_SECRET.encode()]), KeyRing([OLD_SECRET.encode()])

    def owners(keys, cookie_name="a", audience=""):
        return Names(keys, cookie_name=cookie_name, audience=audience).owners("1")

    pairs = [("a", ""), ("a", "b"), ("a b", ""), ("b", "a"), ("ab", ""), ("", "ab"), ("a", " b")]
    assert len({owners(older, *pair)[0] for pair in pairs}) == len(pairs)
    assert owners(ring)[1:] == owners(older)
    names = Names(ring, cookie_name="a", audience="")
    every = [*names.owners("x"), *names.cut_offs("x"), *names.foreign(b"x"), *names.sessions(b"x" * 16)]
    assert len({*every}) == 8


def test_the_control_is_the_innermost_middlewares_unless_a_model_is_named(clock):
    app = FastAPI()
    home = Home("memory", {}, clock)
    app.add_middleware(SessionMiddleware, model=Customer, secret_key=SECRET, session_cookie="customer")
    app.add_middleware(
        SessionMiddleware, model=Staff, secret_key=SECRET, session_cookie="staff", **home.options("store")
    )
    routes(app, "staff", Staff)

    @app.get("/innermost")
    async def innermost(sessions: Annotated[SessionControl, Depends(get_session_control)]):
        await sessions.list()

    client = browser(app)
    client.post("/staff/login/1")
    assert client.post("/staff/list").json() == 1
    with pytest.raises(ConfigurationError, match=r"model=Customer has neither.*control_of"):
        client.get("/innermost")


def test_one_dependency_serves_a_model():
    assert control_of(Staff) is control_of(Staff)
    assert control_of(Staff) is not control_of(Customer)
