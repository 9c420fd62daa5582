"""What is derived from a secret, against HKDF and HMAC used by hand: no purpose shares another's key."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fastsession.keyring import Key, KeyRing, stretched
from fastsession.sealing.xaes import XAES256GCM
from fastsession.server_side.names import Names

SECRET = b"eleven blue lanterns hang over the 7th pier"


def derived(purpose, size=32):
    return HKDF(SHA256(), size, salt=b"fastsession/v1", info=purpose).derive(SECRET)


def test_the_key_id_is_derived():
    assert Key(SECRET).id == derived(b"key id", 3)


@pytest.mark.parametrize(("cipher", "purpose"), [("cipher", b"seal"), ("record_cipher", b"store")])
def test_cookies_and_records_are_sealed_under_keys_of_their_own(cipher, purpose):
    sealing = getattr(Key(SECRET), cipher)
    assert XAES256GCM(derived(purpose)).open(sealing.seal(b"tea", b"aad", now=0), b"aad") == b"tea"


def test_a_stretched_secret_has_the_form_of_a_generated_one_and_is_derived():
    text = urlsafe_b64encode(derived(b"purpose")).decode()
    assert text.endswith("=")
    assert stretched(SECRET, "purpose") == f"fs1.{text[:-1]}"


def test_a_handle_is_the_first_quarter_of_an_hmac_of_the_id():
    session_id = bytes(range(16))
    mac = hmac.new(derived(b"log handle"), session_id, hashlib.sha256)
    assert Key(SECRET).handle(session_id) == mac.hexdigest()[:16]


def test_an_owner_is_the_first_half_of_an_hmac_of_the_subject_for_one_cookie_and_audience():
    name_key = derived(b"names 11 app_session shop")
    mac = hmac.new(name_key, "subject:Zoë".encode(), hashlib.sha256)
    names = Names(KeyRing([SECRET]), cookie_name="app_session", audience="shop")
    assert names.owners("Zoë") == [mac.hexdigest()[:32]]


def test_a_session_is_denied_under_an_hmac_of_its_handle():
    session_id = bytes(range(16))
    handle = hmac.new(derived(b"log handle"), session_id, hashlib.sha256).hexdigest()[:16]
    mac = hmac.new(derived(b"names 11 app_session shop"), b"session:" + handle.encode(), hashlib.sha256)
    names = Names(KeyRing([SECRET]), cookie_name="app_session", audience="shop")
    assert names.sessions(session_id) == [names.session_with(handle)] == [mac.hexdigest()[:32]]
