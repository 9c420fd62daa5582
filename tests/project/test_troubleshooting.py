"""docs/troubleshooting.md: every line of the log that it shows is provoked, word for word."""

import logging
import re
from pathlib import Path

import pytest
from fastapi import BackgroundTasks, Request
from fastapi.testclient import TestClient

from fastsession import DeviceBinding, Session, SessionTooLargeError, generate_key
from fastsession.stores import MemoryRevocations, MemoryStore
from fastsession.testing import Clock, sealed_cookies
from tests.shop import COOKIE, DAY, IDLE, START, Current, browser, cookie_header, shop, shown
from tests.shop import ShopSession as Shop

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text()
VARYING = {
    "session": r"[0-9a-f]{16}",
    "client": r"[\w.]+",
    "at": r"[\d-]+ [\d:.]+\+00:00",
}
clock = Clock(START)


class ShopSession(Session):
    cart: dict[str, int] = {}


def site(**options):
    app = shop(**{"clock": clock, **options})
    app.add_api_route("/account", account)
    return app


async def account(request: Request) -> dict[str, object]:
    return request.session


def signed_in(**options):
    client = browser(site(**options))
    client.post("/login")
    return client


def seen(app, cookies):
    return shown(app, cookies, "/account")


def plain_http():
    client = TestClient(site(), base_url="http://shop.example.com")
    client.post("/login")
    return client.get("/account")


def cookie_not_sent_back():
    client = signed_in()
    client.cookies.clear()
    response = client.get("/account")
    client.post("/cart/tea")
    return response


def another_secret():
    return seen(site(secret_key=generate_key()), cookie_header(signed_in()))


def another_programs_cookie():
    return seen(site(), f"{COOKIE}=eyJ1c2VyIjogNDJ9")


def another_audience():
    return seen(site(audience="shop"), cookie_header(signed_in()))


def change_in_a_background_task():
    app = site()

    @app.post("/sign-in")
    async def sign_in(session: Current, tasks: BackgroundTasks) -> None:
        tasks.add_task(setattr, session, "user_id", 42)

    client = browser(app)
    client.post("/sign-in")
    return client.get("/account")


def exception_after_the_change():
    app = site()

    @app.post("/sign-in")
    async def sign_in(session: Current) -> None:
        session.regenerate()
        session.user_id = 42
        raise RuntimeError

    client = browser(app, errors_raised=False)
    client.post("/sign-in")
    return client.get("/account")


def another_model():
    client = signed_in()
    client.post("/cart/tea")
    return seen(site(model=ShopSession), cookie_header(client))


def chunk_lost():
    client = signed_in()
    client.post("/note/5000")
    return seen(site(), cookie_header(client).partition("; ")[0])


def cookies_of_two_sessions():
    return seen(site(), f"{cookie_header(signed_in())}; {cookie_header(signed_in())}")


def bound_to_an_address():
    client = signed_in(binding=lambda connection: b"203.0.113.9")
    return seen(site(binding=lambda connection: b"203.0.113.77"), cookie_header(client))


def a_memory_store_in_each_worker():
    return seen(site(store=MemoryStore()), cookie_header(signed_in(store=MemoryStore())))


EMPTY_AFTER_LOGIN = {
    "The cookie goes over plain http": plain_http,
    "The cookie does not come back": cookie_not_sent_back,
    "Every worker has its own secret": another_secret,
    "Another program uses the name": another_programs_cookie,
    "The cookie is of another audience": another_audience,
    "The change came too late": change_in_a_background_task,
    "The request ended in an exception": exception_after_the_change,
    "The model has changed": another_model,
    "A cookie of several was lost": chunk_lost,
    "Two sessions arrive at once": cookies_of_two_sessions,
    "The binding changes": bound_to_an_address,
    "The store is not the same one": a_memory_store_in_each_worker,
}


def after(seconds, **options):
    def provoke():
        client = signed_in()
        return seen(site(clock=Clock(START + seconds), **options), cookie_header(client))

    return provoke


OUT_TOO_EARLY = {
    "expired_idle": after(IDLE),
    "expired_absolute": after(IDLE - 1, absolute_timeout=IDLE - 1),
    "future": after(-31),
    "revoked": after(0, not_before=START + DAY),
}


def section(heading):
    """What stands below the heading, up to the next one of its level or above."""
    level = re.search(rf"^(#+) {re.escape(heading)}$", PAGE, re.MULTILINE)
    assert level, heading
    return re.split(rf"^#{{1,{len(level[1])}}} ", PAGE[level.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def pattern(line):
    """The line, with room for what differs from run to run."""
    for name, value in VARYING.items():
        line = re.sub(rf" {name}={value}(?= |$)", f" {name}=#", line)
    return line


def lines(text):
    return [pattern(line) for line in re.findall(r"^```text\n(.*)\n```$", text, re.MULTILINE)]


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.DEBUG, "fastsession")
    return caplog


def logged(log):
    return [pattern(record.getMessage()) for record in log.records if record.name == "fastsession"]


def test_the_page_has_a_section_for_each_of_twelve_causes():
    headings = re.findall(r"^### (.+)$", section("My session is empty after login"), re.MULTILINE)
    assert headings == list(EMPTY_AFTER_LOGIN)
    assert len(headings) == 12


@pytest.mark.parametrize("heading", EMPTY_AFTER_LOGIN)
def test_a_session_that_is_empty_after_login_leaves_the_line_that_the_page_shows(heading, log):
    [shown_line] = lines(section(heading))
    assert EMPTY_AFTER_LOGIN[heading]().json() == {}
    assert shown_line in logged(log)


@pytest.mark.parametrize("status", OUT_TOO_EARLY)
def test_a_logout_that_comes_too_early_leaves_the_line_that_the_page_shows(status, log):
    [shown_line] = [line for line in lines(section("Logged out too early")) if f"status={status} " in line]
    assert OUT_TOO_EARLY[status]().json() == {}
    assert shown_line in logged(log)


def without_its_device():
    client = browser(site(device_binding=DeviceBinding()))
    client.post("/login")
    return seen(site(device_binding=DeviceBinding()), cookie_header(client).partition("; ")[0])


def without_a_proof():
    app = site(device_binding=DeviceBinding(), clock=Clock(START))
    cookies = sealed_cookies(app, Shop(), bound=True)
    late = site(device_binding=DeviceBinding(), clock=Clock(START + 600))
    return seen(late, "; ".join(f"{name}={value}" for name, value in cookies.items()))


def test_a_session_without_its_device_or_proof_leaves_the_lines_that_the_page_shows(log):
    for provoke, shown_line in zip(
        (without_a_proof, without_its_device), lines(section("Users must sign in again after ten minutes")), strict=True
    ):
        log.clear()
        assert provoke().json() == {}
        assert shown_line in logged(log)


def test_a_session_that_is_too_large_is_told_as_the_page_quotes():
    [quoted] = re.findall(r"^> (.+) …$", section("SessionTooLargeError"), re.MULTILINE)
    with pytest.raises(SessionTooLargeError) as caught:
        browser(site()).post("/note/9000")
    assert str(caught.value).startswith(quoted)


def test_a_change_that_a_login_overtook_leaves_the_line_that_the_page_shows(log):
    app = site(revocations=MemoryRevocations())
    client = browser(app)
    client.post("/cart/tea")
    before = cookie_header(client)
    client.post("/login")
    client.post("/cart/tea", headers={"cookie": before})
    [shown_line] = lines(section("A login is lost, or a change made at the same moment"))
    assert shown_line in logged(log)
