"""Cookies with the right signature whose parts their own package would never put together."""

import asyncio
import hashlib
import hmac
from base64 import b64encode

import pytest

from fastsession import ConfigurationError, SessionStatus
from fastsession.formats import ClientSessions, ExpressSession, Iron, IronSession, LitestarSession
from fastsession.formats.contract import ForeignSession
from tests.formats.reception import status_of

SECRET = "a secret of the other system, long enough"
OLDER = "the secret that it had before, long enough"
NOW = 1751328000
IRON = Iron(password=SECRET, cookie_name="c")


def resealed(**changes):
    """A cookie of iron's with other parts, and the MAC that belongs to them."""
    names = ("prefix", "id", "salt", "iv", "ciphertext", "expiration", "integrity_salt", "mac")
    fields = dict(zip(names, IRON._sealer.seal(b'{"a": 1}', expires_at=None).split("*"), strict=True)) | changes
    base = "*".join(fields[name] for name in names[:6])
    key = hashlib.pbkdf2_hmac("sha1", SECRET.encode(), fields["integrity_salt"].encode(), 1, 32)
    mac = b64encode(hmac.digest(key, base.encode(), "sha256"), b"-_").rstrip(b"=").decode()
    return {"c": f"{base}*{fields['integrity_salt']}*{mac}"}


def test_a_seal_of_iron_put_together_again_opens():
    assert status_of(IRON, resealed(), NOW) is SessionStatus.VALID


@pytest.mark.parametrize("expiration", ["soon", "-1", "1e12", "1751331600000.5", " "])
def test_an_expiration_of_iron_that_is_no_time_is_malformed(expiration):
    assert status_of(IRON, resealed(expiration=expiration), NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize("iv", ["", "AAAA", "A" * 24])
def test_an_initialization_vector_of_another_size_is_malformed(iv):
    assert status_of(IRON, resealed(iv=iv), NOW) is SessionStatus.MALFORMED


def signed_by_express(session_id):
    signature = b64encode(hmac.digest(SECRET.encode(), session_id.encode(), "sha256")).rstrip(b"=").decode()
    return {"connect.sid": f"s:{session_id}.{signature}"}


def test_an_authentic_id_of_express_that_is_empty_is_malformed():
    reader = ExpressSession(secret=SECRET, store={"": b"{}"})
    assert status_of(reader, signed_by_express(""), NOW) is SessionStatus.MALFORMED


def test_a_store_whose_answer_has_to_be_awaited_is_named_even_if_it_is_no_coroutine():
    async def read():
        answer = asyncio.get_running_loop().create_future()
        return ExpressSession(secret=SECRET, store=StoreOf(answer)).read(signed_by_express("id"), now=NOW)

    with pytest.raises(ConfigurationError, match=r"await ExpressSession\.load"):
        asyncio.run(read())


class StoreOf:
    """Answers every question with the same."""

    def __init__(self, answer):
        self.answer = answer

    def get(self, session_id, /):
        return self.answer


def test_a_session_of_litestars_in_more_cookies_than_are_read_is_oversize():
    reader = LitestarSession(secret=bytes(range(32)), cookie_name="c")
    for count, status in ((16, SessionStatus.MALFORMED), (17, SessionStatus.OVERSIZE)):
        assert status_of(reader, {f"c-{number}": "AAAA" for number in range(count)}, NOW) is status


def test_a_session_of_client_sessions_without_times_is_not_extended():
    session = ForeignSession({"a": 1})
    assert ClientSessions(secret=SECRET, cookie_name="c").extended(session, now=NOW) is session


def test_passwords_of_iron_session_in_a_list_are_numbered_from_its_end():
    old, new = IronSession(password={1: OLDER}, cookie_name="c"), IronSession(password=[SECRET, OLDER], cookie_name="c")
    sealed = old.write(ForeignSession({"a": 1}), now=NOW)
    assert new.read(sealed, now=NOW).data == {"a": 1}
    assert new.write(ForeignSession({"a": 1}), now=NOW)["c"].startswith("Fe26.2*2*")


@pytest.mark.parametrize("password", [{"a": {"secret": 5}}, {"a": {"encryption": SECRET, "integrity": 5}}, {"a": 5}])
def test_a_password_of_iron_that_is_no_text_is_refused(password):
    with pytest.raises(ConfigurationError, match="each a string or bytes"):
        Iron(password=password, cookie_name="c")
