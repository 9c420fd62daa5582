"""The fuzzer's targets in other systems' formats: each reader, up to the session that the application would see."""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from fastsession.formats import Migration
from fastsession.formats.encoding import encode_base64url
from tests.formats.cases import CASES, Case
from tests.formats.vector import vectors
from tests.soak.fuzz_content import AUTHENTIC, OPTIONS, OneText, split
from tests.soak.fuzz_own import Everything
from tests.soak.fuzz_target import Target
from tests.soak.fuzz_token import SECRETS
from tests.soak.fuzz_visit import visitor

# Begins an input whose content is made authentic; any other is a Cookie header as it is.
AUTHENTIC_MARK = b"\0"
YEAR = 365 * 86_400
DATA = (
    b'{"user_id":42,"cart":["tea","\xc3\xa9"],"ratio":0.5,"exact":"1.50","seen":"2027-01-15T08:00:00Z","more":{"a":[1]}}',
    b'{"user_id":"42","_fastsession":{"id":"00112233445566778899aabbccddeeff","created_at":1,"binding":""}}',
    b'{"a":' + b"[" * 40 + b"]" * 40 + b"}",
)
MOMENT = "2025-07-05T00:00:00.000Z"
# What Better Auth caches, and what it has in its two tables.
CACHED = {
    "session": {"id": "s", "token": "t", "userId": "u", "createdAt": MOMENT, "updatedAt": MOMENT, "expiresAt": MOMENT},
    "user": {"id": "u", "email": "Ada@example.com", "name": "Ada", "banned": False, "banExpires": None},
    "updatedAt": 1751328000000,
    "version": "1",
}
PUBLIC = {"iss": "http://localhost:3000", "aud": "better-auth:session-cache", "sub": "u", "sid": "t"}
FLASK_DATA = (
    b'{"a":{" t":[1,{" b":"YQ=="}]},"b":{" di":{" t__":1}},"c":{" d":"Tue, 15 Nov 1994 12:45:26 GMT"},'
    b'"u":{" u":"00112233445566778899aabbccddeeff"}}'
)


def foreign_targets() -> Sequence[Target]:
    return [_target(case) for case in CASES]


def _target(case: Case) -> Target:
    """One reader. Where it has its usual configuration, content of any kind is made authentic for it too."""
    vector, store = case.vector, OneText()
    makes_authentic = case.name in AUTHENTIC
    visit = _visitor(case, case.reader)
    options = OPTIONS.get(case.name, {}) | ({"store": store} if "store" in vector.options() else {})
    inside = _visitor(case, vector.reader(**options))

    def run(data: bytes) -> object:
        if not makes_authentic or not data.startswith(AUTHENTIC_MARK):
            return visit(data)
        content = data.removeprefix(AUTHENTIC_MARK)
        store.text = split(content)[1]
        return inside(_header(AUTHENTIC[case.name](vector, content)))

    headers = [_header(other.cookies) for other in vectors(vector.file)]
    contents = [] if not makes_authentic else [AUTHENTIC_MARK + content for content in _contents(case)]
    return Target(case.name, run, [*dict.fromkeys(headers), *contents], 20_000)


def _header(cookies: Mapping[str, str]) -> bytes:
    return "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()


def _visitor(case: Case, reader: object) -> Callable[[bytes], object]:
    """A visit where the format is read and written, or taken over from."""
    options = {"model": Everything, "secret_key": SECRETS[0], "clock": lambda: case.now}
    # A format without a time is read while migrating only.
    if case.two_way and getattr(reader, "timed", True):
        return visitor(format=reader, idle_timeout=YEAR, absolute_timeout=YEAR, **options)
    end = datetime.fromtimestamp(case.now + YEAR, UTC)
    return visitor(migrate_from=[Migration(reader, end, max_age=YEAR, signs_out_there=True)], **options)


def _contents(case: Case) -> list[bytes]:
    """What the other system would have sealed, with its own times around it."""
    now = int(case.now)
    timestamp = encode_base64url(now.to_bytes(4)).encode()
    match case.name:
        case "StarletteSession":
            return [timestamp + b"\0" + data for data in DATA]
        case "FlaskSession":
            compressed = [b"." + timestamp + b"\0" + zlib.compress(data) for data in (DATA[0], b" " * 70_000)]
            return [timestamp + b"\0" + FLASK_DATA, timestamp + b"\0" + DATA[0], *compressed]
        case "LitestarSession":
            return [json.dumps({"expires_at": now + 60}).encode() + b"\0" + data for data in DATA]
        case "FastifySecureSession":
            return [b'\0{"__ts":%d,' % now + data[1:] for data in DATA]
        case "ClientSessions":
            begun = b"%d.%d" % (now * 1000, 86_400_000)
            return [begun + b"\0session_state=" + data for data in DATA]
        case "IronSession":
            return [b"1*%d\0" % ((now + 3_600) * 1000) + data for data in (*DATA, b"null")]
        case "Iron":
            return [b"*%d\0" % ((now + 3_600) * 1000) + data for data in DATA]
        case "Yar":
            return [b'*\0{"id":"x","_store":' + data + b"}" for data in DATA]
        case "ExpressSession":
            cookie = b'{"cookie":{"expires":"2027-01-15T08:00:00.000Z"},'
            return [b"abc\0" + cookie + data[1:] for data in DATA]
    return _front_end_contents(case.name, now) or [b"\0" + data for data in DATA]


def _front_end_contents(name: str, now: int) -> list[bytes]:
    match name:
        case "H3Session" | "NuxtSession":
            envelope = b'*\0{"id":"x","createdAt":%d,"data":' % (now * 1000)
            return [envelope + data + b"}" for data in DATA]
        case "HonoSessions":
            entries = b'{"user_id":{"value":42,"flash":false},"tags":{"value":["a"],"flash":true}}'
            texts = b'{"_data":%b,"_expire":"2030-01-01T00:00:00.000Z"}' % entries, b'{"_data":{},"_expire":null}'
            return [b"*\0" + json.dumps(text.decode()).encode() for text in texts]
        case "HonoSession":
            claims = b'\0{"sid":"x","iat":%d,"exp":%d,' % (now, now + 3_600)
            return [claims + data[1:] for data in DATA]
        case "AuthjsSession" | "NextAuthSession":
            claims = b'\0{"sub":"42","iat":%d,"exp":%d,"jti":"x",' % (now, now + 3_600)
            return [claims + data[1:] for data in DATA]
        case "BetterAuthSession":
            return [b"t\0" + _json(CACHED)]
        case "BetterAuthCache":
            return [b"%d\0" % ((now + 300) * 1000) + _json(CACHED)]
        case "BetterAuthCache, jwt" | "BetterAuthCache, jwe" | "BetterAuthCache, jwks":
            return [b"\0" + _json({**CACHED, **PUBLIC, "iat": now, "exp": now + 300})]
    return []


def _json(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
