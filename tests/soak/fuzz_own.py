"""The fuzzer's targets in our own format: Cookie header, cookies of several pieces, token, payload."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from fastsession import Lifetime, Session
from fastsession.cookies import MOST_HEADER_BYTES, cookie_pairs, find_values
from fastsession.errors import Rejected, SessionNotSerializableError
from fastsession.payload.codec import PayloadCodec
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.token import Token, decode, encode
from tests.reference import cookie_header
from tests.soak.fuzz_target import Target
from tests.soak.fuzz_token import NAME, NOW, SEALER, SECRETS, content, content_of, mutate, sealed
from tests.soak.fuzz_visit import visitor

MOST_CANDIDATES, MOST_COOKIES = 4, 512


class Address(BaseModel):
    street: str = ""
    number: int | None = None


class Everything(Session):
    """One field of each kind that parsers treat differently."""

    user_id: int | None = None
    cart: list[str] = []
    ratio: float = 0.0
    exact: Decimal = Decimal(0)
    seen: datetime | None = None
    tags: set[str] = set()
    blob: bytes = b""
    home: Address = Address()
    visits: dict[date, list[Address]] = {}


CHUNKS = Chunks(NAME, 3)
VISIT = visitor(
    model=Everything,
    secret_key=SECRETS[0],
    secret_key_fallbacks=SECRETS[1:],
    remember=Lifetime(86_400, 864_000),
    max_cookies=3,
    clock=lambda: NOW,
)
CODEC = PayloadCodec(Everything)
PAYLOADS = (
    b"{}",
    b'{"user_id":42,"cart":["tea","\xc3\xa9"],"ratio":0.5,"exact":"1.50","seen":"2027-01-15T08:00:00Z"}',
    b'{"tags":["a","b"],"blob":"YQ==","home":{"street":"x","number":7},"visits":{"2027-01-15":[{"street":"y"}]}}',
    b'{}\n{"flash":[["info","saved"]],"user_id":7,"nested":{"a":[1,2.5,null,true]}}',
    b'{"cart":["' + b"x" * 6_000 + b'"]}',
)


CONTENTS = [
    *map(content, PAYLOADS),
    content(b"{}", flags=1),
    content(b"{}", flags=2, binding=bytes(16)),
    content(b"{}", flags=4),
    content(b"{}", created_at=NOW - 50_000),
    content(b"{}", created_at=NOW + 60),
]


def _header(token: bytes, *others: str) -> bytes:
    pairs = CHUNKS.split(token.decode()).items()
    return "; ".join([*others, *(f"{name}={value}" for name, value in pairs)]).encode()


def _read_header(header: bytes) -> tuple[list[str] | None, dict[str, str]]:
    try:
        values = find_values(header, b"s")
    except Rejected:
        values = None
    return values, cookie_pairs(header)


def _read_full_header(pattern: bytes) -> tuple[list[str] | None, dict[str, str]]:
    """The pattern as often as it fits into what is searched: what costs most for its length shows here."""
    return _read_header(pattern * (MOST_HEADER_BYTES // max(1, len(pattern))))


def _check_header(header: bytes, result: object) -> None:
    """The same as a parser written from RFC 6265bis finds among the first cookies."""
    pairs = cookie_header.pairs([(b"cookie", header)])
    values, found = result
    looked_at = [(name, value) for name, value in pairs if b"s" in name + value][:MOST_COOKIES]
    expected = [value.decode("latin-1") for name, value in looked_at if name == b"s"]
    assert values is None or values == expected[:MOST_CANDIDATES]
    first: dict[str, str] = {}
    for name, value in pairs[:MOST_COOKIES]:
        if name:
            first.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    assert found == first


def _open_token(data: bytes) -> Token | None:
    text = data.decode("latin-1")
    with suppress(Rejected):
        SEALER.peek(text)
    try:
        return SEALER.open(text)
    except Rejected:
        return None


def _check_token(data: bytes, result: object) -> None:
    """Nothing opens but the one spelling of what was sealed."""
    if result is not None:
        assert encode(decode(data.decode())) == data.decode()
        assert content_of(data) is not None


def _load(payload: bytes) -> tuple[Everything, dict[str, Any], bytes] | None:
    try:
        arrived = SEALER.open(sealed(content(payload)).decode()).payload
        return *CODEC.load(arrived), arrived
    except Rejected:
        return None


def _check_loaded(_payload: bytes, result: object) -> None:
    """What loads is unchanged, and is either refused when it is saved again, or comes back as it was."""
    if result is None:
        return
    session, extras, arrived = result
    try:
        payload = CODEC.dump(session, extras)
        CODEC.verify(session, extras, payload)
    except SessionNotSerializableError:
        return
    edit = CODEC.edit(payload, arrived)
    CODEC.verify(session, extras, payload, edit)
    assert not CODEC.changed(payload, arrived, edit)
    assert not CODEC.changed(CODEC.dump(*CODEC.load(payload)), payload)


def own_targets() -> Sequence[Target]:
    tokens = [sealed(each) for each in CONTENTS]
    plain = [b"s=1; t=2", b"s=1;s=2;s=3;s=4;s=5", b' \ts = "a b" ;=s=1; s', b"", b"a=;" * 2_700, b"s=" * 9_000]
    headers = [*(_header(token, "a=1", f"{NAME}.1=2.abcdefgh.x") for token in tokens), _header(tokens[0]), *plain]
    return (
        Target("cookie header", _read_header, plain, 70_000, _check_header),
        Target("full cookie header", _read_full_header, [b"a=;", b"s=;", b"s;", b" s \t= 1"], 200),
        Target("session cookies", VISIT, headers, 70_000),
        Target("token", _open_token, tokens, 13_000, _check_token, mutate),
        Target("payload", _load, PAYLOADS, 9_000, _check_loaded),
    )
