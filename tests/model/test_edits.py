"""The fields that were edited are told from two dumps' text as surely as if both had been loaded."""

import json
from typing import Annotated, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    computed_field,
    create_model,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)

from fastsession import Session, SessionNotSerializableError
from fastsession.payload.codec import PayloadCodec
from fastsession.payload.edits import DumpedFields

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover

NAMES = ("a", "b", "c", "d")


class Anything(Session):
    """Four fields that hold any JSON, keys of the same names in it above all."""

    a: Any = None
    b: Any = None
    c: Any = None
    d: Any = None


class Large(Session):
    large: list[str] = []
    a: Any = None
    b: Any = None
    c: Any = None
    d: Any = None


FIELDS = DumpedFields(Anything)
CODEC = PayloadCodec(Anything)
CODEC_OF_LARGE = PayloadCodec(Large)
LARGE = b'["%s"]' % (b"x" * 600)
# Values that begin or end alike, or look like what stands around them.
scalars = st.sampled_from([None, True, 5, 57, 7, "", "a", ',"b":', '","c":1', "}", '\\"', 5.5])
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "", ',"d":']), inner, max_size=4)
    ),
    max_leaves=8,
)
sessions = st.tuples(*[values] * len(NAMES)).map(lambda drawn: dict(zip(NAMES, drawn, strict=True)))


@st.composite
def pairs(draw):
    """What arrived, perhaps from another version of the model, and the session some edits later."""
    after = draw(sessions)
    before = dict(after)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True)):
        before[name] = draw(values)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        before.pop(name, None)
    if draw(st.booleans()):
        before[draw(st.sampled_from(["gone", "", "e"]))] = draw(values)
    names = draw(st.permutations(list(before))) if draw(st.booleans()) else list(before)
    return compact({name: before[name] for name in names}), CODEC.dump(Anything(**after), {})


def compact(data):
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def loaded(text):
    return CODEC.load(text)[0]


@settings(max_examples=600)
@given(pairs())
@example((b'{"a":57,"b":1,"c":null,"d":null}', b'{"a":5,"b":1,"c":null,"d":null}'))
@example((b'{"a":{"b":1},"c":null,"d":null}', b'{"a":{"b":1},"b":1,"c":null,"d":null}'))
@example((b'{"a":{"a":0,"b":5,"c":1},"d":2}', b'{"a":{"a":0},"b":5,"c":1,"d":2}'))
def test_what_an_edit_leaves_out_is_the_same_and_what_it_names_loads_as_in_the_whole(pair):
    before, after = pair
    edit = FIELDS.edit(before, after)
    if edit is None:
        return
    for name in NAMES:
        if name in edit.names:
            assert getattr(loaded(edit.before), name) == getattr(loaded(before), name)
            assert getattr(loaded(edit.after), name) == getattr(loaded(after), name)
        else:
            assert getattr(loaded(before), name) == getattr(loaded(after), name)


@settings(max_examples=600)
@given(pairs())
def test_a_large_session_has_changed_just_when_it_differs_from_what_was_loaded(pair):
    # In a field of its own, so that the edit may be of any other.
    before, after = (b'{"large":%s,' % LARGE + text[1:] for text in pair)
    edit = CODEC_OF_LARGE.edit(after, before)
    assert CODEC_OF_LARGE.changed(after, before, edit) == (after != CODEC_OF_LARGE.dump(*CODEC_OF_LARGE.load(before)))


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ({}, {"a": 1}, ("a",)),
        ({}, {"b": 1}, ("b",)),
        ({}, {"d": 1}, ("d",)),
        ({}, {"a": 1, "c": 2}, ("a", "b", "c")),
        ({}, {"b": 1, "d": 2}, ("b", "c", "d")),
        ({"c": {"b": 2}}, {"c": {"b": 3}}, ("c",)),
        ({"c": [1, 2, 3]}, {"c": [1, 3]}, ("c",)),
        ({"a": 1, "b": 1}, {"a": 1, "b": 11}, ("b",)),
        ({"a": "x", "b": ""}, {"a": "x", "b": '","c":9'}, ("b",)),
        ({}, {"b": 1, "c": 2}, ("b", "c")),
        # Nested keys of the same names, beside the edges and within them.
        ({"a": {"x": 1, "c": 1}}, {"a": {"x": 2, "c": 1}}, ("a",)),
        ({"a": {"x": 0, "a": {"y": 0, "a": 1}}}, {"a": {"x": 0, "a": {"y": 0, "a": 2}}}, ("a",)),
        ({"c": {"x": 0, "b": 1}, "d": 1}, {"c": {"x": 0, "b": 1}, "d": 2}, ("d",)),
        ({"a": {"x": 0, "c": 1}, "d": 1}, {"a": {"x": 0, "c": 1}, "d": 2}, ("d",)),
        ({"a": 1, "d": {"x": 0, "c": 1}}, {"a": 2, "d": {"x": 0, "c": 1}}, ("a",)),
    ],
)
def test_an_edit_is_as_narrow_as_neighbouring_fields_can_be(before, after, names):
    nothing = dict.fromkeys(NAMES)
    edit = FIELDS.edit(compact({**nothing, **before}), compact({**nothing, **after}))
    assert edit is not None
    assert edit.names == names
    assert json.loads(edit.before) == {name: before.get(name) for name in names}
    assert json.loads(edit.after) == {name: after.get(name) for name in names}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # All of it differs.
        (b'{"a":1,"b":1,"c":1,"d":1}', b'{"a":2,"b":1,"c":1,"d":2}'),
        # The key at the edge stands elsewhere too.
        (b'{"a":{"x":0,"b":1},"b":1,"c":1,"d":1}', b'{"a":{"x":0,"b":1},"b":2,"c":1,"d":1}'),
        (b'{"a":1,"b":1,"c":{"x":0,"b":1},"d":1}', b'{"a":2,"b":1,"c":{"x":0,"b":1},"d":1}'),
        # White space, that no dump has.
        (b' {"a":1,"b":1,"c":1,"d":1}', b'{"a":2,"b":1,"c":1,"d":1}'),
        (b'{"a":1,"b":1,"c":1,"d":1} ', b'{"a":1,"b":1,"c":1,"d":2}'),
        (b"", b'{"a":1,"b":1,"c":1,"d":2}'),
    ],
)
def test_where_the_text_cannot_tell_there_is_no_edit(before, after):
    assert FIELDS.edit(before, after) is None


def test_of_two_that_are_the_same_the_last_field_counts_as_edited():
    dump = b'{"a":1,"b":1,"c":1,"d":1}'
    assert FIELDS.edit(dump, dump) == (("d",), b'{"d":1}', b'{"d":1}')


def test_a_name_that_json_escapes_is_not_found_and_the_fields_before_it_are_told_apart_all_the_same():
    odd = create_model("Odd", __base__=Session, **{"first": (int, 0), 'a"b': (int, 0), "last": (int, 0)})
    codec = PayloadCodec(odd)
    before, after = (codec.dump(odd(**{"first": 1, 'a"b': 1, "last": last}), {}) for last in (1, 2))
    assert DumpedFields(odd).edit(before, after) is None
    after = codec.dump(odd(**{"first": 2, 'a"b': 2, "last": 1}), {})
    edit = DumpedFields(odd).edit(before, after)
    assert edit is not None
    assert edit.names == ("first", 'a"b')


def test_a_field_that_is_new_since_is_an_edit_of_nothing():
    edit = FIELDS.edit(b'{"a":1,"b":1,"d":1}', b'{"a":1,"b":1,"c":null,"d":1}')
    assert edit == (("c",), b"{}", b'{"c":null}')


def sees_others(value: int, info: ValidationInfo) -> int:
    return value + info.data.get("first", 0)


class Plain(Session):
    first: int = 0
    second: Annotated[int, Field(ge=0), AfterValidator(abs)] = 0

    @field_validator("first")
    @classmethod
    def positive(cls, value: int) -> int:
        return abs(value)

    @computed_field
    def total(self) -> int:
        return self.first + self.second


class Nested(BaseModel):
    left: "Nested | None" = None
    right: "Nested | None" = None


class Recursive(Session):
    first: Nested | None = None
    second: Nested | None = None


class WithInfo(Session):
    first: int = 0
    second: Annotated[int, AfterValidator(sees_others)] = 0


class WithInfoInUnion(Session):
    first: int = 0
    second: str | Annotated[int, AfterValidator(sees_others)] = 0


class DeferredWithInfo(Session):
    model_config = ConfigDict(defer_build=True)
    first: int = 0
    second: Annotated[int, AfterValidator(sees_others)] = 0


class WithModelValidator(Session):
    first: int = 0
    second: int = 0

    @model_validator(mode="after")
    def ordered(self) -> "WithModelValidator":
        return self


class WithValidatorBefore(Session):
    first: int = 0
    second: int = 0

    @model_validator(mode="before")
    @classmethod
    def renamed(cls, data: Any) -> Any:
        return data


class WithModelSerializer(Session):
    first: int = 0
    second: int = 0

    @model_serializer(mode="wrap")
    def as_written(self, handler: Any) -> Any:
        return handler(self)


class WithFieldSerializer(Session):
    first: int = 0
    second: int = 0

    @field_serializer("second")
    def relative(self, value: int) -> int:
        return value - self.first


class WithExcluded(Session):
    first: int = Field(0, exclude=True)
    second: int = 0


class WithExtras(Session):
    model_config = ConfigDict(extra="allow")
    first: int = 0
    second: int = 0


class WithFactoryOfOthers(Session):
    first: int = 0
    second: int = Field(default_factory=lambda data: data["first"])


class WithPrivate(Session):
    first: int = 0
    second: int = 0
    _seen: int = PrivateAttr(0)


class WithOwnInit(Session):
    first: int = 0
    second: int = 0

    def __init__(self, **data: Any) -> None:
        super().__init__(**data)


@pytest.mark.parametrize("model", [Plain, Recursive])
def test_fields_that_load_by_themselves_are_told_apart(model):
    null = b"0" if model is Plain else b"null"
    assert DumpedFields(model).edit(b'{"first":%s,"second":1}' % null, b'{"first":%s,"second":2}' % null)


@pytest.mark.parametrize(
    "model",
    [
        WithInfo,
        WithInfoInUnion,
        DeferredWithInfo,
        WithModelValidator,
        WithValidatorBefore,
        WithModelSerializer,
        WithFieldSerializer,
        WithExcluded,
        WithExtras,
        WithFactoryOfOthers,
        WithPrivate,
        WithOwnInit,
    ],
)
def test_fields_that_depend_on_others_are_not(model):
    assert DumpedFields(model).edit(b'{"first":0,"second":1}', b'{"first":0,"second":2}') is None


class Bounded(Session):
    notes: list[str] = []
    count: Annotated[int, Field(ge=0)] = 0
    lines: list[dict[str, Any]] = []


@pytest.mark.parametrize("filler", ["", "a note " * 200])
@pytest.mark.parametrize(
    ("name", "value"),
    [("count", -1), ("count", "many"), ("lines", [{"x": float("nan")}]), ("notes", [1]), ("notes", "none")],
)
def test_what_would_not_load_is_refused_whether_or_not_the_rest_is_loaded_again(name, value, filler):
    codec = PayloadCodec(Bounded)
    arrived = codec.dump(Bounded(notes=[filler]), {})
    session = codec.load(arrived)[0]
    setattr(session, name, value)
    now = codec.dump(session, {})
    with pytest.raises(SessionNotSerializableError) as caught:
        codec.verify(session, {}, now, codec.edit(now, arrived))
    assert caught.value.field == name


def test_what_would_come_back_as_something_else_is_refused_in_a_large_session_too():
    class Line(BaseModel):
        sku: str = ""

    class Priced(Line):
        cents: int = 0

    class Shop(Session):
        lines: list[Line] = []
        note: str = ""

    codec = PayloadCodec(Shop)
    arrived = codec.dump(Shop(note="a note " * 200), {})
    session = codec.load(arrived)[0]
    session.lines.append(Priced(sku="tea", cents=100))
    now = codec.dump(session, {})
    with pytest.raises(SessionNotSerializableError, match="lines"):
        codec.verify(session, {}, now, codec.edit(now, arrived))
