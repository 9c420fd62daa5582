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
    "iron-session/A41": SessionStatus.FORGED,  # spare bits of the MAC's last character
    "litestar/A30": SessionStatus.MALFORMED,  # a character that is no base64
    "starlette/A30": SessionStatus.FORGED,  # spare bits of the signature's last character
    # Authentic JSON that is no object, and so no session.
    "hapi-iron/A07": SessionStatus.INCOMPATIBLE,
    "hapi-iron/A08": SessionStatus.INCOMPATIBLE,
    # The signed id is right, and the store has no session for it any more.
    "express-session/A17": SessionStatus.EXPIRED_ABSOLUTE,
    "express-session/A19": SessionStatus.EXPIRED_ABSOLUTE,
    "express-session/A20": SessionStatus.EXPIRED_ABSOLUTE,
}
# A "__proto__" key is harmless outside JavaScript.
ACCEPTED = {"hapi-iron/A53"}
# @hapi/iron refuses the reader's short password when it reads, we when it is configured.
UNUSABLE_OPTIONS = "hapi-iron/A45"
# iron-session 8 takes old content apart; we do as version 9 does with the same cookie, "iron-session/A24".
AS_IN_VERSION_9 = {"iron-session/A25": "iron-session/A24"}

FORGED_OR_MALFORMED = {SessionStatus.FORGED, SessionStatus.MALFORMED}
# What a reason of the vectors may be called here. Texts that are compared are malformed when respelled.
STATUSES = {
    "bad_json": {SessionStatus.MALFORMED},
    "bad_mac": {*FORGED_OR_MALFORMED, SessionStatus.INCOMPLETE},
    "bad_payload": {SessionStatus.MALFORMED},
    "bad_prefix": {SessionStatus.MALFORMED},
    "decrypt_error": {SessionStatus.MALFORMED},
    "expired": {SessionStatus.EXPIRED_ABSOLUTE},
    "from_future": {SessionStatus.FUTURE},
    # What a changed field does not tell before the MAC has spoken is malformed there and forged here.
    "malformed": {*FORGED_OR_MALFORMED, SessionStatus.ABSENT},
    "not_signed": FORGED_OR_MALFORMED,
    "unknown_key_id": {SessionStatus.UNKNOWN_KEY},
    "wrong_cookie_name": {SessionStatus.FORGED},
}
# Changed after it was sealed: expired at the real package, which believes the expiration before the MAC.
EXPIRATION_NOT_BELIEVED = "iron-session/A30"

SESSIONS = [found for file in READERS for found in vectors(file) if found.fields["package"] != "cookie-parser"]
COOKIE_PARSER = [found for found in vectors("express-session") if found.fields["package"] == "cookie-parser"]


def accepted(found):
    return (found.expected["ok"] and found.id not in REFUSED) or found.id in ACCEPTED


def ids(found):
    return found.id


@pytest.mark.parametrize("found", [found for found in SESSIONS if accepted(found)], ids=ids)
def test_a_session_of_the_real_package_is_read(found):
    session = found.reader().read(found.cookies, now=found.now)
    expected = vector(AS_IN_VERSION_9.get(found.id, found.id)).expected
    if expected["ok"]:
        # yar keeps large sessions in hapi's own cache, and nothing in the cookie.
        data = {} if expected.get("server_side") else expected["data"]
        assert normal(session.data) == normal(data)
        assert session.expires_at == pytest.approx(expected["expires_at"], abs=1e-6)
        # Litestar's cookies do not tell: it was reckoned from an option that a reader need not know.
        created_at = None if found.file == "litestar" else expected["created_at"]
        # @hapi/iron does not tell either, but a reader has to know its ttl.
        if found.file == "hapi-iron" and found.options().get("ttl"):
            created_at = expected["expires_at"] - found.options()["ttl"]
        assert session.created_at == pytest.approx(created_at, abs=1e-6)
        assert session.id == expected.get("session_id", expected.get("sid"))


@pytest.mark.parametrize(
    "found", [found for found in SESSIONS if not accepted(found) and found.id != UNUSABLE_OPTIONS], ids=ids
)
def test_a_cookie_is_turned_away_for_its_reason(found):
    with pytest.raises(Rejected) as rejection:
        found.reader().read(found.cookies, now=found.now)
    if found.id in REFUSED:
        assert rejection.value.status is REFUSED[found.id]
    elif found.id == EXPIRATION_NOT_BELIEVED:
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
