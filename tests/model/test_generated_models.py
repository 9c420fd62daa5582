"""Any model and any value: it comes back as it was, or an error names its field. The models are drawn too."""

import dataclasses
import re
from collections import deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, Union, get_args, get_origin
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter, create_model
from typing_extensions import TypedDict

from fastsession import ConfigurationError, Session, SessionNotSerializableError
from fastsession.payload.codec import PayloadCodec

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

Item = TypeVar("Item")


class Role(StrEnum):
    ADMIN = "admin"


class Rank(IntEnum):
    FIRST = 1


class Color(Enum):
    RED = "red"


class Card(BaseModel):
    reference: str = ""


class Transfer(BaseModel):
    reference: str = ""


class GoldCard(Card):
    pass


class Box(BaseModel, Generic[Item]):
    item: Item | None = Field(None, alias="Item")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    names: list[str] = []


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


@dataclasses.dataclass
class Point:
    x: int = 0


class Place(NamedTuple):
    row: int
    name: Role | str


class Entry(TypedDict):
    who: Role | str


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Reversed = Annotated[str, PlainSerializer(lambda text: text[::-1]), AfterValidator(lambda text: text[::-1])]

# Types and values that are of exactly this type.
LEAVES: list[tuple[Any, list[Any]]] = [
    (int, [0, 1, -5]),
    (str, ["", "admin", "1", "true", "2026-01-01", str(UUID(int=1)), "a/b", "1.5", "red"]),
    (float, [1.0, 1.5]),
    (bool, [True, False]),
    (bytes, [b"", b"admin"]),
    (Decimal, [Decimal(1), Decimal("1.50")]),
    (UUID, [UUID(int=1)]),
    (datetime, [datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 1)]),  # noqa: DTZ001
    (date, [date(2026, 1, 1)]),
    (time, [time(12), time(12, tzinfo=UTC)]),
    (timedelta, [timedelta(days=1)]),
    (Role, [Role.ADMIN]),
    (Rank, [Rank.FIRST]),
    (Color, [Color.RED]),
    (Path, [Path("a/b")]),
    (Literal["admin", "user"], ["admin", "user"]),
    (Literal[1, "1"], [1, "1"]),
    (Place, [Place(1, "a"), Place(1, Role.ADMIN)]),
]
# Of these, no value is part of a set or the key of a dict.
LARGER: list[tuple[Any, list[Any]]] = [
    (re.Pattern[str], [re.compile("a"), re.compile("a", re.IGNORECASE)]),
    (Card, [Card(reference="r"), GoldCard(reference="r")]),
    (Transfer, [Transfer(reference="r")]),
    (Pet, [Cat(names=["a"]), Dog()]),
    (Point, [Point(1)]),
    (Entry, [{"who": "admin"}, {"who": Role.ADMIN}]),
    (Box[int], [Box[int](Item=1)]),
    (Box[str], [Box[str](Item="1")]),
    (Box[Role | str], [Box[Role | str](Item="x"), Box[Role | str](Item=Role.ADMIN)]),
    (Reversed, ["admin", "a"]),
]
# These declare several types in themselves, or have subclasses, or write less than they hold.
CONFUSABLE = (Literal[1, "1"], Place, Entry, Box[Role | str], re.Pattern[str], Card)


def leaf(of):
    return st.sampled_from(of).flatmap(lambda pair: st.tuples(st.just(pair[0]), st.sampled_from(pair[1])))


def larger(inner):
    """Types that hold others, each with a value."""
    keys = leaf(LEAVES)
    return st.one_of(
        inner.map(lambda one: (list[one[0]], [one[1], one[1]])),
        keys.map(lambda one: (deque[one[0]], deque([one[1]]))),
        inner.map(lambda one: (tuple[one[0], ...], (one[1],))),
        inner.map(lambda one: (one[0] | None, one[1])),
        keys.map(lambda one: (set[one[0]], {one[1]})),
        keys.map(lambda one: (frozenset[one[0]], frozenset({one[1]}))),
        st.tuples(inner, inner).map(lambda two: (tuple[two[0][0], two[1][0]], (two[0][1], two[1][1]))),
        st.tuples(keys, inner).map(lambda two: (dict[two[0][0], two[1][0]], {two[0][1]: two[1][1]})),
        # A union, in either order, with a value of one of its choices.
        st.tuples(inner, inner).map(lambda two: (two[0][0] | two[1][0], two[0][1])),
        st.tuples(inner, inner).map(lambda two: (two[0][0] | two[1][0], two[1][1])),
    )


typed = st.recursive(leaf(LEAVES) | leaf(LARGER), larger, max_leaves=4)


@st.composite
def fields(draw):
    """A model with one field of a drawn type, between others, and a value that is of this type."""
    kind, value = draw(typed)
    options: dict[str, Any] = {"alias": "Value"} if draw(st.booleans()) else {}
    around = {"first": (int, 0), "last": (list[str], Field(default_factory=lambda: ["x"]))}
    names = ["first", "value", "last"] if draw(st.booleans()) else ["value", "first", "last"]
    wanted = {**around, "value": (kind | None, Field(None, **options))}
    extra = draw(st.sampled_from(["ignore", "allow", "forbid"]))
    parent = type("Drawn", (Session,), {"model_config": ConfigDict(extra=extra)})
    model = create_model("Drawn", __base__=parent, **{name: wanted[name] for name in names})
    return model, kind, value


def choices(kind):
    """The types that a union declares, None aside."""
    union = get_origin(kind) in (Union, UnionType)
    return [part for part in get_args(kind) if part is not type(None)] if union else [kind]


def confusable(kind):
    """Whether a value that is of the type may be written as another is. The keys of dicts are text in JSON."""
    several = len(choices(kind)) > 1 or kind in CONFUSABLE or get_origin(kind) is dict
    return several or any(map(confusable, get_args(kind)))


def kept(model, value):
    """What the field holds in the next request, and the field that was refused, if one was."""
    codec = PayloadCodec(model)
    session = codec.fresh()
    session.value = value
    try:
        payload = codec.dump(session, {})
        codec.verify(session, {}, payload)
    except SessionNotSerializableError as error:
        return None, error.field
    loaded, _ = codec.load(payload)
    now = codec.dump(loaded, {})
    assert now == payload or not codec.changed(now, payload, codec.edit(now, payload)), "a read is no change"
    return loaded.value, None


def identical(one, other):
    """Whether two values are the same, all types in them too."""
    if type(one) is not type(other):
        return False
    if isinstance(one, BaseModel):
        return identical(one.__dict__, other.__dict__)
    if isinstance(one, dict):
        return identical(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, (set, frozenset)):
        return identical(sorted(one, key=repr), sorted(other, key=repr))
    return one == other


@settings(max_examples=400, deadline=None, derandomize=True)
@given(fields())
def test_a_value_of_the_declared_type_comes_back_identical_or_its_field_is_named(drawn):
    model, kind, value = drawn
    back, refused = kept(model, value)
    if refused:
        assert refused == "value"
        assert confusable(kind), "only what can be confused is refused"
    else:
        assert identical(back, value)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(fields(), typed)
def test_a_value_of_another_type_comes_back_as_the_declared_one_or_its_field_is_named(drawn, other):
    model, kind, _ = drawn
    back, refused = kept(model, other[1])
    if refused:
        assert refused == "value"
        return
    TypeAdapter(model.__pydantic_fields__["value"].annotation).validate_python(back, by_name=True)
    if len(choices(kind)) > 1:
        assert type(back) is type(other[1])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(fields(), st.sampled_from(["", "x" * 600]), st.booleans())
def test_the_shortcut_for_large_sessions_agrees_with_loading_everything(drawn, filler, edited):
    model, _, value = drawn
    codec = PayloadCodec(model)
    arrived = codec.dump(model(last=[filler]), {})
    session, _ = codec.load(arrived)
    if edited:
        session.value = value
    now = codec.dump(session, {})
    assert codec.changed(now, arrived, codec.edit(now, arrived)) == (now != codec.dump(*codec.load(arrived)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(typed, st.booleans())
def test_a_new_session_is_what_the_model_gives(pair, made):
    kind, value = pair
    default = Field(default_factory=lambda: value) if made else Field(value)
    model = create_model("Drawn", __base__=Session, value=(kind, default))
    try:
        codec = PayloadCodec(model)
    except ConfigurationError:
        # A default that would not come back; which ones are refused is for the tests above.
        assert kept(create_model("Drawn", __base__=Session, value=(kind | None, None)), value)[1] == "value"
        return
    session = codec.fresh()
    assert identical(session, model())
    assert codec.untouched().payload == codec.dump(session, {})
