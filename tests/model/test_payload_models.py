"""What models may declare: aliases, computed, excluded and private fields, serializers, extra keys; and what changed."""

import json

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretBytes,
    SecretStr,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)

from fastsession import ConfigurationError, Session, SessionNotSerializableError
from fastsession.payload.codec import PayloadCodec


def through(session):
    """The session after it went into bytes and back."""
    codec = PayloadCodec(type(session))
    payload = codec.dump(session, {})
    codec.verify(session, {}, payload)
    loaded, _ = codec.load(payload)
    return loaded


def refused_field(session):
    with pytest.raises(SessionNotSerializableError) as error:
        through(session)
    return error.value.field


class AliasSession(Session):
    user: int = Field(0, alias="userId")
    cart: int = Field(0, validation_alias=AliasChoices("Cart", "basket"), serialization_alias="CART")


class Line(BaseModel):
    item: str = Field("", alias="Item")
    note: str = Field("", exclude=True)


class OrderSession(Session):
    line: Line = Line()
    lines: list[Line] = []


class ExcludingSession(Session):
    kept: int = 0
    scratch: int = Field(0, exclude=True)
    _private: int = PrivateAttr(7)

    @computed_field
    @property
    def doubled(self) -> int:
        return self.kept * 2


def test_fields_are_written_by_name_and_never_by_alias():
    session = AliasSession(userId=3, basket=4)
    assert PayloadCodec(AliasSession).dump(session, {}) == b'{"user":3,"cart":4}'
    assert through(session) == session


def test_aliases_of_nested_models_come_back():
    session = OrderSession(line=Line(Item="tea"), lines=[Line(Item="a"), Line(Item="b")])
    assert through(session) == session


def test_computed_excluded_and_private_fields_stay_out_of_the_cookie():
    session = ExcludingSession(kept=3, scratch=4)
    session._private = 9
    loaded = through(session)
    assert PayloadCodec(ExcludingSession).dump(session, {}) == b'{"kept":3}'
    assert (loaded.kept, loaded.scratch, loaded._private, loaded.doubled) == (3, 0, 7, 6)


class AllowingSession(Session):
    model_config = ConfigDict(extra="allow")
    known: int = 0


class ForbiddingSession(Session):
    model_config = ConfigDict(extra="forbid")
    known: int = 0


@pytest.mark.parametrize("model", [AllowingSession, ForbiddingSession])
def test_every_rule_for_extra_keys_keeps_the_declared_fields_and_the_extras(model):
    codec = PayloadCodec(model)
    session = model(known=5)
    assert codec.load(codec.dump(session, {"flash": ["saved"]})) == (session, {"flash": ["saved"]})


def test_extra_keys_that_the_model_allows_come_back():
    session = AllowingSession(known=1, free={"a": [1, "é"]})
    assert through(session) == session


@pytest.mark.parametrize("value", [object(), "\ud800", 10**4300], ids=lambda value: type(value).__name__)
def test_an_extra_key_of_the_model_that_would_not_come_back_is_refused_by_its_name(value):
    assert refused_field(AllowingSession(free=value)) == "free"


class HexSession(Session):
    key: bytes = b""

    @field_serializer("key")
    def as_hex(self, key: bytes) -> str:
        return key.hex()

    @field_validator("key", mode="before")
    @classmethod
    def from_hex(cls, key: object) -> object:
        return bytes.fromhex(key) if isinstance(key, str) else key


class LosingSession(Session):
    number: int = 0

    @field_serializer("number")
    def last_digit(self, number: int) -> int:
        return number % 10


class LoweringSession(Session):
    name: str = ""

    @field_validator("name")
    @classmethod
    def lowered(cls, name: str) -> str:
        return name.lower()


class OrderedSession(Session):
    low: int = 0
    high: int = 0

    @model_validator(mode="after")
    def in_order(self):
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


def test_a_serializer_and_its_validator_may_write_a_field_in_their_own_way():
    session = HexSession(key=b"\xff\x00")
    assert PayloadCodec(HexSession).dump(session, {}) == b'{"key":"ff00"}'
    assert through(session) == session


def test_a_serializer_that_loses_something_is_refused():
    assert through(LosingSession(number=7)).number == 7
    assert refused_field(LosingSession(number=13)) == "number"


def test_a_value_that_a_validator_would_change_is_refused():
    session = LoweringSession(name="zoë")
    assert through(session) == session
    session.name = "Zoë"
    assert refused_field(session) == "name"


def test_fields_that_contradict_each_other_are_refused_by_the_models_name():
    session = OrderedSession()
    session.low = 1
    assert refused_field(session) == "OrderedSession"


class Special(Line):
    price: int = 0


@pytest.mark.parametrize(("field", "value"), [("line", Special(price=5)), ("lines", [Special(price=5)])])
def test_a_subclass_whose_own_fields_would_be_lost_is_refused(field, value):
    session = OrderSession()
    setattr(session, field, value)
    assert refused_field(session) == field


class FamilySession(Session):
    children: list["FamilySession"] = []


def test_a_model_that_holds_itself_is_refused():
    session = FamilySession(children=[FamilySession()])
    assert through(session) == session
    session.children.append(session)
    assert refused_field(session) == "children"


@pytest.mark.parametrize("kind", [SecretStr, SecretBytes, list[SecretStr], dict[str, SecretStr | None]])
def test_a_secret_type_is_refused_when_the_codec_is_built(kind):
    class TokenSession(Session):
        token: kind | None = None

    with pytest.raises(ConfigurationError, match=r"TokenSession\.token .*@field_serializer"):
        PayloadCodec(TokenSession)


def test_a_required_field_is_refused_when_the_codec_is_built():
    class RequiredSession(Session):
        user_id: int

    with pytest.raises(ConfigurationError, match=r"RequiredSession must be able to start empty.*'user_id'"):
        PayloadCodec(RequiredSession)


class TaggedSession(Session):
    tags: set[str] = set()
    added_later: int = 5


def test_only_a_real_difference_is_a_change():
    codec = PayloadCodec(TaggedSession)
    for arrived in (b'{"tags":["b","a","c"]}', b'{"tags":["c","a","b"],"added_later":5}'):
        session, extras = codec.load(arrived)
        assert not codec.changed(codec.dump(session, extras), arrived)
        session.tags.add("d")
        assert codec.changed(codec.dump(session, extras), arrived)


class CartLine(BaseModel):
    sku: str = ""
    added_later: int = 1


class CartSession(Session):
    lines: list[CartLine] = []
    note: str = ""
    user_id: int | None = None


@pytest.mark.parametrize("note", ["", "a note that makes it large " * 40])
@pytest.mark.parametrize(
    "lines", [[{"sku": "tea"}], [{"sku": "tea", "gone_since": 1, "added_later": 1}], [{"added_later": 1, "sku": "tea"}]]
)
def test_a_field_of_a_nested_model_that_is_new_or_gone_or_moved_is_no_change(lines, note):
    codec = PayloadCodec(CartSession)
    arrived = json.dumps({"lines": lines, "note": note, "user_id": 42}, separators=(",", ":")).encode()
    session, extras = codec.load(arrived)
    now = codec.dump(session, extras)
    assert now != arrived
    assert not codec.changed(now, arrived, codec.edit(now, arrived))
    session.lines[0].added_later = 2
    now = codec.dump(session, extras)
    assert codec.changed(now, arrived, codec.edit(now, arrived))


def test_a_fresh_session_is_unchanged_until_it_differs():
    codec = PayloadCodec(TaggedSession)
    session = codec.fresh()
    assert codec.untouched().payload == codec.dump(session, {})
    session.added_later = 6
    assert codec.untouched().payload != codec.dump(session, {})
