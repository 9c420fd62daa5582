from datetime import UTC, datetime, timedelta

import pytest

from fastsession import ConfigurationError, SessionMiddleware
from fastsession.testing import Clock, opened_session
from tests.shop import (
    ABSOLUTE,
    DAY,
    HOUR,
    IDLE,
    MINUTE,
    SECRET,
    START,
    browser,
    cookie_header,
    set_cookies,
    shop,
    shown,
)

YEAR_2038 = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
YEAR_2106 = datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)


@pytest.fixture
def app(clock):
    return shop(clock=clock)


@pytest.fixture
def cookie(app):
    client = browser(app)
    client.post("/cart/tea")
    return cookie_header(client)


def status(app, cookie):
    return shown(app, cookie, "/info").json()["status"]


@pytest.mark.parametrize(
    ("age", "received"),
    [(IDLE - 1, "valid"), (IDLE, "expired_idle"), (IDLE + 1, "expired_idle"), (DAY * 365, "expired_idle")],
)
def test_a_session_is_over_when_it_was_idle_for_the_idle_timeout(app, clock, cookie, age, received):
    clock.advance(age)
    assert status(app, cookie) == received


@pytest.mark.parametrize(
    ("age", "received"),
    [(ABSOLUTE - 1, "valid"), (ABSOLUTE, "expired_absolute"), (ABSOLUTE + 1, "expired_absolute")],
)
def test_a_session_in_use_is_over_after_the_absolute_timeout(app, clock, age, received):
    client = browser(app)
    client.post("/cart/tea")
    while clock.now < START + ABSOLUTE - 20 * MINUTE:
        clock.advance(20 * MINUTE - 1)
        client.get("/cart")
    clock.now = START + age
    assert client.get("/info").json()["status"] == received


def test_no_renewal_and_no_save_moves_created_at(app, clock):
    client = browser(app)
    for _ in range(20):
        client.post("/cart/tea")
        clock.advance(15 * MINUTE)
        client.get("/public")
        assert opened_session(app, client).info.created_at == datetime.fromtimestamp(START, UTC)


@pytest.mark.parametrize(("age", "renewals"), [(IDLE // 4 - 1, 0), (IDLE // 4, 1)])
def test_a_session_is_renewed_once_a_quarter_of_its_idle_timeout_has_passed(app, clock, cookie, age, renewals):
    clock.advance(age)
    assert len(set_cookies(shown(app, cookie))) == renewals


@pytest.mark.parametrize("renew_after", [60, timedelta(minutes=1)])
def test_renew_after_says_how_old_a_session_is_renewed(clock, cookie, renew_after):
    app = shop(clock=clock, renew_after=renew_after)
    clock.advance(59)
    assert set_cookies(shown(app, cookie)) == []
    clock.advance(1)
    assert len(set_cookies(shown(app, cookie))) == 1


def test_a_renewed_session_keeps_its_id_and_its_contents(app, clock, cookie):
    before = shown(app, cookie, "/info").json()["id"]
    clock.advance(IDLE // 4)
    session = opened_session(app, shown(app, cookie))
    assert (session.info.id, session.cart) == (before, ["tea"])
    assert session.info.renewed_at == datetime.fromtimestamp(START + IDLE // 4, UTC)


def test_a_change_moves_the_idle_deadline_too(app, clock, cookie):
    clock.advance(MINUTE)
    client = browser(app)
    client.post("/cart/milk", headers={"cookie": cookie})
    clock.advance(IDLE - 1)
    assert client.get("/cart").json() == ["tea", "milk"]


def test_a_session_expires_at_the_earlier_of_its_two_deadlines(app, clock, cookie):
    short = shop(clock=clock, absolute_timeout=IDLE - 1)
    assert expiry(app, cookie) == clock_time(START + IDLE)
    assert expiry(short, cookie) == clock_time(START + IDLE - 1)


def test_todays_timeouts_count_and_not_those_of_the_day_it_was_sealed(clock, cookie):
    clock.advance(10 * MINUTE)
    assert status(shop(clock=clock, idle_timeout=11 * MINUTE), cookie) == "valid"
    assert status(shop(clock=clock, idle_timeout=10 * MINUTE), cookie) == "expired_idle"
    assert status(shop(clock=clock, absolute_timeout=10 * MINUTE), cookie) == "expired_absolute"


def test_timedelta_and_seconds_mean_the_same(clock, cookie):
    clock.advance(10 * MINUTE)
    for timeout in (600, 600.0, timedelta(minutes=10)):
        assert status(shop(clock=clock, idle_timeout=timeout), cookie) == "expired_idle"


@pytest.mark.parametrize(
    ("behind", "received"), [(20, "valid"), (30, "valid"), (31, "future"), (300, "future"), (DAY * 365, "future")]
)
def test_a_clock_may_be_behind_the_sealing_one_by_thirty_seconds(clock, cookie, behind, received):
    clock.advance(-behind)
    assert status(shop(clock=clock), cookie) == received


def test_a_clock_that_was_set_back_keeps_no_session_alive_for_longer(app, clock, cookie):
    clock.advance(-20)
    assert status(app, cookie) == "valid"
    clock.advance(20 + IDLE)
    assert status(app, cookie) == "expired_idle"


@pytest.mark.parametrize("moment", [YEAR_2038, YEAR_2106])
def test_sessions_outlive_the_ends_of_32_bit_time(moment):
    clock = Clock(moment.timestamp() - 60)
    app = shop(clock=clock)
    client = browser(app)
    client.post("/cart/tea")
    clock.advance(120)
    info = opened_session(app, client).info
    assert (info.status, info.created_at) == ("valid", moment - timedelta(seconds=60))


def test_login_restarts_both_clocks(app, clock, cookie):
    clock.advance(20 * MINUTE)
    client = browser(app)
    client.post("/login", headers={"cookie": cookie})
    info = opened_session(app, client).info
    assert info.created_at == info.renewed_at == info.authenticated_at == clock_time(clock.now)
    assert info.expires_at == clock_time(clock.now + IDLE)


def test_renewals_do_not_make_the_login_younger(app, clock):
    client = browser(app)
    client.post("/login")
    clock.advance(IDLE // 2)
    client.post("/cart/tea")
    assert opened_session(app, client).info.authenticated_at == clock_time(START)


@pytest.mark.parametrize("option", ["idle_timeout", "absolute_timeout"])
@pytest.mark.parametrize("timeout", [0, -1, 0.5, float("inf"), float("nan"), 401 * DAY, None, True, "30", timedelta(0)])
def test_both_timeouts_are_finite_numbers_of_seconds(option, timeout):
    with pytest.raises(ConfigurationError, match="400 days"):
        browser(shop(**{option: timeout})).get("/public")


def test_renewal_must_come_before_the_session_is_over():
    with pytest.raises(ConfigurationError, match=r"renew_after .* shorter than the idle timeout"):
        browser(shop(idle_timeout=HOUR, renew_after=HOUR)).get("/public")


def clock_time(timestamp):
    return datetime.fromtimestamp(timestamp, UTC)


def expiry(app, cookie):
    return datetime.fromisoformat(shown(app, cookie, "/info").json()["expires_at"])


def test_an_absolute_timeout_alone_shortens_the_default_idle_timeout(clock):
    app = shop(clock=clock, absolute_timeout=10 * MINUTE)
    client = browser(app)
    client.post("/cart/tea")
    info = opened_session(app, client).info
    assert info.expires_at == clock_time(START + 10 * MINUTE)
    # A quarter of the shortened timeout: otherwise a session would be over before it is renewed.
    clock.advance(150)
    assert len(set_cookies(client.get("/public"))) == 1


@pytest.mark.parametrize("options", [{"idle_timeout": 7 * DAY}, {"idle_timeout": HOUR, "absolute_timeout": HOUR - 1}])
def test_an_idle_timeout_that_never_counts_is_refused(options):
    with pytest.raises(ConfigurationError, match=r"idle timeout \(\d+ s\) is longer than the absolute timeout"):
        SessionMiddleware(None, secret_key=SECRET, **options)


def test_renewal_must_come_before_a_shortened_idle_timeout_is_over():
    with pytest.raises(
        ConfigurationError, match=r"renew_after \(60 s\) must be shorter than the idle timeout \(60 s\)"
    ):
        SessionMiddleware(None, secret_key=SECRET, absolute_timeout=60, renew_after=60)
