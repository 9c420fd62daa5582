"""Every way to turn a cookie away: one status, one event, and nothing that the client could tell apart."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import pytest
from fastapi import Depends, Request

from fastsession import Session, SessionInfo, SessionStatus, generate_key, get_session
from fastsession.testing import Clock
from tests.shop import CLEARED, COOKIE, IDLE, MINUTE, START, browser, cookie_header, set_cookies, shop, shown


class OtherSession(Session):
    cart: dict[str, int] = {}


class Case(NamedTuple):
    """A cookie made by a visitor of the shop, changed on its way, and received later with other options."""

    alter: Callable[[str], str] = str
    note: int = 0
    later: int = 1
    sealed_with: Mapping[str, Any] = MappingProxyType({})
    received_with: Mapping[str, Any] = MappingProxyType({})


def flipped(header):
    return header[:-4] + ("AAAA" if header[-4:] != "AAAA" else "8888")


def another_session(header):
    client = browser(shop(clock=Clock(START)))
    client.post("/cart/milk")
    return f"{header}; {cookie_header(client)}"


CASES = {
    "malformed": Case(alter=lambda _: f"{COOKIE}=garbage"),
    "oversize": Case(alter=lambda _: f"{COOKIE}={'A' * 20_000}"),
    "unknown_key": Case(sealed_with={"secret_key": generate_key()}),
    "forged": Case(alter=flipped),
    "expired_idle": Case(later=IDLE),
    "expired_absolute": Case(later=20 * MINUTE, received_with={"absolute_timeout": 20 * MINUTE}),
    "future": Case(later=-31),
    "revoked": Case(received_with={"not_before": START + 1}),
    "binding": Case(received_with={"binding": lambda _: b"another tenant"}),
    "incompatible": Case(received_with={"model": OtherSession}),
    "incomplete": Case(note=5_000, alter=lambda header: header.partition("; ")[0]),
    "ambiguous": Case(alter=another_session),
}


def receive(name, path):
    """The response to a case's cookie, and the events of that request."""
    case = CASES[name]
    clock, events = Clock(START), []
    client = browser(shop(clock=clock, **case.sealed_with))
    client.post("/cart/tea")
    client.post(f"/note/{case.note}")
    clock.advance(case.later)
    receiving = shop(clock=clock, on_event=events.append, **case.received_with)

    @receiving.get("/received")
    async def received(session: Annotated[Session, Depends(get_session)]) -> SessionInfo:
        return session.info

    @receiving.get("/end")
    async def end(session: Annotated[Session, Depends(get_session)]) -> None:
        session.destroy()

    @receiving.get("/begin")
    async def begin(request: Request) -> None:
        request.session["seen"] = 1

    return shown(receiving, case.alter(cookie_header(client)), path), events


def bytes_of(response):
    return response.status_code, response.headers.raw, response.content


def test_every_status_that_needs_no_store_has_a_case():
    # tests/device_binding has those of `unbound`.
    assert CASES.keys() == set(SessionStatus) - {"absent", "valid", "store_down", "unbound"}


@pytest.mark.parametrize("name", CASES)
def test_the_session_is_a_new_one_that_says_why_the_cookie_was_rejected(name):
    response, _ = receive(name, "/view")
    assert response.json() == {}
    assert response.status_code == 200


@pytest.mark.parametrize("name", CASES)
def test_every_rejection_is_one_event_with_its_status(name):
    _, events = receive(name, "/view")
    assert [(event.kind, event.status, event.session, event.subject) for event in events] == [
        ("rejected", name, "", None)
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_client_cannot_tell_a_rejected_cookie_from_none(name):
    response, _ = receive(name, "/view")
    assert bytes_of(response) == bytes_of(browser(shop()).get("/view"))


@pytest.mark.parametrize("name", CASES)
def test_a_logout_deletes_a_rejected_cookie_with_all_its_chunks(name):
    response, _ = receive(name, "/end")
    assert set_cookies(response)[0] == CLEARED
    assert all("Max-Age=0" in line for line in set_cookies(response))


@pytest.mark.parametrize("name", CASES)
def test_a_save_replaces_a_rejected_cookie_and_its_stale_chunks(name):
    response, events = receive(name, "/begin")
    first, *stale = [line.partition(";")[0] for line in set_cookies(response)]
    assert first.startswith(f"{COOKIE}=A")
    assert all(line.endswith("=") for line in stale)
    assert [event.kind for event in events] == ["rejected", "created"]


@pytest.mark.parametrize("name", CASES)
def test_a_rejection_that_nobody_looks_at_shows_in_nothing(name):
    response, _ = receive(name, "/public")
    assert bytes_of(response) == bytes_of(browser(shop()).get("/public"))


@pytest.mark.parametrize("name", CASES)
def test_info_says_how_the_cookie_was_received(name):
    info = receive(name, "/received")[0].json()
    assert (info["status"], info["is_new"], info["origin"]) == (name, True, "fastsession")


def test_an_incompatible_session_is_told_by_its_fields_and_never_by_its_values():
    _, [event] = receive("incompatible", "/view")
    assert event.detail == "does not fit OtherSession: cart"


def test_looking_twice_at_a_rejected_cookie_reports_it_once(clock, events):
    client = browser(shop(clock=clock, on_event=events.append))
    client.post("/cart/tea", headers={"cookie": f"{COOKIE}=garbage"})
    assert [event.kind for event in events] == ["rejected", "created"]


def test_a_rejected_session_leaves_nothing_behind_in_the_one_that_replaces_it(clock):
    before = browser(shop(clock=clock))
    before.post("/login")
    after = browser(shop(clock=clock))
    response = after.post("/cart/milk", headers={"cookie": flipped(cookie_header(before))})
    assert response.json() == ["milk"]
    assert after.get("/view").json() == {"cart": ["milk"]}
    assert after.get("/info").json()["id"] != before.get("/info").json()["id"]


def test_of_two_cookies_of_one_session_the_newest_counts(client, clock):
    client.post("/cart/tea")
    older = cookie_header(client)
    clock.advance(1)
    client.post("/cart/milk")
    for header in (f"{older}; {cookie_header(client)}", f"{cookie_header(client)}; {older}"):
        assert shown(shop(clock=clock), header).json() == ["tea", "milk"]


def test_a_bad_cookie_beside_a_good_one_of_the_same_name_does_no_harm(client, clock, events):
    client.post("/cart/tea")
    response = shown(shop(clock=clock), f"{COOKIE}=garbage; {cookie_header(client)}; {COOKIE}=")
    assert response.json() == ["tea"]
    assert {event.kind for event in events} == {"created"}
