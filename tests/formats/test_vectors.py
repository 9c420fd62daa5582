"""Every vector of the real packages gives its verdict; where ours is stricter, the vector is named here."""

import json

import pytest

from fastsession import ConfigurationError, SessionStatus
from fastsession.errors import Rejected
from fastsession.formats.cookie_values import percent_decoded
from fastsession.formats.signatures import unsigned_text
from tests.formats.vector import READERS, normal, vector, vectors

# Accepted by the real package and refused here: what it is, and why that is turned away.
REFUSED = {
    "authjs/A21": SessionStatus.MALFORMED,  # compressed
    "authjs/A70": SessionStatus.MALFORMED,  # spare bits of the tag's last character
    "authjs/A71": SessionStatus.MALFORMED,  # padded base64url
    "authjs/A73": SessionStatus.MALFORMED,  # percent escapes
    "better-auth-cache/A38": SessionStatus.MALFORMED,  # another order of fields
    "better-auth-cache/A39": SessionStatus.MALFORMED,  # blanks
    "better-auth-cache/A40": SessionStatus.MALFORMED,  # a field that nothing signs
    "better-auth-cache/A41": SessionStatus.FORGED,  # a field that the other side replaces before it checks
    "better-auth-cache/A42": SessionStatus.MALFORMED,  # the signature in the other alphabet
    "better-auth-cache/A43": SessionStatus.MALFORMED,  # padded base64url
    "better-auth-cache/A84": SessionStatus.MALFORMED,  # HS384
    "better-auth-cache/A85": SessionStatus.MALFORMED,  # spare bits of the signature's last character
    "better-auth-token/A03": SessionStatus.FORGED,  # double quotes
    "better-auth-token/A26": SessionStatus.FORGED,  # spare bits of the signature's last character
    "client-sessions/A15": SessionStatus.FUTURE,
    "client-sessions/A42": SessionStatus.MALFORMED,  # junk behind a number
    "client-sessions/A43": SessionStatus.MALFORMED,  # leading zeros
    "client-sessions/A44": SessionStatus.MALFORMED,  # padded base64url
    "cookie-session/A13": SessionStatus.FORGED,  # not signed at all
    "cookie-session/A29": SessionStatus.FORGED,  # double quotes, which the signature does not cover
    "fastify-secure-session/A18": SessionStatus.FUTURE,
    "fastify-secure-session/A20": SessionStatus.MALFORMED,  # without a time, for ever
    "fastify-secure-session/A33": SessionStatus.MALFORMED,  # the other alphabet
    "fastify-secure-session/A34": SessionStatus.MALFORMED,  # a third field
    "h3-session/A71": SessionStatus.MALFORMED,  # junk behind the count of chunks
    "hono-session/A22": SessionStatus.MALFORMED,  # another algorithm
    "hono-session/A23": SessionStatus.MALFORMED,
    "hono-session/A52": SessionStatus.MALFORMED,  # spare bits of the tag's last character
    "hono-session/A53": SessionStatus.MALFORMED,  # percent escapes
    "hono-session/A54": SessionStatus.MALFORMED,  # double quotes
    "hono-sessions/A41": SessionStatus.MALFORMED,  # double quotes
    "iron-session/A41": SessionStatus.FORGED,  # spare bits of the MAC's last character
    "litestar/A30": SessionStatus.MALFORMED,  # a character that is no base64
    "next-auth/A09": SessionStatus.MALFORMED,  # another algorithm
    "next-auth/A10": SessionStatus.MALFORMED,
    "next-auth/A11": SessionStatus.MALFORMED,
    "next-auth/A12": SessionStatus.MALFORMED,  # a header field that means nothing
    "next-auth/A13": SessionStatus.MALFORMED,  # compressed
    "next-auth/A62": SessionStatus.MALFORMED,  # spare bits of the tag's last character
    "next-auth/A63": SessionStatus.MALFORMED,  # padded base64url
    "next-auth/A64": SessionStatus.MALFORMED,  # the other alphabet
    "next-auth/A65": SessionStatus.MALFORMED,  # percent escapes
    "next-auth/A66": SessionStatus.MALFORMED,  # double quotes
    "starlette/A30": SessionStatus.FORGED,  # spare bits of the signature's last character
    # Authentic JSON that is no object, and so no session.
    "hapi-iron/A07": SessionStatus.INCOMPATIBLE,
    "hapi-iron/A08": SessionStatus.INCOMPATIBLE,
    # The signed id is right, and the store has no session for it any more.
    "express-session/A17": SessionStatus.EXPIRED_ABSOLUTE,
    "express-session/A19": SessionStatus.EXPIRED_ABSOLUTE,
    "express-session/A20": SessionStatus.EXPIRED_ABSOLUTE,
}
# Good sessions that the real package drops: how they differ is beside the session.
ACCEPTED = {
    "authjs/A40",  # another cookie whose name begins alike
    "authjs/A84",  # a chunk left over beside the whole cookie
    "better-auth-cache/A08",  # text that JavaScript takes for a date and writes otherwise
    "hapi-iron/A53",  # a "__proto__" key, which is harmless outside JavaScript
    "next-auth/A32",
    "next-auth/A76",
}
# @hapi/iron refuses the reader's short password when it reads, we when it is configured.
UNUSABLE_OPTIONS = "hapi-iron/A45"
# iron-session 8 takes old content apart; we do as version 9 does with the same cookie, "iron-session/A24".
AS_IN_VERSION_9 = {"iron-session/A25": "iron-session/A24"}

FORGED_OR_MALFORMED = {SessionStatus.FORGED, SessionStatus.MALFORMED}
# What a reason of the vectors may be called here. Texts that are compared are malformed when respelled.
STATUSES = {
    "absent": {SessionStatus.ABSENT},
    "alg_not_allowed": {SessionStatus.MALFORMED},
    "bad_claim": {SessionStatus.MALFORMED, SessionStatus.INCOMPATIBLE},
    "bad_json": {SessionStatus.MALFORMED},
    "bad_mac": {*FORGED_OR_MALFORMED, SessionStatus.INCOMPLETE, SessionStatus.UNKNOWN_KEY},
    "bad_payload": {SessionStatus.MALFORMED},
    "bad_prefix": {SessionStatus.MALFORMED},
    "decrypt_error": {SessionStatus.MALFORMED},
    "expired": {SessionStatus.EXPIRED_ABSOLUTE, SessionStatus.EXPIRED_IDLE},
    "from_future": {SessionStatus.FUTURE},
    "future": {SessionStatus.FUTURE},
    "incomplete": {SessionStatus.INCOMPLETE, SessionStatus.MALFORMED},
    # What a changed field does not tell before the MAC has spoken is malformed there and forged here.
    "malformed": {
        *FORGED_OR_MALFORMED,
        SessionStatus.ABSENT,
        SessionStatus.INCOMPATIBLE,
        SessionStatus.INCOMPLETE,
        SessionStatus.UNKNOWN_KEY,
    },
    "not_signed": FORGED_OR_MALFORMED,
    # Better Auth does not say why.
    "rejected": set(SessionStatus) - {SessionStatus.VALID},
    "revoked": {SessionStatus.REVOKED},
    "throws": {SessionStatus.MALFORMED},
    "unknown_key_id": {SessionStatus.UNKNOWN_KEY, SessionStatus.MALFORMED},
    "wrong_cookie_name": {SessionStatus.FORGED},
}
# Changed after it was sealed: expired at the real package, which believes the expiration before the MAC.
EXPIRATION_NOT_BELIEVED = {"iron-session/A30", "h3-session/A46", "hono-sessions/A21"}
# What NextAuth and Auth.js call the creation is the last renewal, and Litestar's is reckoned from an option.
WITHOUT_CREATION = {"authjs", "litestar", "next-auth"}

SESSIONS = [found for file in READERS for found in vectors(file) if found.fields["package"] != "cookie-parser"]
COOKIE_PARSER = [found for found in vectors("express-session") if found.fields["package"] == "cookie-parser"]


def accepted(found):
    return (found.expected["ok"] and found.id not in REFUSED) or found.id in ACCEPTED


def ids(found):
    return found.id


def _expected_id(found):
    expected = found.expected
    if found.file.startswith("better-auth"):
        return expected["data"]["session"]["id"]
    # Where there is none, h3 makes one up. A number is text here.
    given = None if "any_id" in found.fields else expected.get("id", expected.get("session_id", expected.get("sid")))
    return None if given is None else str(given)


@pytest.mark.parametrize("found", [found for found in SESSIONS if accepted(found)], ids=ids)
def test_a_session_of_the_real_package_is_read(found):
    session = found.reader().read(found.cookies, now=found.now)
    expected = vector(AS_IN_VERSION_9.get(found.id, found.id)).expected
    if expected["ok"]:
        # yar keeps large sessions in hapi's own cache, and nothing in the cookie.
        data = {} if expected.get("server_side") else expected["data"]
        assert normal(session.data) == normal(data)
        assert session.expires_at == pytest.approx(expected["expires_at"], abs=1e-6)
        created_at = None if found.file in WITHOUT_CREATION else expected["created_at"]
        # @hapi/iron does not tell either, but a reader has to know its ttl.
        if found.file == "hapi-iron" and found.options().get("ttl"):
            created_at = expected["expires_at"] - found.options()["ttl"]
        assert session.created_at == pytest.approx(created_at, abs=1e-6)
        assert session.id == _expected_id(found)


@pytest.mark.parametrize(
    "found", [found for found in SESSIONS if not accepted(found) and found.id != UNUSABLE_OPTIONS], ids=ids
)
def test_a_cookie_is_turned_away_for_its_reason(found):
    with pytest.raises(Rejected) as rejection:
        found.reader().read(found.cookies, now=found.now)
    if found.id in REFUSED:
        assert rejection.value.status is REFUSED[found.id]
    elif found.id in EXPIRATION_NOT_BELIEVED:
        assert rejection.value.status is SessionStatus.FORGED
    else:
        assert rejection.value.status in STATUSES[found.expected["reason"]]


def test_a_password_that_the_real_package_refuses_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="at least 32 characters"):
        vector(UNUSABLE_OPTIONS).reader()


def test_what_is_refused_beyond_the_real_package_is_marked_so_or_is_no_session():
    unmarked = {name for name in REFUSED if not {"strict_may_reject", "insecure"} & vector(name).fields.keys()}
    no_session = {name for name in unmarked if not isinstance(vector(name).expected["data"], dict)}
    assert unmarked == no_session


@pytest.mark.parametrize("found", COOKIE_PARSER, ids=ids)
def test_signed_text_of_cookie_parser_verifies_as_there(found):
    (value,) = found.cookies.values()
    text = percent_decoded(value).removeprefix("s:")
    keys = [secret.encode() for secret in found.fields["secrets"]]
    if found.expected["ok"]:
        value = unsigned_text(text, keys)
        expected = found.expected
        data = expected["data"] if expected["value"] is None else expected["value"]
        assert (json.loads(value[2:]) if value.startswith("j:") else value) == data
    else:
        with pytest.raises(Rejected):
            unsigned_text(text, keys)


@pytest.mark.parametrize("found", [found for found in vectors("client-sessions") if accepted(found)], ids=ids)
def test_client_sessions_is_extended_when_the_real_package_extends_it(found):
    reader = found.reader()
    session = reader.read(found.cookies, now=found.now)
    extended = reader.extended(session, now=found.now)
    assert (extended is not session) == found.expected["extended"]
    if found.expected["extended"]:
        assert extended.created_at == pytest.approx(found.expected["created_at_after_extension"], abs=1e-6)
        assert extended.expires_at - extended.created_at == pytest.approx(found.expected["duration"], abs=1e-6)
