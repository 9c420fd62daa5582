"""A session goes into bytes and comes back as it was, or an error names the field (security.md T-10)."""

import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntFlag
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from fastsession import Session, SessionNotSerializableError
from fastsession.errors import Rejected
from fastsession.payload.codec import PayloadCodec
from fastsession.status import SessionStatus


class Color(Enum):
    RED = "red"
    GREEN = 2


class Right(IntFlag):
    READ = 1
    WRITE = 2


class Card(BaseModel):
    kind: Literal["card"] = "card"
    digits: str = ""


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    amount: Decimal = Decimal(0)


class Node(BaseModel):
    children: list["Node"] = []
    label: str = Field("", alias="Label")


class WideSession(Session):
    text: str = ""
    number: int = 0
    real: float = 0.0
    data: bytes = b""
    anything: Any = None
    color: Color = Color.RED
    rights: Right = Right.READ
    payment: Annotated[Card | Cash, Field(discriminator="kind")] = Card()
    tree: Node = Node()
    amount: Decimal = Decimal(0)
    key: UUID | None = None
    at: datetime | None = None
    day: date | None = None
    hour: time | None = None
    span: timedelta = timedelta(0)
    tags: set[str] = set()
    pair: tuple[int, str] = (0, "")
    numbered: dict[int, float] = {}
    items: list[Any] = []
    either: int | str = 0
    digits: Annotated[str, Field(max_length=4)] = ""


CODEC = PayloadCodec(WideSession)


def label(value):
    return value if isinstance(value, str) and value in CODEC.fields else type(value).__name__


def kept(name, value, codec=CODEC):
    """What a field holds after the session went into bytes and back."""
    session = codec.fresh()
    setattr(session, name, value)
    payload = codec.dump(session, {})
    codec.verify(session, {}, payload)
    loaded, extras = codec.load(payload)
    assert extras == {}
    now = codec.dump(loaded, {})
    # A set's order may be another after it has been loaded.
    assert now == payload or not codec.changed(now, payload)
    return getattr(loaded, name)


HALF_PAST = timezone(timedelta(hours=-7, minutes=-30))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("text", text)
            for text in ("", "Zoë 🦊", "\0", "\n\r\u2028\x85", "</script>", '"\\', "x" * 10_000, "\uffff")
        ),
        *(("number", number) for number in (-1, 2**63, -(2**64), 10**4299)),
        *(("real", real) for real in (-0.5, 5e-324, 1.7976931348623157e308, 0.1 + 0.2)),
        *(("data", data) for data in (b"\0", "é".encode(), b"x" * 1000)),
        *(("anything", thing) for thing in (None, True, [1, [2.5, {"a": None}]], {"": ""}, 10**4299, "\0")),
        *(("color", color) for color in Color),
        *(("rights", right) for right in (Right.WRITE, Right.READ | Right.WRITE, Right(0))),
        *(("payment", payment) for payment in (Card(digits="4"), Cash(amount=Decimal("1.10")))),
        ("tree", Node(children=[Node(Label="a"), Node(children=[Node(Label="b")])])),
        *(("amount", Decimal(amount)) for amount in ("0.1000", "1E+30", "-0")),
        ("key", UUID(int=2**127 + 5)),
        *(("at", at) for at in (datetime(2026, 1, 1, 1, 2, 3, 456, HALF_PAST), datetime.max.replace(tzinfo=HALF_PAST))),
        ("at", datetime(1, 1, 1)),  # noqa: DTZ001
        *(("day", day) for day in (date.min, date.max)),
        *(("hour", hour) for hour in (time(1, 2, 3, 4), time(23, 59, tzinfo=HALF_PAST))),
        *(("span", span) for span in (timedelta(days=-3, microseconds=7), timedelta(weeks=100))),
        ("tags", {"b", "a", ""}),
        ("pair", (-1, "x")),
        ("numbered", {-1: 0.5, 10**20: -0.0}),
        *(("either", either) for either in ("5", 5, "")),
    ],
    ids=label,
)
def test_a_value_comes_back_as_it_was(name, value):
    back = kept(name, value)
    assert back == value
    assert type(back) is type(value)


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


def cyclic():
    cycle = []
    cycle.append(cycle)
    return cycle


NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("real", value) for value in (NAN, INFINITY, -INFINITY, "text", None)),
        *(("number", value) for value in (10**4300, 1.5, "12", NAN)),
        *(("text", value) for value in ("\ud800", 5)),
        *(("data", value) for value in (b"\xff", "\udcff")),
        *(
            ("anything", value)
            for value in (NAN, [NAN], "\ud800", {"\ud800": 1}, object(), 10**4300, b"\xff", cyclic())
        ),
        *(("anything", nested(depth)) for depth in (200, 201, 1000, 100_000)),
        *(("items", value) for value in (cyclic(), [object()], [nested(200)], None)),
        *(("digits", value) for value in ("12345", 1234)),
        *(("numbered", value) for value in ({1: NAN}, {"a": 1.0}, [])),
        *(("amount", value) for value in (Decimal("NaN"), Decimal("Infinity"))),
        ("payment", Node()),
        ("payment", {"kind": "cheque"}),
        ("color", "blue"),
        ("at", "yesterday"),
        ("pair", (1, "x", 2)),
    ],
    ids=label,
)
def test_a_value_that_would_not_come_back_is_refused_by_its_name(name, value):
    with pytest.raises(SessionNotSerializableError) as error:
        kept(name, value)
    assert error.value.field == name
    assert error.value.__cause__ is None


@pytest.mark.parametrize("depth", [1, 198, 199])
def test_json_may_be_nested_two_hundred_levels_deep_with_the_model(depth):
    assert kept("anything", nested(depth)) == nested(depth)


@pytest.mark.parametrize(
    ("value", "back"), [((1, (2,)), [1, [2]]), ({"a": (1,)}, {"a": [1]}), (frozenset(), []), ({1: "x"}, {"1": "x"})]
)
def test_an_undeclared_shape_becomes_what_json_has_for_it(value, back):
    assert kept("anything", value) == back


ENCODED = {"text": "é\n", "anything": [1, 2]}


def test_the_payload_is_one_line_of_compact_json_and_a_second_for_extras():
    session = WideSession(**ENCODED)
    alone, both = CODEC.dump(session, {}), CODEC.dump(session, {"état": [1], "b": "x\ny"})
    assert both == alone + '\n{"état":[1],"b":"x\\ny"}'.encode()
    assert b"\n" not in alone
    assert json.loads(alone) | ENCODED == json.loads(alone)
    assert CODEC.load(both) == (session, {"état": [1], "b": "x\ny"})


@pytest.mark.parametrize(
    "payload",
    [
        *(
            b"",
            b"[]",
            b"null",
            b"{",
            b"{}{}",
            b'{"number":"x"}',
            b'{"real":NaN}',
            b'{"text":"\xff"}',
            b'{"text":"\\ud800"}',
        ),
        *(b'{"anything":' + b"[" * depth + b"]" * depth + b"}" for depth in (201, 100_000)),
        *(b'{"number":' + b"9" * digits + b"}" for digits in (4301, 1_000_000)),
        *(b"{}\n", b"{}\n{", b"{}\n[]", b"{}\nnull", b"{}\n1", b"{}\n" + b"[" * 100_000, b'{}\n{"a":"\xff"}'),
        *(b'{}\n{"text":5}', b'{}\n{"a":' + b"9" * 5000 + b"}"),
    ],
    ids=lambda payload: repr(payload[:20]),
)
def test_a_payload_that_the_model_does_not_accept_is_incompatible(payload):
    with pytest.raises(Rejected) as rejected:
        CODEC.load(payload)
    assert rejected.value.status is SessionStatus.INCOMPATIBLE


def test_of_a_key_that_stands_twice_the_last_counts():
    assert CODEC.load(b'{"number":1,"number":2}\n{"a":1,"a":2}') == (WideSession(number=2), {"a": 2})


def test_extras_that_the_model_declares_by_now_move_into_it():
    assert CODEC.load(b'{"text":"t"}\n{"number":7,"other":1}') == (WideSession(text="t", number=7), {"other": 1})
