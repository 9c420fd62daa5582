"""Fields of types that pydantic does not know, in models that write and read them themselves."""

import pytest
from pydantic import ConfigDict, field_serializer, field_validator

from fastsession import Session, SessionNotSerializableError
from fastsession.payload.codec import PayloadCodec


class Money:
    """Two of one amount are not equal: it does not say how they compare."""

    def __init__(self, cents):
        self.cents = cents


class Wallet(Session):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    money: Money | None = None

    @field_serializer("money")
    def as_cents(self, money: Money | None) -> int | None:
        return None if money is None else money.cents

    @field_validator("money", mode="before")
    @classmethod
    def of_cents(cls, value: object) -> object:
        return Money(value) if isinstance(value, int) else value


class RoundedWallet(Wallet):
    @field_validator("money", mode="before")
    @classmethod
    def of_cents(cls, value: object) -> object:
        return Money(value // 100 * 100) if isinstance(value, int) else value


def sealable(session):
    codec = PayloadCodec(type(session))
    payload = codec.dump(session, {})
    codec.verify(session, {}, payload)
    return codec.load(payload)[0]


def test_a_value_that_its_own_serializer_brings_back_is_kept():
    assert sealable(Wallet(money=Money(150))).money.cents == 150


def test_a_value_that_its_own_serializer_brings_back_otherwise_is_refused():
    with pytest.raises(SessionNotSerializableError, match=r"'money' cannot be sealed: it would come back with another"):
        sealable(RoundedWallet(money=Money(150)))
