"""Cookies under the right key that their own package would not write: a status, and never an exception."""

import hashlib
import hmac
import json
import os
import zlib
from base64 import b64encode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.secret import SecretBox

from fastsession import SessionStatus
from fastsession.formats import (
    ClientSessions,
    CookieSession,
    ExpressSession,
    FastifySecureSession,
    FlaskSession,
    Iron,
    IronSession,
    LitestarSession,
    StarletteSession,
    Yar,
)
from fastsession.formats.aes import encrypt_cbc
from tests.formats.reception import status_of

SECRET = "a secret of the other system, long enough"
KEY = bytes(range(32))
NOW = 1751328000
ENDS_IN_AN_HOUR = b'{"expires_at": 1751331600}'

ODD = {
    "nothing": b"",
    "no JSON": b"{'a': 1}",
    "half of an object": b'{"a": 1',
    "an array": b"[1, 2]",
    "a string": b'"text"',
    "a number": b"42",
    "true": b"true",
    "NaN": b'{"a": NaN}',
    "an infinity": b'{"a": 1e999}',
    "a number of 2,000 digits": b'{"a": ' + b"9" * 2000 + b"}",
    "no UTF-8": b'{"a": "\xff"}',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "300 arrays in one another": b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}",
}
# Its digits fit into a cookie, and it is a number that Python reads.
READABLE = {"a number of 2,000 digits"}
NOT_A_SESSION = {SessionStatus.MALFORMED, SessionStatus.INCOMPATIBLE}


def b64u(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def iron(content, reader=None):
    reader = reader or Iron(password=SECRET, cookie_name="c")
    return reader, {"c": reader._sealer.seal(content, expires_at=None)}


def iron_session(content):
    reader = IronSession(password=SECRET, cookie_name="c", ttl=0)
    return reader, {"c": reader._sealer.seal(content, expires_at=None) + "~2"}


def yar(content):
    _, cookies = iron(b'{"id": "x", "_store": ' + content + b"}")
    return Yar(password=SECRET, cookie_name="c"), cookies


def client_sessions(content, *, name=b"c=", created_at=str(NOW * 1000), duration="3600000", iv=b"i" * 16):
    reader = ClientSessions(secret=SECRET, cookie_name="c")
    keys = reader._keys[0]
    ciphertext = encrypt_cbc(keys.encryption, b"i" * 16, name + content)
    mac = reader._mac(keys, iv, ciphertext, created_at, duration)
    return reader, {"c": f"{b64u(iv)}.{b64u(ciphertext)}.{created_at}.{duration}.{mac}"}


def itsdangerous(payload, key, timestamp=NOW):
    seconds = timestamp.to_bytes((timestamp.bit_length() + 7) // 8) if isinstance(timestamp, int) else timestamp
    signed = f"{payload}.{b64u(seconds)}"
    return f"{signed}.{b64u(hmac.digest(key, signed.encode(), 'sha1'))}"


def starlette(content, timestamp=NOW):
    key = hashlib.sha1(b"itsdangerous.Signersigner" + SECRET.encode()).digest()
    value = itsdangerous(b64encode(content).decode(), key, timestamp)
    return StarletteSession(secret_key=SECRET, cookie_name="c"), {"c": value}


def flask(content, *, compress=False):
    payload = "." + b64u(zlib.compress(content)) if compress else b64u(content)
    key = hmac.digest(SECRET.encode(), b"cookie-session", "sha1")
    return FlaskSession(secret_key=SECRET, cookie_name="c"), {"c": itsdangerous(payload, key)}


def compressed_flask(content):
    return flask(content, compress=True)


def litestar(content, associated=ENDS_IN_AN_HOUR):
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(KEY).encrypt(nonce, content, associated)
    text = b64encode(sealed + b"additional_authenticated_data=" + associated).decode()
    return LitestarSession(secret=KEY, cookie_name="c"), {"c": text}


def cookie_session(content):
    value = b64encode(content).decode() or "AA=="
    signature = b64u(hmac.digest(SECRET.encode(), f"c={value}".encode(), "sha1"))
    return CookieSession(keys=[SECRET], cookie_name="c"), {"c": value, "c.sig": signature}


def secure_session(content):
    nonce = os.urandom(24)
    box = SecretBox(KEY).encrypt(content, nonce).ciphertext
    value = f"{b64encode(box).decode()}%3B{b64encode(nonce).decode()}"
    return FastifySecureSession(key=KEY, cookie_name="c"), {"c": value}


def express(content):
    signature = b64encode(hmac.digest(SECRET.encode(), b"id", "sha256")).decode().rstrip("=")
    return ExpressSession(secret=SECRET, cookie_name="c", store={"id": content}), {"c": f"s:id.{signature}"}


MAKERS = [
    iron,
    iron_session,
    yar,
    client_sessions,
    starlette,
    flask,
    compressed_flask,
    litestar,
    cookie_session,
    secure_session,
    express,
]


@pytest.mark.parametrize("content", ODD)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_what_is_no_session_is_malformed_or_incompatible(make, content):
    reader, cookies = make(ODD[content])
    status = status_of(reader, cookies, NOW)
    assert status in NOT_A_SESSION | ({SessionStatus.VALID} if content in READABLE else set())


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_same_cookie_with_a_session_in_it_is_valid(make):
    # What each of the packages wants to see in its own session, at once.
    reader, cookies = make(json.dumps({"user_id": 42, "cookie": {}, "__ts": NOW}).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.VALID


def test_iron_session_takes_null_for_an_empty_session():
    reader, cookies = iron_session(b"null")
    assert reader.read(cookies, now=NOW).data == {}


@pytest.mark.parametrize(
    "tagged",
    [
        {" t": 1},
        {" b": 1},
        {" b": "no base64"},
        {" u": "no uuid"},
        {" u": 5},
        {" d": "no date"},
        {" d": "Sat, 99 Feb 0000 99:99:99 GMT"},
        {" d": None},
        {" m": ["no text"]},
        {" di": 1},
        {" di": {}},
        {" di": {"a__": 1, "b__": 2}},
    ],
)
def test_a_tag_of_flasks_with_another_value_is_malformed(tagged):
    reader, cookies = flask(json.dumps({"field": tagged, "other": 1}).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.MALFORMED


def test_a_tag_of_flasks_in_the_place_of_the_session_is_incompatible():
    reader, cookies = flask(b'{" t": [1, 2]}')
    assert status_of(reader, cookies, NOW) is SessionStatus.INCOMPATIBLE


def test_a_compressed_session_inflates_to_64_kilobytes_and_no_further():
    def of_size(size):
        content = b'{"a": "' + b"x" * (size - 9) + b'"}'
        assert len(content) == size
        return flask(content, compress=True)

    assert status_of(*of_size(64 * 1024), NOW) is SessionStatus.VALID
    assert status_of(*of_size(64 * 1024 + 1), NOW) is SessionStatus.OVERSIZE
    assert status_of(*of_size(2_000_000), NOW) is SessionStatus.OVERSIZE


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: data + b"more", lambda data: data[1:]])
def test_a_broken_compression_is_malformed(damage):
    key = hmac.digest(SECRET.encode(), b"cookie-session", "sha1")
    value = itsdangerous("." + b64u(damage(zlib.compress(b'{"a": 1}'))), key)
    reader = FlaskSession(secret_key=SECRET, cookie_name="c")
    assert status_of(reader, {"c": value}, NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize("seconds", [b"\0" + NOW.to_bytes(4), b"\1" * 9])
def test_a_time_of_itsdangerous_that_is_no_time_is_malformed(seconds):
    reader, cookies = starlette(b"{}", timestamp=seconds)
    assert status_of(reader, cookies, NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize("timestamp", ["null", '"1751328000"', "true", "[]", "NaN", "1e999"])
def test_a_time_of_secure_session_that_is_no_time_is_malformed(timestamp):
    reader, cookies = secure_session(b'{"a": 1, "__ts": ' + timestamp.encode() + b"}")
    assert status_of(reader, cookies, NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    ("timestamp", "status"),
    [
        ("9" * 500, SessionStatus.FUTURE),
        ("-" + "9" * 500, SessionStatus.EXPIRED_ABSOLUTE),
        ("1e300", SessionStatus.FUTURE),
    ],
    ids=["500 digits", "minus 500 digits", "1e300"],
)
def test_a_time_of_secure_session_may_be_any_number(timestamp, status):
    reader, cookies = secure_session(b'{"a": 1, "__ts": ' + timestamp.encode() + b"}")
    assert status_of(reader, cookies, NOW) is status


@pytest.mark.parametrize(
    "associated",
    [b"", b"{}", b"[]", b"no JSON", b'{"expires_at": "9"}', b'{"expires_at": true}', b'{"expires_at": 1e300}',
     b'{"expires_at": ' + b"9" * 400 + b"}"],
)  # fmt: skip
def test_associated_data_of_litestars_without_an_end_is_no_session(associated):
    reader, cookies = litestar(b"{}", associated)
    assert status_of(reader, cookies, NOW) in NOT_A_SESSION


@pytest.mark.parametrize("expires", ["soon", "2025-07-01T01:00:00", 5, True, "9" * 400, ["2025"]])
def test_an_expiry_of_express_that_is_no_time_is_incompatible(expires):
    reader, cookies = express(json.dumps({"cookie": {"expires": expires}}).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.INCOMPATIBLE


def test_a_session_of_client_sessions_under_another_name_is_forged():
    assert status_of(*client_sessions(b"{}", name=b"other="), NOW) is SessionStatus.FORGED
    assert status_of(*client_sessions(b"{}", name=b""), NOW) is SessionStatus.FORGED


def test_an_initialization_vector_of_another_size_is_malformed():
    assert status_of(*client_sessions(b"{}", iv=b"i" * 15), NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize("created_at", ["01751328000000", "1751328000000.0", "-1", "9" * 16, "1e12", ""])
def test_numbers_of_client_sessions_have_one_spelling(created_at):
    reader, cookies = client_sessions(b"{}", created_at=created_at)
    assert status_of(reader, cookies, NOW) is SessionStatus.MALFORMED
