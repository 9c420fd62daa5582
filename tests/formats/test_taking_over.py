"""Cookies of ours under a name under which Starlette's middleware signed: which is read, and why one is not."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from itsdangerous import TimestampSigner

from fastsession import Lifetime
from fastsession.errors import Rejected
from fastsession.formats.taking_over import TakingOverCookies
from fastsession.keyring import KeyRing
from fastsession.lifetime import Timeouts
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.token import Token, TokenSealer
from fastsession.status import SessionStatus

NOW = 1_800_000_000
IDLE, ABSOLUTE = 1800, 43_200
SECRET = "nobody counted the 93 gulls on that morning"
SEALER = TokenSealer(KeyRing([b"eleven blue lanterns hang over the 7th pier"]), cookie_name="s")


class Signer(TimestampSigner):
    moment = NOW

    def get_timestamp(self):
        return self.moment


def cookies(*, max_age=None, accept_until=None):
    timeouts = Timeouts(Lifetime(IDLE, ABSOLUTE))
    return TakingOverCookies(
        SEALER, Chunks("s", 2), timeouts, secret=SECRET, max_age=max_age, accept_until=accept_until
    )


def signed(data=None, *, at=NOW, secret=SECRET):
    signer = Signer(secret)
    signer.moment = at
    return signer.sign(b64encode(json.dumps(data or {"user": "ada"}).encode())).decode()


def sealed(*, at=NOW, binding=b""):
    return SEALER.seal(Token(bytes(16), at, 0, at, False, b"{}", binding), now=at)


def rejection(header, *, now=NOW, **options):
    with pytest.raises(Rejected) as rejected:
        cookies(**options).open(header, b"", now)
    return rejected.value.status, rejected.value.detail


def jar(*values):
    return "; ".join(f"s={value}" for value in values).encode()


def test_a_signed_session_begins_now_and_holds_what_it_held():
    arrival = cookies().open(jar(signed(at=NOW - 50)), b"", NOW)
    assert arrival.token.payload == b'{}\n{"user":"ada"}'
    assert (arrival.token.created_at, arrival.token.renewed_at, arrival.token.authenticated_at) == (NOW, NOW, 0)
    assert (arrival.origin.format, arrival.origin.deletions) == ("StarletteSession", ())


def test_without_a_cookie_of_the_name_there_is_no_session():
    assert cookies().open(b"t=1", b"", NOW) is None


@pytest.mark.parametrize("value", [signed(), sealed()], ids=["signed", "sealed"])
@pytest.mark.parametrize("max_age", [1, None])
def test_the_shortest_max_age_still_keeps_a_session(value, max_age):
    assert cookies(max_age=max_age).open(jar(value), b"", NOW) is not None


def test_a_signed_session_counts_for_whole_seconds_as_with_starlette():
    assert cookies(max_age=1).open(jar(signed()), b"", NOW + 1.9) is not None
    assert rejection(jar(signed()), now=NOW + 2, max_age=1)[0] is SessionStatus.EXPIRED_ABSOLUTE


def test_signed_sessions_count_until_the_date_and_sealed_ones_for_ever():
    until = datetime.fromtimestamp(NOW, UTC)
    assert cookies(accept_until=until).open(jar(signed(at=NOW - 9)), b"", NOW - 1) is not None
    assert rejection(jar(signed()), accept_until=until)[0] is SessionStatus.MALFORMED
    assert cookies(accept_until=until).open(jar(sealed()), b"", NOW) is not None


@pytest.mark.parametrize("max_age", [0, -1])
def test_a_max_age_that_is_not_positive_keeps_none(max_age):
    assert rejection(jar(sealed()), max_age=max_age) == (SessionStatus.EXPIRED_IDLE, "max_age is not positive")
    assert rejection(jar(signed()), max_age=max_age)[0] is SessionStatus.MALFORMED


def test_a_sealed_session_is_bound():
    header, bound = jar(sealed(binding=b"b" * 16)), b"b" * 16
    assert cookies().open(header, bound, NOW).token.binding == bound
    assert rejection(header)[0] is SessionStatus.BINDING


def test_a_sealed_session_goes_before_a_signed_one():
    for header in (jar(signed(), sealed()), jar(sealed(), signed())):
        assert cookies().open(header, b"", NOW).origin is None


def test_a_signed_session_beside_one_of_ours_that_is_over_is_read():
    header = jar(sealed(at=NOW - IDLE), signed())
    assert cookies().open(header, b"", NOW).origin.format == "StarletteSession"


REASONS = {
    "no token": (jar("garbage"), SessionStatus.MALFORMED),
    "empty": (jar(""), SessionStatus.MALFORMED),
    "ours, over": (jar(sealed(at=NOW - IDLE)), SessionStatus.EXPIRED_IDLE),
    "ours, ahead": (jar(sealed(at=NOW + 31)), SessionStatus.FUTURE),
    "ours, a chunk": (b"s.1=2.ABCDEFGH.rest", SessionStatus.INCOMPLETE),
    "signed with another secret": (jar(signed(secret="another")), SessionStatus.FORGED),
    "signed ahead": (jar(signed(at=NOW + 1)), SessionStatus.FUTURE),
    "signed, over": (jar(signed(at=NOW - 61)), SessionStatus.EXPIRED_ABSOLUTE),
    "signed, too large": (jar(signed({"text": "x" * 5_000})), SessionStatus.OVERSIZE),
    "signed for two": (jar(signed({"user": "ada"}), signed({"user": "bob"})), SessionStatus.AMBIGUOUS),
}


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_is_that_of_the_side_that_knows_the_cookie(name):
    header, status = REASONS[name]
    assert rejection(header, max_age=60)[0] is status


DUE = {
    "signed": (jar(signed()), True),
    "signed, a number": (jar(signed({"1": 1})), True),
    "sealed a quarter ago": (jar(sealed(at=NOW - IDLE // 4)), True),
    "sealed a moment less ago": (jar(sealed(at=NOW - IDLE // 4 + 1)), False),
    "none": (b"t=1", False),
}


@pytest.mark.parametrize("name", DUE)
def test_a_signed_session_is_due_at_any_time_and_a_sealed_one_after_a_quarter(name):
    header, due = DUE[name]
    assert cookies().may_be_due(header, NOW) is due
