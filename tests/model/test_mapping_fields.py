"""`request.session` over a model with fields: declared names are the model's, all others the extras."""

import json
from enum import StrEnum

import pytest
from pydantic import BaseModel, Field, ValidationError

from fastsession import Session
from tests.shop import CLEARED, COOKIE, set_cookies
from tests.visitor import Visitor, note


class Theme(StrEnum):
    DARK = "dark"
    LIGHT = "light"


class Address(BaseModel):
    town: str = ""


class Account(Session):
    user_id: int | None = None
    cart: list[str] = Field(default_factory=list)
    theme: Theme = Theme.LIGHT
    address: Address = Address()
    age: int = Field(default=0, ge=0)


@pytest.fixture
def visit():
    return Visitor(model=Account)


def test_a_declared_name_writes_the_model(visit):
    visit.as_dict(lambda session: session.update(user_id=7, cart=["tea"]))
    assert visit.as_model(lambda session: (session.user_id, session.cart)) == (7, ["tea"])


def test_a_field_of_the_model_shows_under_its_name(visit):
    visit.as_model(lambda session: note(session, user_id=7))
    assert visit.as_dict(dict) == {"user_id": 7}


def test_a_field_at_its_default_counts_as_absent(visit):
    visit.as_dict(lambda session: session.update(user_id=None, cart=[], theme="light"))
    assert visit.as_dict(lambda session: ("user_id" in session, session.get("cart", "none"), dict(session))) == (
        False,
        "none",
        {},
    )
    with pytest.raises(KeyError):
        visit.as_dict(lambda session: session["user_id"])


def test_a_value_is_validated_when_it_is_assigned(visit):
    visit.as_dict(lambda session: session.update(user_id="7", theme="dark"))
    assert visit.as_model(lambda session: (session.user_id, session.theme)) == (7, Theme.DARK)


@pytest.mark.parametrize(
    "write",
    [
        lambda session: session.update(age=-1),
        lambda session: session.__setitem__("user_id", "nobody"),
        lambda session: session.setdefault("theme", "pink"),
        lambda session: session.__ior__({"cart": 1}),
    ],
)
def test_an_invalid_value_is_refused_where_it_is_assigned(visit, write):
    with pytest.raises(ValidationError) as caught:
        visit.as_dict(write)
    assert "nobody" not in str(caught.value)
    assert "pink" not in str(caught.value)


def test_a_nested_edit_of_a_field_through_the_dict_is_saved(visit):
    visit.as_dict(lambda session: session.update(cart=["tea"]))
    visit.as_dict(lambda session: session["cart"].append("milk"))
    assert visit.as_dict(lambda session: session["cart"]) == ["tea", "milk"]


def test_setdefault_hands_out_the_models_own_value_even_at_its_default(visit):
    visit.as_dict(lambda session: session.setdefault("cart", []).append("tea"))
    assert visit.as_dict(lambda session: session["cart"]) == ["tea"]


def test_deleting_a_field_sets_it_back_to_its_default(visit):
    visit.as_dict(lambda session: session.update(user_id=7, cart=["tea"]))
    assert visit.as_dict(lambda session: session.pop("cart")) == ["tea"]
    assert visit.as_model(lambda session: (session.user_id, session.cart)) == (7, [])


def test_a_deleted_fields_default_is_not_shared_with_the_next_visitor(visit):
    visit.as_dict(lambda session: (session.update(cart=["tea"]), session.pop("cart")))
    visit.as_model(lambda session: session.cart.append("mine"))
    assert Visitor(model=Account).as_model(lambda session: session.cart) == []


def test_other_keys_are_kept_beside_the_fields_in_one_cookie(visit):
    visit.as_dict(lambda session: session.update({"user_id": 7, "_state_google_x": {"data": {"nonce": "n"}}}))
    assert [line.partition("=")[0] for line in set_cookies(visit.response)] == [COOKIE]
    assert visit.as_dict(dict) == {"user_id": 7, "_state_google_x": {"data": {"nonce": "n"}}}
    assert visit.as_model(lambda session: session) == Account(user_id=7)


def test_a_change_of_the_model_alone_keeps_the_extras(visit):
    visit.as_dict(lambda session: session.update(flash=["hello"]))
    visit.as_model(lambda session: note(session, user_id=7))
    assert visit.as_dict(dict) == {"user_id": 7, "flash": ["hello"]}


def test_model_and_dict_show_one_another_within_a_request(visit):
    def both(session):
        session["user_id"] = 7
        return session

    visit.as_dict(both)
    assert visit.as_model(lambda session: session.user_id) == 7


def test_clear_empties_fields_and_extras_and_ends_the_session(visit):
    visit.as_dict(lambda session: session.update(user_id=7, flash=1))
    visit.as_dict(lambda session: session.clear())
    assert set_cookies(visit.response) == [CLEARED]
    assert visit.as_dict(dict) == {}


def test_a_default_field_set_through_the_model_does_not_end_the_session(visit):
    visit.as_model(lambda session: note(session, user_id=7))
    visit.as_model(lambda session: note(session, user_id=None))
    assert set_cookies(visit.response) != [CLEARED]


def test_json_shows_fields_and_extras(visit):
    visit.as_dict(lambda session: session.update(user_id=7, theme="dark", flash=1))
    assert visit.as_dict(lambda session: json.loads(json.dumps(session))) == {"user_id": 7, "theme": "dark", "flash": 1}


def test_an_extra_moves_into_the_field_that_a_later_model_declares():
    before = Visitor()
    before.as_dict(lambda session: session.update(user_id="7", flash=1))
    after = Visitor(model=Account)
    after.client.cookies = before.client.cookies
    assert after.as_model(lambda session: session.user_id) == 7
    assert after.as_dict(dict) == {"user_id": 7, "flash": 1}


def test_an_extra_that_does_not_fit_a_later_model_is_an_incompatible_session():
    before = Visitor()
    before.as_dict(lambda session: session.update(user_id="nobody"))
    after = Visitor(model=Account)
    after.client.cookies = before.client.cookies
    assert after.as_model(lambda session: session.info.status) == "incompatible"


def test_a_field_that_a_later_model_adds_has_its_default_and_is_no_change():
    class Before(Session):
        user_id: int | None = None

    before = Visitor(model=Before)
    before.as_model(lambda session: note(session, user_id=7))
    after = Visitor(model=Account)
    after.client.cookies = before.client.cookies
    assert after.as_model(lambda session: (session.user_id, session.cart, session.changed)) == (7, [], False)
    assert set_cookies(after.response) == []


def test_a_field_that_a_later_model_drops_is_ignored():
    class After(Session):
        cart: list[str] = Field(default_factory=list)

    before = Visitor(model=Account)
    before.as_model(lambda session: note(session, user_id=7, cart=["tea"]))
    after = Visitor(model=After)
    after.client.cookies = before.client.cookies
    assert after.as_model(lambda session: session.cart) == ["tea"]


def test_a_field_that_was_deleted_from_the_model_does_not_hinder_the_others(visit):
    def write(request, session):
        del session.theme
        request.session["user_id"] = 7
        session.theme = Theme.DARK

    visit._visit(write, typed=True)
    assert visit.as_model(lambda session: (session.user_id, session.theme)) == (7, Theme.DARK)
