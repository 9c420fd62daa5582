"""What is derived from a secret, against HKDF and HMAC used by hand: no purpose shares another's key."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fastsession.sealing.keyring import Key
from fastsession.sealing.xaes import XAES256GCM

SECRET = b"eleven blue lanterns hang over the 7th pier"


def derived(purpose, size=32):
    return HKDF(SHA256(), size, salt=b"fastsession/v1", info=purpose).derive(SECRET)


def test_the_key_id_is_derived():
    assert Key(SECRET).id == derived(b"key id", 3)


@pytest.mark.parametrize(("cipher", "purpose"), [("cipher", b"seal"), ("record_cipher", b"store")])
def test_cookies_and_records_are_sealed_under_keys_of_their_own(cipher, purpose):
    sealing = getattr(Key(SECRET), cipher)
    assert XAES256GCM(derived(purpose)).open(sealing.seal(b"tea", b"aad", now=0), b"aad") == b"tea"


def test_a_handle_is_the_first_quarter_of_an_hmac_of_the_id():
    session_id = bytes(range(16))
    mac = hmac.new(derived(b"log handle"), session_id, hashlib.sha256)
    assert Key(SECRET).handle(session_id) == mac.hexdigest()[:16]


def test_an_owner_is_the_first_half_of_an_hmac_of_the_subject():
    mac = hmac.new(derived(b"owner"), "Zoë".encode(), hashlib.sha256)
    assert Key(SECRET).owner("Zoë") == mac.hexdigest()[:32]
