"""A value comes back with its type wherever more than one is declared, or an error names the field (C-02)."""

import re
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, JsonValue, RootModel, SerializeAsAny, create_model
from pydantic.experimental.pipeline import validate_as
from pydantic_core import core_schema
from typing_extensions import TypeAliasType, TypedDict

from fastsession import ConfigurationError, Session, SessionNotSerializableError
from fastsession.payload.codec import PayloadCodec
from fastsession.payload.schemas import items_of

Item = TypeVar("Item")
BERLIN = ZoneInfo("Europe/Berlin")
ID = UUID(int=1)


class Role(StrEnum):
    ADMIN = "admin"


class Rank(IntEnum):
    FIRST = 1


class Card(BaseModel):
    reference: str = ""


class Transfer(BaseModel):
    reference: str = ""


class GoldCard(Card):
    pass


class CreditCard(Card):
    limit: int = 0


class Stamp(BaseModel):
    model_config = ConfigDict(frozen=True)
    number: int = 0


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    names: list[str] = []


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Box(BaseModel, Generic[Item]):
    item: Item | None = None


class Tree(BaseModel):
    label: Role | str = ""
    below: list["Tree"] = []


class Either(RootModel[Role | str]):
    pass


@dataclass
class Point:
    x: int = 0


@dataclass
class Corner(Point):
    pass


@dataclass
class Named:
    name: Role | str = ""


class Place(NamedTuple):
    row: int
    name: Role | str


class Entry(TypedDict):
    who: Role | str


Nest = TypeAliasType("Nest", "list[Nest] | Role | str")
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Sealed = Annotated[Card, SerializeAsAny()]


def kept(kind, value):
    """What a field of this type holds in the next request."""
    model = create_model("Drawn", __base__=Session, before=(int, 0), field=(kind | None, None))
    codec = PayloadCodec(model)
    session = codec.fresh()
    session.field = value
    payload = codec.dump(session, {})
    codec.verify(session, {}, payload)
    return codec.load(payload)[0].field


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Card | Transfer, Transfer(reference="r")),
        (dict[str, Card | Transfer], {"a": Transfer()}),
        *((kind, Role.ADMIN) for kind in (Role | str, Literal["admin"] | Role, Nest)),
        (Literal[Rank.FIRST, 1], Rank.FIRST),
        (Rank | int, Rank.FIRST),
        *((kind, [[Role.ADMIN]]) for kind in (list[list[Role | str]], Sequence[tuple[Role | str, ...]], Nest)),
        *((kind, {Role.ADMIN: 1}) for kind in (dict[Role | str, int], Mapping[Role | str, int])),
        *((kind, {Role.ADMIN}) for kind in (set[Role | str], set[str] | set[Role])),
        (deque[Role | str], deque([Role.ADMIN])),
        (dict[int | str, str], {1: "a"}),
        (UUID | str, str(ID)),
        (datetime | str, "2026-01-01T00:00:00"),
        (date | str, "2026-01-01"),
        (AnyUrl | str, AnyUrl("http://example.com")),
        (tuple[int, ...] | set[int], {1}),
        (list[int] | tuple[int, ...], (1, 2)),
        (set[int] | frozenset[int], frozenset({1})),
        (Place | tuple[int, str], (1, "a")),
        (Place, Place(1, Role.ADMIN)),
        *((kind, {"who": Role.ADMIN}) for kind in (Entry, Entry | dict[str, int], Entry | list[int])),
        (Named, Named(Role.ADMIN)),
        (Box[Role | str], Box[Role | str](item=Role.ADMIN)),
        (Either, Either(Role.ADMIN)),
        (Tree, Tree(below=[Tree(label=Role.ADMIN)])),
        *((re.Pattern[str], re.compile("a", flags)) for flags in (re.IGNORECASE, re.MULTILINE)),
        (list[re.Pattern[str]], [re.compile("a", re.IGNORECASE)]),
        *((Card, value) for value in (GoldCard(), CreditCard(), CreditCard(limit=5))),
        *((kind, [GoldCard()]) for kind in (list[Card], list[Card | None], tuple[Card], list[Card | Transfer])),
        *((Sealed, value) for value in (GoldCard(), CreditCard(limit=5))),
        *((kind, [Corner(1)]) for kind in (list[Point], list[Point | int])),
        (time, time(12, tzinfo=BERLIN)),
        # Berlin's clocks were 53 minutes and 28 seconds ahead: seconds are not written.
        (datetime, datetime(1880, 1, 1, tzinfo=BERLIN)),
    ],
    ids=repr,
)
def test_a_value_that_would_come_back_as_something_else_is_refused(kind, value):
    with pytest.raises(SessionNotSerializableError, match="it would come back with another") as error:
        kept(kind, value)
    assert error.value.field == "field"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((Card | Transfer, value) for value in (Card(reference="r"), None)),
        *((Role | str, value) for value in ("admin", "")),
        *((UUID | str, value) for value in (ID, "text")),
        *((datetime | str, value) for value in (datetime(2026, 1, 1, tzinfo=UTC), "text")),
        *((int | bool, value) for value in (1, True)),
        *((Decimal | float, value) for value in (Decimal("1.50"), 1.5)),
        *((int | str, value) for value in (1, "1")),
        *((Literal[1, "1"], value) for value in (1, "1")),
        (Path | str, Path("a/b")),
        (Path, Path("a/b")),
        (timedelta | float, timedelta(days=1)),
        *((date | datetime, value) for value in (date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))),
        (Role, Role.ADMIN),
        (Pet, Cat(names=["a"])),
        (Box[int] | Box[str], Box[str](item="1")),
        (Place, Place(1, "a")),
        (Entry, {"who": "admin"}),
        (Tree, Tree(below=[Tree(label="a")])),
        (Nest, [[], ["a"], "b"]),
        (set[Stamp], {Stamp(number=1)}),
        (deque[int | str], deque([1, "1"])),
        (OrderedDict[str, int | str], OrderedDict(b=1, a="1")),
        (Counter[str], Counter("aab")),
        *((dict[int, str], value) for value in ({1: "a"}, {})),
        (dict[Role, int], {Role.ADMIN: 1}),
        (re.Pattern[str], re.compile("a")),
        (time, time(12, tzinfo=UTC)),
        (Point, Point(1)),
        (list[Point | int], [Point(1), 1]),
        (JsonValue, {"a": [1, None]}),
        (dict[str, Any] | list[Any], {"a": [1]}),
    ],
    ids=repr,
)
def test_a_value_that_comes_back_with_its_type_is_kept(kind, value):
    back = kept(kind, value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("kind", "value", "back"),
    [
        (list[int], (1, 2), [1, 2]),
        (list[int | str], (1, "a"), [1, "a"]),
        (set[int], [1], {1}),
        (str, Role.ADMIN, "admin"),
        (Role, "admin", Role.ADMIN),
        (Path, "a/b", Path("a/b")),
        (dict[str, int | str], OrderedDict(a=1), {"a": 1}),
        (Place, (1, "a"), Place(1, "a")),
        (Card, {"reference": "r"}, Card(reference="r")),
        (Cat | Dog, Cat.model_construct(names=("a",)), Cat(names=["a"])),
        (Sequence[int], (1, 2), [1, 2]),
        (Any, (1, GoldCard()), [1, {"reference": ""}]),
        (dict[str, Any] | list[Any], {"a": (1,)}, {"a": [1]}),
    ],
    ids=repr,
)
def test_where_one_type_is_declared_the_value_comes_back_as_that(kind, value, back):
    assert kept(kind, value) == back
    assert type(kept(kind, value)) is type(back)


def test_an_abstract_path_comes_back_as_a_path():
    assert kept(PathLike[str], Path("a/b")) == Path("a/b")


@pytest.mark.parametrize("fold", [0, 1])
def test_a_named_time_zone_comes_back_as_the_offset_of_that_moment(fold):
    # The clocks show this hour twice.
    at = datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=BERLIN)
    back = kept(datetime, at)
    assert back.isoformat() == at.isoformat()
    assert back.utcoffset() == timedelta(hours=2 - fold)
    assert not isinstance(back.tzinfo, ZoneInfo)


def test_a_default_that_would_come_back_as_something_else_is_refused_at_start_up():
    class Account(Session):
        role: Role | str = Role.ADMIN

    with pytest.raises(ConfigurationError, match=r"Account has a default .* 'role'"):
        PayloadCodec(Account)


def test_another_type_is_refused_beside_an_edit_of_another_field_in_a_large_session():
    class Account(Session):
        role: Role | str = ""
        note: str = ""
        count: int = 0

    codec = PayloadCodec(Account)
    arrived = codec.dump(Account(role="admin", note="a note " * 200), {})
    session, _ = codec.load(arrived)
    session.role, session.count = Role.ADMIN, 1
    now = codec.dump(session, {})
    edit = codec.edit(now, arrived)
    assert edit is not None
    assert edit.names == ("count",)
    with pytest.raises(SessionNotSerializableError, match="role"):
        codec.verify(session, {}, now, edit)


def test_a_field_that_was_deleted_is_refused_unless_it_would_come_back_as_none():
    class Account(Session):
        role: str = "visitor"

    codec = PayloadCodec(Account)
    session = codec.fresh()
    del session.role
    with pytest.raises(SessionNotSerializableError, match="role"):
        codec.verify(session, {}, codec.dump(session, {}))


class Text:
    """A type with a schema of its own, which says nothing of fields."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Text) and self.text == other.text

    __hash__ = None

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        del source, handler
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.text),
        )


class Rooted(Card):
    """A model that is written and read by functions of its own."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        del source, handler
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.model_construct(reference=value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.reference),
        )


Steps = TypeAliasType("Steps", Annotated[tuple[int, ...], validate_as(list[int]).validate_as(tuple[int, ...])])


@pytest.mark.parametrize(
    ("kind", "value", "back"),
    [
        # Where anything is declared, nothing is promised.
        (int | Any, (1,), [1]),
        (list, (1, 2), [1, 2]),
        # No sequence and no mapping: what comes back is of the declared type.
        (tuple[int, ...], iter(()), ()),
        (list[int], iter(()), []),
        (dict[str, str], Card(reference="r"), {"reference": "r"}),
        # Several steps, of which only the last one tells the type.
        (Steps, [1], (1,)),
        (Text | int, Text("t"), Text("t")),
    ],
)
def test_a_value_of_a_loosely_declared_field_comes_back_as_that_field_loads_it(kind, value, back):
    assert kept(kind, value) == back
    assert type(kept(kind, back)) is type(back)


def test_a_model_with_a_schema_of_its_own_is_compared_by_its_class_alone():
    assert kept(Rooted | int, Rooted.model_construct(reference="r")).reference == "r"


def test_the_items_of_a_named_tuple_are_found_in_the_schemas_of_earlier_versions_of_pydantic():
    arguments = [{"name": "row", "schema": {"type": "int"}}, {"name": "name", "schema": {"type": "str"}}]
    schema = {"type": "call", "arguments_schema": {"type": "arguments", "arguments_schema": arguments}}
    assert items_of(schema, 2) == [{"type": "int"}, {"type": "str"}]
