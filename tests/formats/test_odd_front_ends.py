"""Front ends' cookies under the right key that their packages would not write: a status, and never an exception."""

import asyncio
import hmac
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fastsession import ConfigurationError, SessionStatus
from fastsession.cookies import cookie_pairs
from fastsession.errors import Rejected
from fastsession.formats import (
    AuthjsSession,
    BetterAuthCache,
    BetterAuthSession,
    ForeignSession,
    H3Session,
    HonoSession,
    HonoSessions,
    NextAuthSession,
    NuxtSession,
)
from fastsession.formats.candidates import load_newest
from tests.formats.reception import status_of
from tests.formats.test_odd_content import NOT_A_SESSION, ODD, READABLE
from tests.front_ends import base64url, better_auth_cookie, hkdf, seal_cbc, seal_gcm, thumbprint

SECRET = "a secret of the other system, long enough"
NOW = 1751328000
SIGNING = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ISSUER = "http://localhost:3000"
JWKS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": base64url(SIGNING.public_key().public_bytes_raw())}]}
ISO = "2025-07-05T00:00:00.000Z"
SESSION = {"id": "s", "token": "t", "userId": "u", "createdAt": ISO, "updatedAt": ISO, "expiresAt": ISO}
USER = {"id": "u", "email": "Ada@example.com", "name": "Ada"}
CACHED = {"session": SESSION, "user": USER, "updatedAt": NOW * 1000, "version": "1"}
PUBLIC = {"iss": ISSUER, "aud": "better-auth:session-cache", "sub": "u", "sid": "t"}


def authjs(content, **header):
    key = hkdf(SECRET, salt="c", info="Auth.js Generated Encryption Key (c)", length=64)
    fields = {"kid": thumbprint(key, "sha512"), **header}
    return AuthjsSession(secret=SECRET, cookie_name="c"), {"c": seal_cbc(content, key, **fields)}


def next_auth(content, **header):
    key = hkdf(SECRET, salt="", info="NextAuth.js Generated Encryption Key", length=32)
    return NextAuthSession(secret=SECRET, cookie_name="c"), {"c": seal_gcm(content, key, **header)}


def jwe(content, *, secret=SECRET, named=True, readers=SECRET):
    key = hkdf(secret, salt="better-auth-session", info="BetterAuth.js Generated Encryption Key", length=64)
    value = seal_cbc(content, key, **({"kid": thumbprint(key, "sha256")} if named else {}))
    return BetterAuthCache(secret=readers, strategy="jwe", cookie_name="c"), {"c": value}


def signed(content, header, sign):
    text = f"{base64url(json.dumps(header).encode())}.{base64url(content)}"
    return {"c": f"{text}.{base64url(sign(text.encode()))}"}


def jwt(content, **header):
    reader = BetterAuthCache(secret=SECRET, strategy="jwt", cookie_name="c")
    return reader, signed(
        content, {"alg": "HS256", **header}, lambda text: hmac.digest(SECRET.encode(), text, "sha256")
    )


def jwks(content, **header):
    reader = BetterAuthCache(jwks=JWKS, issuer=ISSUER, strategy="jwt", cookie_name="c")
    fields = {"alg": "EdDSA", "kid": "k", "typ": "better-auth.session-cache+jwt", **header}
    return reader, signed(content, fields, SIGNING.sign)


def compact(content, expires_at=b"1751328300000", **options):
    message = content[:-1] + b',"expiresAt":' + expires_at + b"}"
    mac = base64url(hmac.digest(SECRET.encode(), message, "sha256")).encode()
    text = b'{"session":' + content + b',"expiresAt":' + expires_at + b',"signature":"' + mac + b'"}'
    return BetterAuthCache(secret=SECRET, cookie_name="c", **options), {"c": base64url(text)}


def better_auth(content):
    reader = BetterAuthSession(secret=SECRET, cookie_name="c", store={"t": content})
    return reader, {"c": better_auth_cookie("t", secret=SECRET)}


def nuxt(content, **options):
    reader = NuxtSession(password=SECRET, cookie_name="c", **options)
    return reader, {"c": reader._sealer.seal(content, expires_at=None)}


def hono(content, **header):
    key = hkdf(SECRET, salt="", info="session jwe cek", length=32)
    return HonoSession(secret=SECRET, cookie_name="c"), {"c": seal_gcm(content, key, **header)}


def hono_sessions(content):
    reader = HonoSessions(password=SECRET, cookie_name="c")
    return reader, {"c": reader._sealer.seal(json.dumps(content.decode("latin-1")).encode(), expires_at=None)}


MAKERS = [authjs, next_auth, jwe, jwt, jwks, compact, better_auth, nuxt, hono, hono_sessions]
CACHES = [jwe, jwt, compact, jwks]


@pytest.mark.parametrize("content", ODD)
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_what_is_no_session_is_malformed_or_incompatible(make, content):
    reader, cookies = make(ODD[content])
    allowed = NOT_A_SESSION | ({SessionStatus.VALID, SessionStatus.REVOKED} if content in READABLE else set())
    assert status_of(reader, cookies, NOW) in allowed


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_the_same_cookie_with_a_session_in_it_is_valid(make):
    reader, cookies = make(json.dumps({**CACHED, **PUBLIC, "_data": {}}, separators=(",", ":")).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.VALID


TIMES = ["true", '"1751400000"', "null", "[]", "{}", "NaN", "1e999", "9" * 400, "1" + "0" * 15]


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("make", [authjs, next_auth, jwe, jwt, jwks, hono], ids=lambda make: make.__name__)
def test_a_claim_that_should_be_a_time_and_is_none_is_malformed(make, name, time):
    claims = json.dumps({**CACHED, **PUBLIC})[:-1] + f', "{name}": {time}}}'
    assert status_of(*make(claims.encode()), NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        {"alg": None},
        {"alg": ["dir"]},
        {"alg": "none"},
        {"alg": "RSA-OAEP"},
        {"enc": None},
        {"enc": ["A256GCM"]},
        {"enc": {"A256GCM": 1}},
        {"enc": "A128GCM"},
        {"kid": None},
        {"kid": 5},
        {"kid": ["a"]},
        {"zip": "DEF"},
        {"crit": ["exp"]},
        {"typ": "JWT"},
        {"p2c": 2_000_000_000},
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [authjs, next_auth, hono], ids=lambda make: make.__name__)
def test_no_other_header_is_accepted_even_under_the_right_key(make, header):
    assert status_of(*make(b'{"sub": "ada"}', **header), NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    "header", [{"alg": "HS384"}, {"alg": "none"}, {"alg": ["HS256"]}, {"kid": "k"}, {"typ": "JWT"}]
)
def test_a_jwt_of_better_auth_has_one_header(header):
    assert status_of(*jwt(json.dumps(CACHED).encode(), **header), NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"alg": "HS256"}, SessionStatus.MALFORMED),
        ({"typ": "JWT"}, SessionStatus.MALFORMED),
        ({"kid": ["k"]}, SessionStatus.MALFORMED),
        ({"kid": None}, SessionStatus.MALFORMED),
        ({"jku": "https://evil.example/jwks"}, SessionStatus.MALFORMED),
        ({"jwk": JWKS["keys"][0]}, SessionStatus.MALFORMED),
        ({"kid": "other"}, SessionStatus.UNKNOWN_KEY),
    ],
    ids=str,
)
def test_a_token_by_public_key_has_one_header_and_a_known_key(header, status):
    assert status_of(*jwks(json.dumps({**CACHED, **PUBLIC}).encode(), **header), NOW) is status


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": ISSUER},
        {"aud": ["better-auth:session-cache"]},
        {"sub": "another"},
        {"sub": None},
        {"sid": "another"},
        {"session": {**SESSION, "token": "another"}},
    ],
    ids=str,
)
def test_a_token_by_public_key_for_another_purpose_is_not_a_session(claims):
    content = json.dumps({**CACHED, **PUBLIC, **claims}).encode()
    assert status_of(*jwks(content), NOW) is SessionStatus.INCOMPATIBLE


def changed(part, **fields):
    rows = {"session": SESSION, "user": USER}
    row = {name: value for name, value in {**rows[part], **fields}.items() if value is not ...}
    return {**CACHED, **PUBLIC, part: row}


ODD_ROWS = {
    "no session": {**CACHED, "session": None},
    "a session of text": {**CACHED, "session": "s"},
    "no user": {**CACHED, "user": None},
    "a list of users": {**CACHED, "user": [USER]},
    "no id": changed("session", id=...),
    "an empty id": changed("session", id=""),
    "true for an id": changed("session", id=True),
    "no token": changed("session", token=...),
    "a number for a token": changed("session", token=5),
    "no user id": changed("session", userId=...),
    "another user's": changed("session", userId="another"),
    "no end": changed("session", expiresAt=...),
    "an end that is no time": changed("session", expiresAt="soon"),
    "an end without a zone": changed("session", expiresAt="2025-07-05T00:00:00.000"),
    "true for an end": changed("session", expiresAt=True),
    "no beginning": changed("session", createdAt=...),
    "a user without an id": changed("user", id=...),
}


@pytest.mark.parametrize("rows", ODD_ROWS)
@pytest.mark.parametrize("make", [*CACHES, better_auth], ids=lambda make: make.__name__)
def test_rows_that_are_not_better_auths_are_no_session(make, rows):
    reader, cookies = make(json.dumps(ODD_ROWS[rows], separators=(",", ":")).encode())
    assert status_of(reader, cookies, NOW) in {SessionStatus.INCOMPATIBLE, SessionStatus.REVOKED}


@pytest.mark.parametrize(
    "field", [{"updatedAt": None}, {"user": {**USER, "email": None}}, {"user": {**USER, "name": 5}}]
)
@pytest.mark.parametrize("make", CACHES, ids=lambda make: make.__name__)
def test_a_cache_that_better_auth_would_not_read_is_no_session(make, field):
    reader, cookies = make(json.dumps({**CACHED, **PUBLIC, **field}, separators=(",", ":")).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.INCOMPATIBLE


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"banned": True}, SessionStatus.REVOKED),
        ({"banned": 1, "banExpires": None}, SessionStatus.REVOKED),
        ({"banned": True, "banExpires": "2025-07-01T00:00:00.001Z"}, SessionStatus.REVOKED),
        ({"banned": True, "banExpires": "2025-07-01T00:00:00.000Z"}, SessionStatus.VALID),
        ({"banned": False, "banExpires": "2025-07-05T00:00:00.000Z"}, SessionStatus.VALID),
        ({"banned": None}, SessionStatus.VALID),
        ({"banned": True, "banExpires": "later"}, SessionStatus.INCOMPATIBLE),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [*CACHES, better_auth], ids=lambda make: make.__name__)
def test_a_banned_user_is_not_signed_in(make, columns, status):
    reader, cookies = make(json.dumps(changed("user", **columns), separators=(",", ":")).encode())
    assert status_of(reader, cookies, NOW) is status


@pytest.mark.parametrize("make", CACHES, ids=lambda make: make.__name__)
def test_a_cached_session_ends_with_its_row_and_its_email_is_in_lower_case(make):
    reader, cookies = make(json.dumps({**CACHED, **PUBLIC}, separators=(",", ":")).encode())
    session = reader.read(cookies, now=NOW)
    assert session.data["user"]["email"] == "ada@example.com"
    row = changed("session", expiresAt="2025-06-30T23:59:59.999Z")
    reader, cookies = make(json.dumps(row, separators=(",", ":")).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.EXPIRED_ABSOLUTE


def test_the_end_of_a_compact_cache_is_a_number_that_nothing_else_replaces():
    content = json.dumps(CACHED, separators=(",", ":")).encode()
    assert status_of(*compact(content, b"1751328000000"), NOW) is SessionStatus.VALID
    assert status_of(*compact(content, b"1751327999999"), NOW) is SessionStatus.EXPIRED_ABSOLUTE
    for odd in (b"01751328300000", b"1e15", b"-1", b'"1751328300000"', b"9" * 16, b"true", b" 1751328300000"):
        assert status_of(*compact(content, odd), NOW) is SessionStatus.MALFORMED, odd
    inner = content[:-1] + b',"expiresAt":9999999999999}'
    assert status_of(*compact(inner, b"1751327999999"), NOW) is SessionStatus.EXPIRED_ABSOLUTE


def test_the_signature_of_a_token_is_no_signature_of_a_cache():
    """One secret signs the token's cookie and the cache: only the shape of the text keeps them apart."""
    content = json.dumps(CACHED, separators=(",", ":")).encode()
    _, cookies = compact(content)
    reader = BetterAuthSession(secret=SECRET, cookie_name="c", store={})
    assert status_of(reader, cookies, NOW) is SessionStatus.MALFORMED
    reader, _ = compact(content)
    token = {"c": better_auth_cookie("t", secret=SECRET)}
    assert status_of(reader, token, NOW) is SessionStatus.MALFORMED


def test_a_jwe_without_a_key_id_is_opened_with_every_secret_of_better_auth():
    content = json.dumps(CACHED).encode()
    both = [SECRET, "the secret before that one, long enough"]
    for secret in both:
        for named in (True, False):
            reader, cookies = jwe(content, secret=secret, named=named, readers=both)
            assert status_of(reader, cookies, NOW) is SessionStatus.VALID
    reader, cookies = jwe(content, secret="a third one that nobody knows of here", named=False, readers=both)
    assert status_of(reader, cookies, NOW) is SessionStatus.FORGED


def test_the_version_of_a_cache_is_checked_when_it_is_given():
    content = json.dumps({**CACHED, "version": "2"}, separators=(",", ":")).encode()
    assert status_of(*compact(content), NOW) is SessionStatus.VALID
    assert status_of(*compact(content, version="2"), NOW) is SessionStatus.VALID
    assert status_of(*compact(content, version="1"), NOW) is SessionStatus.INCOMPATIBLE


@pytest.mark.parametrize("kind", [int, str])
def test_a_database_may_number_its_rows(kind):
    rows = {"session": {**SESSION, "id": kind(7), "userId": 42}, "user": {**USER, "id": "42"}}
    reader, cookies = better_auth(rows)
    session = reader.read(cookies, now=NOW)
    assert (session.id, session.subject) == ("7", "42")


def test_a_store_that_gives_another_tokens_rows_signs_nobody_in():
    reader, cookies = better_auth({"session": {**SESSION, "token": "another"}, "user": USER})
    assert status_of(reader, cookies, NOW) is SessionStatus.INCOMPATIBLE


def test_a_store_that_gives_no_rows_is_told_what_to_give():
    reader, cookies = better_auth([SESSION, USER])
    with pytest.raises(ConfigurationError, match="session"):
        reader.read(cookies, now=NOW)


@pytest.mark.parametrize("time", [True, "1751328000000", [], {}, 1e300])
@pytest.mark.parametrize("name", ["createdAt", "lastSeenAt"])
def test_a_time_of_h3_that_is_none_is_incompatible(name, time):
    reader, cookies = nuxt(json.dumps({"id": "x", "data": {}, "createdAt": 1, name: time}).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.INCOMPATIBLE


@pytest.mark.parametrize("data", [None, [], "text", 5])
def test_data_of_h3_that_is_no_object_is_incompatible(data):
    reader, cookies = nuxt(json.dumps({"id": "x", "createdAt": 1, "data": data}).encode())
    assert status_of(reader, cookies, NOW) is SessionStatus.INCOMPATIBLE


@pytest.mark.parametrize(
    ("envelope", "status"),
    [
        ({"_data": None}, SessionStatus.INCOMPATIBLE),
        ({"_data": {"a": 1}}, SessionStatus.INCOMPATIBLE),
        ({"_data": {"a": {"value": 1}}, "_expire": "soon"}, SessionStatus.EXPIRED_ABSOLUTE),
        ({"_data": {"a": {"value": 1}}, "_expire": 1}, SessionStatus.EXPIRED_ABSOLUTE),
        ({"_data": {"a": {"value": 1}}, "_expire": ISO}, SessionStatus.VALID),
        ({"_data": {"a": {}}}, SessionStatus.VALID),
    ],
)
def test_an_envelope_of_hono_sessions_has_values_and_an_end(envelope, status):
    assert status_of(*hono_sessions(json.dumps(envelope).encode()), NOW) is status


@pytest.mark.parametrize("created_at", [None, 0])
def test_with_a_limit_h3_has_to_tell_when_a_session_began(created_at):
    content = json.dumps({"id": "x", "createdAt": created_at, "data": {}}).encode()
    assert status_of(*nuxt(content), NOW) is SessionStatus.VALID
    assert status_of(*nuxt(content, max_age=10**9), NOW) is SessionStatus.EXPIRED_ABSOLUTE


def test_h3_counts_idleness_from_the_last_time_that_it_wrote():
    reader = H3Session(password=SECRET, cookie_name="c", max_age=3600, idle_timeout=600)
    first = reader.read(reader.write(ForeignSession({"a": 1}), now=NOW), now=NOW)
    later = reader.write(first, now=NOW + 500)
    assert status_of(reader, later, NOW + 1100) is SessionStatus.VALID
    assert status_of(reader, later, NOW + 1100.001) is SessionStatus.EXPIRED_IDLE
    assert reader.read(later, now=NOW + 600).created_at == NOW
    for time in range(1000, 3600, 500):
        later = reader.write(reader.read(later, now=NOW + time), now=NOW + time)
    assert status_of(reader, later, NOW + 3600) is SessionStatus.VALID
    assert status_of(reader, later, NOW + 3600.001) is SessionStatus.EXPIRED_ABSOLUTE


@pytest.mark.parametrize(
    "make",
    [
        lambda: NextAuthSession(secret=SECRET, cookie_name="c"),
        lambda: AuthjsSession(secret=SECRET, cookie_name="c"),
        lambda: BetterAuthCache(secret=SECRET, cookie_name="c"),
    ],
)
def test_sixteen_chunks_are_joined_and_no_more(make):
    chunks = {f"c.{number}": "A" * 4000 for number in range(17)}
    assert status_of(make(), chunks, NOW) is SessionStatus.OVERSIZE
    del chunks["c.16"]
    assert status_of(make(), chunks, NOW) is SessionStatus.MALFORMED
    del chunks["c.3"]
    assert status_of(make(), chunks, NOW) is SessionStatus.INCOMPLETE


def test_a_chunk_of_front_ends_is_no_longer_than_a_cookie():
    reader = NextAuthSession(secret=SECRET, cookie_name="c")
    assert status_of(reader, {"c.0": "A", "c.1": "A" * 4097}, NOW) is SessionStatus.OVERSIZE


def test_sixteen_chunks_of_h3_are_joined_and_no_more():
    reader = H3Session(password=SECRET, cookie_name="c")
    chunks = {f"c.{number}": "A" * 4000 for number in range(1, 18)}
    assert status_of(reader, {"c": "__chunked__17", **chunks}, NOW) is SessionStatus.OVERSIZE
    assert status_of(reader, {"c": "__chunked__16", **chunks}, NOW) is SessionStatus.MALFORMED
    for count in ("0", "00", "02", "-1", "101", "1e1", ""):
        assert status_of(reader, {"c": f"__chunked__{count}", **chunks}, NOW) is SessionStatus.MALFORMED


@pytest.mark.parametrize(
    "key",
    [
        None,
        {"kty": "OKP", "crv": "X25519", "kid": "k", "x": JWKS["keys"][0]["x"]},
        {**JWKS["keys"][0], "alg": "HS256"},
        {**JWKS["keys"][0], "x": None},
        {**JWKS["keys"][0], "x": "AAAA"},
        {**JWKS["keys"][0], "x": "not base64url!"},
        {**JWKS["keys"][0], "kid": 5},
    ],
    ids=str,
)
def test_a_public_key_that_is_none_is_left_out(key):
    with pytest.raises(ConfigurationError, match="Ed25519"):
        BetterAuthCache(jwks={"keys": [key]}, issuer=ISSUER, strategy="jwt", cookie_name="c")
    both = BetterAuthCache(jwks={"keys": [key, *JWKS["keys"]]}, issuer=ISSUER, strategy="jwt", cookie_name="c")
    _, cookies = jwks(json.dumps({**CACHED, **PUBLIC}).encode())
    assert status_of(both, cookies, NOW) is SessionStatus.VALID


def test_a_jws_header_that_is_no_object_is_malformed():
    for header in ("[]", "5", "null"):
        reader = BetterAuthCache(secret=SECRET, strategy="jwt", cookie_name="c")
        assert status_of(reader, {"c": f"{base64url(header.encode())}.e30.AAAA"}, NOW) is SessionStatus.MALFORMED


def test_a_store_to_await_is_not_read_at_once():
    class Later:
        async def get(self, token):
            return None

    _, cookies = better_auth(None)
    reader = BetterAuthSession(secret=SECRET, cookie_name="c", store=Later())
    with pytest.raises(ConfigurationError, match=r"await BetterAuthSession\.load"):
        reader.read(cookies, now=NOW)


def test_of_many_tokens_the_database_is_asked_for_four():
    store = {f"t{number}": None for number in range(9)}
    header = "; ".join(f"c={better_auth_cookie(token, secret=SECRET)}" for token in store)
    asked = []

    class Rows:
        async def get(self, token):
            asked.append(token)

    reader = BetterAuthSession(secret=SECRET, cookie_name="c", store=Rows())
    with pytest.raises(Rejected) as rejected:
        asyncio.run(load_newest(reader, cookie_pairs(header.encode()), now=NOW))
    assert rejected.value.status is SessionStatus.REVOKED
    assert len(asked) == 4


@pytest.mark.parametrize(
    "end",
    [
        "2025-07-01T00:00:00.000Z",
        "2025-07-01T02:00:00+02:00",
        NOW * 1000,
        float(NOW * 1000),
        datetime(2025, 7, 1, tzinfo=UTC),
        datetime(2025, 7, 1),  # noqa: DTZ001  (what a database gives)
    ],
    ids=str,
)
def test_a_database_tells_a_time_in_its_own_way(end):
    reader, cookies = better_auth({"session": {**SESSION, "expiresAt": end}, "user": USER})
    assert reader.read(cookies, now=NOW).expires_at == NOW
    assert status_of(reader, cookies, NOW + 0.001) is SessionStatus.EXPIRED_ABSOLUTE


@pytest.mark.parametrize(
    "end", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999-23:59", 1e15, -1e300, True, None, []]
)
def test_a_time_at_the_edge_of_the_calendar_is_no_exception(end):
    reader, cookies = better_auth({"session": {**SESSION, "expiresAt": end}, "user": USER})
    assert status_of(reader, cookies, NOW) in set(SessionStatus)
