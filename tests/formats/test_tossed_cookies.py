"""Foreign cookies of which one name came several times (security.md R-22)."""

import hmac
import json
import sys
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from itsdangerous import TimestampSigner

from fastsession import Lifetime
from fastsession.cookies import cookie_pairs
from fastsession.errors import Rejected
from fastsession.formats import CookieSession, ExpressSession, Iron, IronSession, StarletteSession
from fastsession.formats.contract import ForeignSession
from fastsession.formats.encoding import encode_base64, encode_base64url
from fastsession.formats.migration import Migration
from fastsession.formats.sharing import SharedCookies
from fastsession.lifetime import Timeouts
from fastsession.sealing.token import Token
from fastsession.status import SessionStatus

NOW = 1_800_000_000
SECRET = "nobody counted the 93 gulls on that morning"
GARBAGE = ["x", "", "a.b", "Fe26.2*1*2*3", "x" * 3_000, '"quoted"', "%zz", "s%3Anothing"]
FORGED = "Fe26.2**{0}*AAAAAAAAAAAAAAAAAAAAAA*AAAA**{0}*AAAA".format("0" * 64)


def jar(*values, name="s"):
    return "; ".join(f"{name}={value}" for value in values).encode()


def planted(count=20):
    return [f"{value}{number}" for number in range(count) for value in GARBAGE]


class Signed(TimestampSigner):
    moment = NOW

    def get_timestamp(self):
        return self.moment


def starlette(user, at=NOW):
    signer = Signed(SECRET)
    signer.moment = at
    return signer.sign(b64encode(json.dumps({"user": user}).encode())).decode()


def signed_pair(user, secret=SECRET):
    """The two cookies of cookie-session."""
    value = encode_base64(json.dumps({"user": user}).encode())
    return value, encode_base64url(hmac.digest(secret.encode(), f"s={value}".encode(), "sha1"))


def iron(user, at=NOW):
    return IronSession(password=SECRET, cookie_name="s").write(ForeignSession({"user": user}), now=at)["s"]


def express(session_id):
    mac = encode_base64(hmac.digest(SECRET.encode(), session_id.encode(), "sha256")).rstrip("=")
    return f"s%3A{session_id}.{mac.replace('+', '%2B').replace('/', '%2F')}"


STORE = {user: json.dumps({"user": user, "cookie": {"expires": "2030-01-01T00:00:00Z"}}) for user in ("ada", "bob")}
IDS = {"ada": bytes(16), "bob": bytes(range(16))}


def shared(format_=None):
    return SharedCookies(
        format_ or IronSession(password=SECRET, cookie_name="s"), ["user"], Timeouts(Lifetime(1800, 43_200))
    )


def sealed(user, at=NOW, *, became=None):
    """The cookie of a shared session that we have written."""
    payload = json.dumps({"user": became or user}).encode()
    return shared().seal(Token(IDS[user], NOW - 100, 0, at, remembered=False, payload=payload), now=at)["s"]


def user_to_migrate(reader):
    """Whose session a migration finds in a header, and when its cookie was written."""

    def find(header):
        migration = Migration(reader, accept_until=datetime(2040, 1, 1, tzinfo=UTC))
        session = migration.read(cookie_pairs(header), now=NOW)
        return session.data["user"], session.created_at

    return find


def shared_user(header):
    """Whose session both sides find in a header, and when its cookie was written."""
    token = shared().open(header, b"", NOW).token
    return json.loads(token.payload)["user"], token.renewed_at


def user(find, header):
    """Whose session it is, or why it is none."""
    try:
        return find(header)[0]
    except Rejected as rejected:
        return rejected.status


READER = IronSession(password=SECRET, cookie_name="s")
# How a session is found among the cookies, and how one is made.
WAYS = {
    "StarletteSession": (user_to_migrate(StarletteSession(secret_key=SECRET, cookie_name="s")), starlette),
    "IronSession": (user_to_migrate(READER), iron),
    "ExpressSession": (user_to_migrate(ExpressSession(secret=SECRET, store=STORE, cookie_name="s")), express),
    "shared, begun there": (shared_user, iron),
    "shared, begun here": (shared_user, sealed),
}
EACH = pytest.mark.parametrize("way", WAYS)


@EACH
@pytest.mark.parametrize("place", [0, 7, 40])
def test_garbage_does_not_hide_a_session(way, place):
    find, make = WAYS[way]
    values = planted(5)
    values.insert(place, make("ada"))
    assert user(find, jar(*values)) == "ada"


@EACH
def test_two_peoples_sessions_are_ambiguous_and_one_twice_is_one(way):
    find, make = WAYS[way]
    assert user(find, jar(make("ada"), make("bob"))) is SessionStatus.AMBIGUOUS
    assert user(find, jar(make("bob"), "x", make("ada"))) is SessionStatus.AMBIGUOUS
    assert user(find, jar(make("ada"), make("ada"))) == "ada"


@pytest.mark.parametrize("way", ["StarletteSession", "shared, begun there", "shared, begun here"])
def test_of_one_session_the_newest_counts(way):
    find, make = WAYS[way]
    values = [make("ada", NOW - age) for age in (50, 10, 90)]
    assert find(jar(*values)) == ("ada", NOW - 10)


def test_a_session_that_holds_something_else_by_now_is_one_by_its_id():
    values = [sealed("ada", NOW - 50), sealed("ada", NOW - 5, became="eve"), sealed("ada", NOW - 20)]
    assert shared_user(jar(*values)) == ("eve", NOW - 5)


def test_a_signature_in_a_cookie_of_its_own_is_found_among_others():
    reader = CookieSession(keys=[SECRET], cookie_name="s")
    value, signature = signed_pair("ada")
    header = jar("x", value, "y") + b"; " + jar("x", "y", signature, name="s.sig")
    assert user(user_to_migrate(reader), header) == "ada"
    other, its = signed_pair("bob")
    both = jar(value, other) + b"; " + jar(signature, its, name="s.sig")
    assert user(user_to_migrate(reader), both) is SessionStatus.AMBIGUOUS


def test_without_a_cookie_of_the_name_there_is_none():
    assert user(user_to_migrate(READER), b"t=1; t=2") is SessionStatus.ABSENT
    assert user(user_to_migrate(READER), b"s=; s=") is SessionStatus.ABSENT


def test_an_expired_shared_session_does_not_make_a_valid_one_ambiguous():
    assert user(shared_user, jar(sealed("bob", NOW - 1800), sealed("ada"))) == "ada"


def test_a_shared_session_among_others_is_renewed_although_nobody_looks():
    assert shared().may_be_due(jar("x", sealed("ada")), NOW)
    assert not shared().may_be_due(jar(sealed("ada")), NOW)


@pytest.mark.parametrize("look", ["open", "migrate"])
def test_a_flood_of_seals_costs_four_keys_a_password_at_most(look):
    reader = Iron(
        password=[SECRET, SECRET[::-1]], cookie_name="s", ttl=3600, integrity={"iterations": 50, "salt_bits": 256}
    )
    header = jar(*[FORGED.replace("0", str(number % 10), 1) for number in range(50)])
    keys = 0

    def hook(frame, event, argument):
        nonlocal keys
        keys += event == "c_call" and argument.__name__ == "pbkdf2_hmac"

    assert len(header) > 8_000
    sys.setprofile(hook)
    try:
        with pytest.raises(Rejected):
            shared(reader).open(header, b"", NOW) if look == "open" else Migration(
                reader, accept_until=datetime(2040, 1, 1, tzinfo=UTC)
            ).read(cookie_pairs(header), now=NOW)
    finally:
        sys.setprofile(None)
    assert keys == 4 * 2
