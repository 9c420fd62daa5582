"""h3's seals, whose keys take 8,192 iterations: once for each, and not many for a flood of forged ones."""

import sys
from contextlib import contextmanager

import pytest

from fastsession import SessionStatus
from fastsession.cookies import cookie_pairs
from fastsession.errors import Rejected
from fastsession.formats import ForeignSession, H3Session, NuxtSession
from fastsession.formats.candidates import read_newest
from tests.formats.reception import status_of
from tests.formats.vector import vector

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

NOW = 1_800_000_000
PASSWORD = "a password of the front end, long enough"
FORGED = "Fe26.2**{0:064x}*AAAAAAAAAAAAAAAAAAAAAA*AAAAAAAAAAAAAAAAAAAAAA**{0:064x}*" + "A" * 43


def reader(**options):
    return H3Session(password=PASSWORD, cookie_name="s", **options)


def forged(number):
    return {"s": FORGED.format(number)}


@contextmanager
def counted():
    """The keys of many iterations that are derived meanwhile."""
    keys = []

    def hook(frame, event, argument):
        if event == "c_call" and argument.__name__ == "pbkdf2_hmac" and frame.f_locals["iterations"] > 1:
            keys.append(frame.f_locals["iterations"])

    sys.setprofile(hook)
    try:
        yield keys
    finally:
        sys.setprofile(None)


def test_a_seal_costs_its_two_keys_once():
    cookies, ours = reader().write(ForeignSession({"a": 1}), now=NOW), reader()
    with counted() as keys:
        for later in range(5):
            assert ours.read(cookies, now=NOW + later).data == {"a": 1}
    assert keys == [8192, 8192]


def test_what_we_seal_ourselves_costs_nothing_to_open_and_two_keys_in_all():
    ours = reader()
    with counted() as keys:
        for number in range(5):
            cookies = ours.write(ForeignSession({"a": number}), now=NOW)
            assert ours.read(cookies, now=NOW).data == {"a": number}
    assert keys == [8192, 8192]


def test_each_seal_is_another_although_salts_are_kept():
    ours = reader()
    first, second = (ours.write(ForeignSession({}, NOW, id="x"), now=NOW)["s"].split("*") for _ in range(2))
    assert first[2] == second[2]
    assert first[3:5] != second[3:5]
    assert first[2] != first[6]


def test_seals_of_version_1_cost_none_of_it():
    cookies = NuxtSession(password=PASSWORD, cookie_name="s").write(ForeignSession({"a": 1}), now=NOW)
    with counted() as keys:
        assert reader().read(cookies, now=NOW).data == {"a": 1}
        assert status_of(NuxtSession(password=PASSWORD, cookie_name="s"), forged(1), NOW) is SessionStatus.FORGED
    assert keys == []


@pytest.mark.parametrize(
    "value", ["x" * 3_000, "Fe26.2*1*2*3", "Fe26.1**a*b*c**d*e", "__chunked__2", "a*b*c*d*e*f*g*h"]
)
def test_garbage_costs_none_of_it(value):
    with counted() as keys:
        assert status_of(reader(), {"s": value}, NOW) is not SessionStatus.VALID
    assert keys == []


def test_a_forged_seal_that_comes_again_costs_no_more():
    ours = reader()
    with counted() as keys:
        for _ in range(5):
            assert status_of(ours, forged(1), NOW) is SessionStatus.FORGED
    assert keys == [8192]


def test_of_many_planted_in_one_request_four_are_opened_and_the_good_one_is_found():
    good = reader().write(ForeignSession({"a": 1}), now=NOW)["s"]
    planted = [FORGED.format(number) for number in range(30)]
    header = "; ".join(f"s={value}" for value in planted)
    with counted() as keys, pytest.raises(Rejected) as rejected:
        read_newest(reader(), cookie_pairs(header.encode()), now=NOW)
    assert rejected.value.status is SessionStatus.FORGED
    assert keys == [8192] * 4
    among = "; ".join(f"s={value}" for value in [*planted[:2], good, "x", ""])
    assert read_newest(reader(), cookie_pairs(among.encode()), now=NOW).data == {"a": 1}


def test_a_flood_costs_64_keys_a_second_and_turns_away_nobody_who_is_known():
    ours = reader()
    known = ours.write(ForeignSession({"a": 1}), now=NOW)
    new = reader().write(ForeignSession({"a": 2}), now=NOW)
    with counted() as keys:
        statuses = [status_of(ours, forged(number), NOW) for number in range(300)]
        assert status_of(ours, known, NOW) is SessionStatus.VALID
        assert status_of(ours, new, NOW) is SessionStatus.UNKNOWN_KEY
    assert len(keys) == statuses.count(SessionStatus.FORGED) == 64
    assert statuses.count(SessionStatus.UNKNOWN_KEY) == 300 - 64
    assert status_of(ours, new, NOW + 1) is SessionStatus.VALID


def test_a_flood_turns_away_nobody_where_a_key_costs_nothing():
    for cheap in (NuxtSession(password=PASSWORD, cookie_name="s"), reader(integrity={"iterations": 2})):
        statuses = {status_of(cheap, forged(number), NOW) for number in range(200)}
        assert statuses == {SessionStatus.FORGED}
        assert status_of(cheap, cheap.write(ForeignSession({}), now=NOW), NOW) is SessionStatus.VALID


def test_many_new_visitors_are_no_flood():
    ours, others = reader(), [reader() for _ in range(70)]
    cookies = [other.write(ForeignSession({"a": 1}), now=NOW) for other in others]
    assert {status_of(ours, each, NOW) for each in cookies} == {SessionStatus.VALID}


def test_a_flood_does_not_push_out_the_keys_of_good_seals():
    ours = reader()
    cookies = reader().write(ForeignSession({"a": 1}), now=NOW)
    ours.read(cookies, now=NOW)
    for number in range(700):
        status_of(ours, forged(number), NOW + number // 60)
    with counted() as keys:
        assert ours.read(cookies, now=NOW).data == {"a": 1}
    assert keys == []


def test_which_seals_a_version_reads():
    first, second = vector("h3-session/A07"), vector("h3-session/A01")
    passwords = {"password": first.fields["options"]["password"]}
    for found in (first, second):
        name = found.fields["cookie_name"]
        by_two = H3Session(cookie_name=name, **passwords)
        strict = H3Session(cookie_name=name, legacy_seals=False, **passwords)
        by_nuxt = NuxtSession(cookie_name=name, **passwords)
        newer_nuxt = NuxtSession(cookie_name=name, h3=2, **passwords)
        read = [status_of(each, found.cookies, found.now) for each in (by_two, strict, by_nuxt, newer_nuxt)]
        valid, forged = SessionStatus.VALID, SessionStatus.FORGED
        assert read == ([valid, forged, valid, valid] if found is first else [valid, valid, forged, valid])
