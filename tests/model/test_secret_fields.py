"""Secret types are found wherever a field's type holds them: they dump as asterisks and would be lost."""

from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from typing_extensions import TypedDict

from fastsession import ConfigurationError, Session, SessionMiddleware
from tests.shop import SECRET


@dataclass
class Card:
    number: SecretStr


class Account(TypedDict):
    cards: list[Card]


@dataclass
class Address:
    street: str


@pytest.mark.parametrize("kind", [Card, Account, dict[str, Card], list[Account] | None])
def test_a_secret_in_a_dataclass_or_a_typed_dictionary_is_refused(kind):
    wallet = type("Wallet", (Session,), {"__annotations__": {"held": kind | None}, "held": None})
    with pytest.raises(ConfigurationError, match=r"Wallet\.held is a secret type"):
        SessionMiddleware(None, model=wallet, secret_key=SECRET)


def test_a_dataclass_without_a_secret_is_accepted():
    customer = type("Customer", (Session,), {"__annotations__": {"home": Address | None}, "home": None})
    SessionMiddleware(None, model=customer, secret_key=SECRET)
