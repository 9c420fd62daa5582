"""Every rule about time, at its boundaries, and the decision about the response against a table."""

import itertools
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from fastsession import ConfigurationError, Lifetime
from fastsession.decision import Outcome, decide
from fastsession.lifetime import (
    CLOCK_SKEW,
    DEFAULT_IDLE,
    MAX_LIFETIME,
    Timeouts,
    as_datetime,
    moment,
    seconds,
    standard_lifetime,
)
from fastsession.status import SessionStatus

NOW = 1_800_000_000
DAY = 86_400
# The last seconds that 31, 32 and 40 bits count: 2038, 2106, the year 36,812.
MOMENTS = [0, NOW, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40 - 1 - DAY]

# Rows in the order of the contract's table, conditions as the facts that fulfil them; the first that fits decides.
YES, NO, ANY = {True}, {False}, {True, False}
ABSENT, VALID, ARRIVED = {SessionStatus.ABSENT}, {SessionStatus.VALID}, set(SessionStatus)
TABLE = [
    # destroyed, changed, server error, arrived, outdated, due, outcome
    (YES, ANY, ANY, ABSENT, ANY, ANY, Outcome.KEEP),
    (YES, ANY, ANY, ARRIVED, ANY, ANY, Outcome.CLEAR),
    (NO, YES, YES, ARRIVED, ANY, ANY, Outcome.KEEP),
    (NO, YES, NO, ARRIVED, YES, ANY, Outcome.KEEP),
    (NO, YES, NO, ARRIVED, NO, ANY, Outcome.SAVE),
    (NO, NO, ANY, VALID, ANY, YES, Outcome.RENEW),
    (NO, NO, ANY, ARRIVED, ANY, ANY, Outcome.KEEP),
]


@pytest.mark.parametrize("status", SessionStatus)
@pytest.mark.parametrize("status_code", [101, 200, 304, 404, 499, 500, 503, 599])
def test_the_outcome_is_the_tables(status, status_code):
    for destroyed, changed, outdated, due in itertools.product([True, False], repeat=4):
        facts = (destroyed, changed, status_code >= 500, status, outdated, due)
        fitting = (outcome for *cells, outcome in TABLE if all(map(set.__contains__, cells, facts)))
        switches = {"destroyed": destroyed, "changed": changed, "outdated": outdated, "due": due}
        assert decide(status, status_code=status_code, **switches) is next(fitting), switches


@pytest.mark.parametrize("renewed_at", MOMENTS)
@pytest.mark.parametrize(
    ("age", "status"), [(0, None), (1799, None), (1799.999, None), (1800, "expired_idle"), (1801, "expired_idle")]
)
def test_a_session_is_over_when_its_idle_timeout_is_reached(renewed_at, age, status):
    assert Timeouts(Lifetime(1800, DAY)).rejection(renewed_at, renewed_at, False, renewed_at + age) == status


@pytest.mark.parametrize("created_at", MOMENTS)
@pytest.mark.parametrize(
    ("age", "status"), [(DAY - 1, None), (DAY - 0.001, None), (DAY, "expired_absolute"), (DAY + 1, "expired_absolute")]
)
def test_a_session_is_over_when_its_absolute_timeout_is_reached(created_at, age, status):
    now = created_at + age
    assert Timeouts(Lifetime(1800, DAY)).rejection(created_at, int(now) - 1, False, now) == status


@pytest.mark.parametrize(
    ("renewed_at", "status"),
    [(DAY - 1801, "expired_idle"), (DAY - 1800, "expired_absolute"), (DAY - 1799, "expired_absolute")],
)
def test_of_two_timeouts_the_earlier_gives_the_reason(renewed_at, status):
    assert Timeouts(Lifetime(1800, DAY)).rejection(0, renewed_at, False, 10 * DAY) == status


@pytest.mark.parametrize(
    ("ahead", "status"), [(29, None), (30, None), (30.001, "future"), (31, "future"), (DAY, "future")]
)
def test_a_clock_may_be_thirty_seconds_ahead(ahead, status):
    timeouts = Timeouts(Lifetime(1800, DAY))
    assert CLOCK_SKEW == 30
    assert timeouts.rejection(NOW, NOW, False, NOW - ahead) == status
    assert timeouts.rejection(NOW - DAY // 2, NOW, False, NOW - ahead) == status


def test_a_session_created_in_the_future_is_refused_even_if_it_was_renewed_in_the_past():
    assert Timeouts(Lifetime(1800, DAY)).rejection(NOW + 31, NOW, False, NOW) is SessionStatus.FUTURE


def test_a_remembered_session_has_the_other_lifetime():
    timeouts = Timeouts(Lifetime(60, 600), remembered=Lifetime(DAY, 9 * DAY))
    assert timeouts.rejection(NOW - 5000, NOW - 5000, True, NOW) is None
    assert timeouts.rejection(NOW - 100, NOW - 100, False, NOW) is SessionStatus.EXPIRED_IDLE
    assert timeouts.rejection(NOW - DAY, NOW - DAY, True, NOW) is SessionStatus.EXPIRED_IDLE
    assert [timeouts.lifetime(remembered=on).idle for on in (True, False)] == [DAY, 60]


def test_without_a_lifetime_for_them_remembered_sessions_have_the_standard_one():
    assert Timeouts(Lifetime(60, 600)).rejection(NOW - 60, NOW - 60, True, NOW) is SessionStatus.EXPIRED_IDLE


@pytest.mark.parametrize(("created_at", "status"), [(NOW - 101, "revoked"), (NOW - 100, None), (NOW - 99, None)])
def test_not_before_revokes_older_sessions(created_at, status):
    for not_before in (NOW - 100, datetime.fromtimestamp(NOW - 100, UTC)):
        assert Timeouts(Lifetime(1800, DAY), not_before=not_before).rejection(created_at, NOW, False, NOW) == status


@pytest.mark.parametrize(("ahead", "status"), [(30, "revoked"), (30.5, "future")])
def test_of_a_session_from_the_future_not_before_is_not_told(ahead, status):
    timeouts = Timeouts(Lifetime(1800, DAY), not_before=NOW + DAY)
    assert timeouts.rejection(NOW, NOW, False, NOW - ahead) == status


@pytest.mark.parametrize(
    ("renew_after", "age", "due"),
    [
        *((None, 449, False), (None, 450, True), (timedelta(minutes=1), 59, False), (60, 60, True)),
        *((0, 0, True), (1799, 1798, False), (1799, 1799, True)),
    ],
)
def test_renewal_is_due_after_a_quarter_of_the_idle_timeout_or_as_told(renew_after, age, due):
    timeouts = Timeouts(Lifetime(1800, DAY), renew_after=renew_after)
    assert (NOW + age >= timeouts.admit(NOW, NOW, False, NOW).renews) is due
    least = 450 if renew_after is None else seconds("x", renew_after, least=0)
    assert timeouts.renewal_window(NOW, stale=False) == (NOW + least, NOW + 1800)


@pytest.mark.parametrize("renew_after", [1800, 1801, -1, timedelta(hours=1)])
def test_renewal_comes_before_the_idle_timeout(renew_after):
    with pytest.raises(ConfigurationError, match="renew_after"):
        Timeouts(Lifetime(1800, DAY), renew_after=renew_after)


def test_what_the_clear_header_tells_is_bounded_by_both_lifetimes():
    timeouts = Timeouts(Lifetime(60, 600), remembered=Lifetime(DAY, 9 * DAY))
    assert timeouts.renewal_window(NOW, stale=False) == (NOW + 15, NOW + DAY)


def test_what_a_fallback_key_sealed_may_be_renewed_at_any_age_but_not_when_it_is_over():
    assert Timeouts(Lifetime(60, 600)).renewal_window(NOW, stale=True) == (0, NOW + 60)


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("began", [0, 40, 100, 540, 541, 580, -20])
def test_a_session_is_valid_from_a_skewed_clock_ahead_until_the_earlier_of_its_deadlines(began, remembered):
    lifetime = Lifetime(300, 3000) if remembered else Lifetime(60, 600)
    timeouts = Timeouts(Lifetime(60, 600), remembered=Lifetime(300, 3000))
    begins, _, ends = timeouts.admit(NOW - began, NOW, remembered, NOW)
    assert begins == max(NOW - began, NOW) - CLOCK_SKEW
    assert ends == min(NOW + lifetime.idle, NOW - began + lifetime.absolute)


@pytest.mark.parametrize(
    ("renewed_at", "expires_at"), [(NOW, NOW + 1800), (NOW + DAY - 1800, NOW + DAY), (NOW + DAY - 1, NOW + DAY)]
)
def test_a_session_expires_at_the_earlier_deadline(renewed_at, expires_at):
    assert Lifetime(1800, DAY).expires_at(created_at=NOW, renewed_at=renewed_at) == expires_at


@pytest.mark.parametrize("given", [90, 90.0, 90.9, timedelta(seconds=90), timedelta(minutes=1.5)])
def test_a_lifetime_takes_seconds_and_timedeltas(given):
    assert Lifetime(given, given) == Lifetime(90, 90)
    assert isinstance(Lifetime(given, given).idle, int)


@pytest.mark.parametrize(
    "given",
    [
        *(
            0,
            0.5,
            -1,
            MAX_LIFETIME + 1,
            MAX_LIFETIME + 0.5,
            timedelta(0),
            timedelta(-1),
            timedelta(days=401),
            timedelta.max,
        ),
        *(float("nan"), float("inf"), 10**400, True, None, "90", b"90", Decimal(90), [90], 90j),
    ],
)
def test_a_lifetime_is_finite_and_at_most_400_days(given):
    for lifetime in ((given, 90), (90, given)):
        with pytest.raises(ConfigurationError, match=r"timeout takes .* from 1 to 34560000 \(400 days\)"):
            Lifetime(*lifetime)


def test_a_lifetime_is_frozen():
    with pytest.raises(AttributeError):
        Lifetime(1, 2).idle = 3


@pytest.mark.parametrize(
    "given", [NOW, NOW + 0.9, as_datetime(NOW), datetime.fromtimestamp(NOW, timezone(timedelta(hours=-7)))]
)
def test_a_moment_is_seconds_or_an_aware_datetime(given):
    assert moment("not_before", given) == NOW


@pytest.mark.parametrize(
    "given",
    [
        as_datetime(NOW).replace(tzinfo=None),
        float("nan"),
        float("inf"),
        "2027-01-15",
        "1800000000",
        None,
        True,
        [],
        timedelta(1),
    ],
)
def test_anything_else_is_no_moment(given):
    with pytest.raises(ConfigurationError, match="not_before"):
        moment("not_before", given)


def test_a_lifetime_may_last_400_days_and_a_renewal_come_just_before_its_end():
    assert Lifetime(MAX_LIFETIME, MAX_LIFETIME) == Lifetime(timedelta(days=400), 34_560_000)
    assert Timeouts(Lifetime(90, 90), renew_after=89).renewal_window(NOW, stale=False) == (NOW + 89, NOW + 90)


def test_a_quarter_of_the_idle_timeout_is_whole_seconds():
    due, _ = Timeouts(Lifetime(7, 90)).renewal_window(NOW, stale=False)
    assert (due, type(due)) == (NOW + 1, int)


def test_the_lifetime_of_a_session_is_told_as_it_was_configured():
    standard, remembered = Lifetime(60, 600), Lifetime(DAY, 9 * DAY)
    timeouts = Timeouts(standard, remembered=remembered)
    assert (timeouts.standard, timeouts.remembered, timeouts.longest_absolute) == (standard, remembered, 9 * DAY)
    assert Timeouts(standard).remembered is None


@pytest.mark.parametrize(
    ("created_at", "renewed_at", "now", "max_age"),
    [
        (NOW, NOW, NOW, DAY),
        (NOW, NOW, NOW + 0.9, DAY),
        (NOW - 9 * DAY + 60, NOW, NOW, 60),
        (NOW - 60, NOW - 60, NOW, DAY - 60),
        (NOW - DAY, NOW - DAY, NOW, 0),
        (NOW - 9 * DAY, NOW - 2 * DAY, NOW, 0),
    ],
)
def test_a_remembered_cookie_is_kept_until_its_session_is_over(created_at, renewed_at, now, max_age):
    timeouts = Timeouts(Lifetime(60, 600), remembered=Lifetime(DAY, 9 * DAY))
    assert timeouts.max_age(created_at, renewed_at, True, now) == max_age


def test_any_other_cookie_is_kept_as_long_as_the_browser_runs():
    assert Timeouts(Lifetime(60, 600), remembered=Lifetime(DAY, 9 * DAY)).max_age(NOW, NOW, False, NOW) is None
    # Sealed when the application still remembered sessions.
    assert Timeouts(Lifetime(60, 600)).max_age(NOW, NOW, True, NOW) is None


def test_a_timestamp_is_told_as_a_time_in_utc():
    assert as_datetime(NOW) == datetime(2027, 1, 15, 8, tzinfo=UTC)
    assert as_datetime(NOW).tzinfo is UTC


def test_a_refused_time_is_called_by_its_option():
    with pytest.raises(ConfigurationError, match=r"^not_before takes Unix seconds or a datetime with a time zone"):
        Timeouts(Lifetime(60, 600), not_before="2027-01-15")
    with pytest.raises(ConfigurationError, match=r"^The renew_after takes a timedelta or a number of seconds from 0"):
        Timeouts(Lifetime(60, 600), renew_after=-1)


def test_an_idle_timeout_longer_than_the_absolute_one_is_refused_with_both():
    with pytest.raises(ConfigurationError, match=r"idle timeout \(601 s\) is longer .* absolute timeout \(600 s\)"):
        Lifetime(timedelta(seconds=601), 600)


def test_an_idle_timeout_as_long_as_the_absolute_one_is_taken():
    assert Lifetime(600, timedelta(minutes=10)) == Lifetime(600.9, 600.1) == Lifetime(600, 600)


@pytest.mark.parametrize(("absolute", "idle"), [(60, 60), (1799, 1799), (1800, 1800), (1801, 1800), (DAY, 1800)])
def test_the_default_idle_timeout_is_at_most_the_absolute_one(absolute, idle):
    for given in (absolute, timedelta(seconds=absolute)):
        assert standard_lifetime(DEFAULT_IDLE, given) == Lifetime(idle, absolute)


@pytest.mark.parametrize("given", [1800, timedelta(minutes=30)])
def test_half_an_hour_that_somebody_wrote_down_contradicts_a_shorter_absolute_timeout(given):
    with pytest.raises(ConfigurationError, match=r"\(1800 s\) .* \(60 s\)"):
        standard_lifetime(given, 60)


@pytest.mark.parametrize("given", [timedelta(days=14), 1800, {"idle": 60, "absolute": 600}, (60, 600), ""])
def test_remember_takes_a_lifetime_and_says_so(given):
    with pytest.raises(ConfigurationError, match=r"remember=Lifetime\(idle=timedelta\(days=14\)"):
        Timeouts(Lifetime(60, 600), remembered=given)


def test_messages_about_two_lifetimes_say_what_to_write():
    with pytest.raises(ConfigurationError) as idle:
        Lifetime(601, 600)
    assert str(idle.value) == (
        "The idle timeout (601 s) is longer than the absolute timeout (600 s), which ends the session first. Shorten "
        "idle_timeout= or lengthen absolute_timeout= (idle= and absolute= of a Lifetime)."
    )
    with pytest.raises(ConfigurationError) as remember:
        Timeouts(Lifetime(1800, DAY), remembered=timedelta(days=14))
    assert str(remember.value) == (
        "remember takes a Lifetime: remember=Lifetime(idle=timedelta(days=14), absolute=timedelta(days=90)), or True: "
        "every session is remembered, with the standard timeouts."
    )
    with pytest.raises(ConfigurationError, match=r"^The absolute timeout takes"):
        standard_lifetime(DEFAULT_IDLE, 0)
    assert standard_lifetime(DEFAULT_IDLE, 1) == Lifetime(1, 1)


@pytest.mark.parametrize(
    ("remembered", "from_the_start", "lifetime"),
    [
        (None, False, None),
        (False, False, None),
        (True, True, Lifetime(1800, DAY)),
        (Lifetime(DAY, 9 * DAY), False, Lifetime(DAY, 9 * DAY)),
    ],
)
def test_which_sessions_are_remembered_and_how_long(remembered, from_the_start, lifetime):
    timeouts = Timeouts(Lifetime(1800, DAY), remembered=remembered)
    assert (timeouts.from_the_start, timeouts.remembered) == (from_the_start, lifetime)


@pytest.mark.parametrize(("stale", "renews"), [(True, 0), (False, NOW + 450)])
def test_the_window_of_a_session_is_from_the_allowed_skew_to_its_end(stale, renews):
    timeouts = Timeouts(Lifetime(1800, 1000 + 1800), remembered=Lifetime(DAY, 9 * DAY))
    assert timeouts.begin(NOW, stale=stale) == (NOW - CLOCK_SKEW, renews, NOW + 1800)
    assert timeouts.admit(NOW - 1000, NOW, False, NOW, stale) == (NOW - CLOCK_SKEW, renews, NOW + 1800)
    assert timeouts.admit(NOW - 1001, NOW, False, NOW, stale) == (NOW - CLOCK_SKEW, renews, NOW + 1799)


@pytest.mark.parametrize(
    ("age", "valid"), [(-CLOCK_SKEW - 1, False), (-CLOCK_SKEW, True), (0, True), (DAY - 1, True), (DAY, False)]
)
def test_a_token_that_is_not_opened_may_be_valid_for_the_longest_idle_timeout(age, valid):
    assert Timeouts(Lifetime(1800, DAY), remembered=Lifetime(DAY, 9 * DAY)).may_be_valid(NOW, NOW + age) is valid
