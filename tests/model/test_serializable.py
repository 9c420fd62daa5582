"""What cannot be opened again is never sealed, and what can comes back as it was."""

import math
from typing import Annotated, Any

import pytest
from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, Field, Secret, SecretBytes, SecretStr, computed_field, field_serializer

from fastsession import ConfigurationError, Session, SessionMiddleware, SessionNotSerializableError
from fastsession.testing import sealed_cookies
from tests.shop import SECRET, set_cookies
from tests.visitor import Visitor, note


class Profile(Session):
    age: Annotated[int, Ge(0)] = 0
    height: float = 1.8
    name: str = Field(default="", max_length=10)
    anything: Any = None
    tags: set[str] = Field(default_factory=set)
    point: tuple[int, int] = (0, 0)


def nested(depth):
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


def circular():
    value: list[Any] = []
    value.append(value)
    return value


UNSEALABLE = [
    ("age", -1),
    ("age", "many"),
    ("age", None),
    ("age", 10**5_000),
    ("height", math.nan),
    ("height", math.inf),
    ("name", "longer than ten characters"),
    ("name", "\ud800"),
    ("anything", math.nan),
    ("anything", object()),
    ("anything", {"deep": nested(201)}),
    ("anything", nested(100_000)),
    ("anything", circular()),
    ("anything", b"\xff\xfe"),
    ("point", (1, 2, 3)),
]


@pytest.mark.parametrize(("field", "value"), UNSEALABLE, ids=lambda value: str(type(value).__name__))
def test_a_value_that_would_not_come_back_raises_and_names_its_field(field, value):
    visit = Visitor(model=Profile)
    with pytest.raises(SessionNotSerializableError) as caught:
        visit.as_model(lambda session: note(session, **{field: value}))
    assert caught.value.field == field
    assert repr(field) in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, object(), {1, 2}, b"bytes", circular(), nested(100_000), "\ud800", 10**5_000, {("a", 1): 2}],
    ids=lambda value: type(value).__name__,
)
def test_a_key_that_would_not_come_back_raises_and_is_named(value):
    visit = Visitor()
    with pytest.raises(SessionNotSerializableError) as caught:
        visit.as_dict(lambda session: session.update(fine=1, odd=value))
    assert caught.value.field == "odd"


# Above 900 the limits of writing and of reading JSON differ by the depth of the stack that each is called from.
@pytest.mark.parametrize("depth", [10, 150, 201, 400, 800, *range(900, 1_000, 4)])
def test_a_deep_value_in_the_dict_is_refused_or_comes_back(depth):
    visit = Visitor()
    try:
        visit.as_dict(lambda session: session.update(deep=nested(depth)))
    except SessionNotSerializableError:
        return
    assert visit.as_dict(lambda session: session.get("deep")) == nested(depth)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", 10**4_000),
        ("height", 0.1 + 0.2),
        ("height", -0.0),
        ("name", "\0\n\u2028 é 🛒"),
        ("anything", nested(150)),
        ("anything", {"a": [1, None, True, 2.5, {"b": ""}]}),
        ("tags", {"b", "a", "c"}),
        ("point", (3, 4)),
    ],
    # Without the set's own order, which is another in each process.
    ids=lambda part: repr(sorted(part) if isinstance(part, set) else part),
)
def test_a_value_that_was_sealed_comes_back_equal(field, value):
    visit = Visitor(model=Profile, max_cookies=3)
    visit.as_model(lambda session: note(session, **{field: value}))
    assert visit.as_model(lambda session: getattr(session, field)) == value
    assert set_cookies(visit.response) == []


@pytest.mark.parametrize("value", ["\0\n\u2028 é 🛒", 10**4_000, -0.0, [{"a": None}], {"ü": [True]}, ""], ids=repr)
def test_a_key_that_was_sealed_comes_back_equal(value):
    visit = Visitor(max_cookies=3)
    visit.as_dict(lambda session: session.update(key=value))
    assert visit.as_dict(lambda session: session["key"]) == value
    assert set_cookies(visit.response) == []


def test_a_refused_value_is_not_shown():
    visit = Visitor(model=Profile)
    with pytest.raises(SessionNotSerializableError) as caught:
        visit.as_model(lambda session: note(session, name="a confidential name"))
    assert "confidential" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_session_that_is_not_saved_is_not_validated():
    visit = Visitor(model=Profile)

    def refuse(session):
        session.age = -1
        session.destroy()

    visit.as_model(refuse)
    assert set_cookies(visit.response) == []


def test_computed_fields_aliases_and_nested_models_come_back():
    class Address(BaseModel):
        town: str = Field(default="", alias="city")

    class Customer(Session):
        model_config = ConfigDict(extra="forbid")
        address: Address = Address()
        first: str = Field(default="", validation_alias="firstName", serialization_alias="givenName")

        @computed_field
        def initial(self) -> str:
            return self.first[:1]

    visit = Visitor(model=Customer)
    visit.as_model(lambda session: note(session, first="Ada", address=Address(city="London")))
    assert visit.as_model(lambda session: (session.first, session.initial, session.address.town)) == (
        "Ada",
        "A",
        "London",
    )


class Card(BaseModel):
    number: SecretStr = SecretStr("")


@pytest.mark.parametrize(
    "annotation", [SecretStr, SecretBytes | None, list[SecretStr], dict[str, Card], Card, Secret[int] | None]
)
def test_masked_types_are_refused_when_the_middleware_is_built_with_the_way_out(annotation):
    model = type("Wallet", (Session,), {"__annotations__": {"card": annotation}, "card": None})
    with pytest.raises(ConfigurationError, match=r"Wallet\.card .*Declare it as str or bytes.*@field_serializer"):
        Visitor(model=model).as_dict(len)


def test_a_masked_type_with_a_serializer_of_its_own_is_kept():
    class Wallet(Session):
        pin: SecretStr = SecretStr("")

        @field_serializer("pin")
        def reveal(self, value: SecretStr) -> str:
            return value.get_secret_value()

    visit = Visitor(model=Wallet)
    visit.as_model(lambda session: note(session, pin=SecretStr("1234")))
    assert visit.as_model(lambda session: session.pin.get_secret_value()) == "1234"


class RequiredField(Session):
    user_id: int


class InvalidDefault(Session):
    user_id: int = "nobody"  # type: ignore[assignment]


class ImpossibleDefault(Session):
    rate: float = math.nan


class UndumpableDefault(Session):
    thing: Any = object()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (RequiredField, r"RequiredField must be able to start empty.*valid default: 'user_id'"),
        (InvalidDefault, r"InvalidDefault .*'user_id'"),
        (ImpossibleDefault, r"ImpossibleDefault .*'rate'"),
        (UndumpableDefault, r"UndumpableDefault .*'thing'"),
        (BaseModel, r"derived from fastsession\.Session"),
        (RequiredField.model_construct(), r"derived from fastsession\.Session"),
    ],
)
def test_a_model_that_cannot_be_kept_in_a_session_is_refused_when_the_middleware_is_built(model, message):
    with pytest.raises(ConfigurationError, match=message):
        Visitor(model=model).as_dict(len)


class Row:
    """What an object-relational mapper returns."""


def test_a_database_object_is_answered_with_what_to_keep():
    model = Profile(anything=Row())
    with pytest.raises(
        SessionNotSerializableError, match=r"'anything' cannot be sealed: .* keep its id in the session"
    ):
        sealed_cookies(SessionMiddleware(None, model=Profile, secret_key=SECRET), model)
    with pytest.raises(SessionNotSerializableError, match=r"'row' cannot be sealed: .* keep its id in the session"):
        sealed_cookies(SessionMiddleware(None, secret_key=SECRET), Session(), extras={"row": Row()})


@pytest.mark.parametrize(
    "kept", [{"session": Profile(anything=b"\xff")}, {"session": Session(), "extras": {"anything": b"key"}}]
)
def test_bytes_that_are_no_text_are_answered_with_what_to_keep(kept):
    app = SessionMiddleware(None, model=type(kept["session"]), secret_key=SECRET)
    with pytest.raises(SessionNotSerializableError, match=r"'anything' cannot be sealed: .* bytes as base64 text"):
        sealed_cookies(app, **kept)
