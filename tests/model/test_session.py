"""The model itself: an ordinary Pydantic model with five more names."""

import copy
import pickle
from datetime import UTC, datetime
from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from fastsession import ConfigurationError, Session, SessionInfo
from tests.shop import ShopSession, browser, shop
from tests.visitor import Visitor, note

RESERVED = ["changed", "info", "regenerate", "destroy", "remember"]


def used(session):
    """The same session after every verb has been called on it."""
    session.regenerate()
    session.remember()
    session.destroy()
    return session


@pytest.mark.parametrize("name", RESERVED)
def test_a_field_with_a_reserved_name_is_refused_when_the_class_is_defined(name):
    with pytest.raises(ConfigurationError, match=f"Custom cannot have a field or method called '{name}'.*{name}_ for"):
        type("Custom", (Session,), {"__annotations__": {name: int}, name: 0})


@pytest.mark.parametrize("name", RESERVED)
def test_a_method_with_a_reserved_name_is_refused_too(name):
    with pytest.raises(ConfigurationError, match=name):
        type("Custom", (Session,), {name: lambda self: None})


@pytest.mark.parametrize("name", RESERVED)
def test_a_reserved_name_is_found_in_a_mixin(name):
    mixin = type("Mixin", (BaseModel,), {"__annotations__": {name: int}, name: 0})
    with pytest.raises(ConfigurationError, match=name):
        type("Custom", (mixin, Session), {})


def test_a_session_has_five_names_more_than_pydantics_own_model():
    added = set(dir(Session)) - set(dir(BaseModel))
    assert {name for name in added if not name.startswith("_")} == set(RESERVED)


def test_a_session_is_made_and_compared_as_any_model():
    assert ShopSession(user_id=1) == ShopSession(user_id=1)
    assert ShopSession(user_id=1) != ShopSession(user_id=2)
    with pytest.raises(ValidationError):
        ShopSession(user_id="nobody")


def test_what_the_verbs_record_takes_no_part_in_equality_dumps_and_repr():
    session, other = used(ShopSession(user_id=1)), ShopSession(user_id=1)
    assert session == other
    assert session.model_dump() == other.model_dump() == {"user_id": 1, "cart": [], "note": ""}
    assert session.model_dump_json() == other.model_dump_json()
    assert repr(session) == repr(other) == "ShopSession(user_id=1, cart=[], note='')"
    assert list(session) == list(other)


def test_the_json_schema_is_that_of_the_fields():
    assert set(ShopSession.model_json_schema()["properties"]) == {"user_id", "cart", "note"}


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda session: session.model_copy(),
        lambda session: pickle.loads(pickle.dumps(session)),
    ],
    ids=["copy", "deepcopy", "model_copy", "pickle"],
)
def test_a_copy_is_equal_and_has_recorded_nothing(copied):
    session = used(ShopSession(user_id=1, cart=["tea"]))
    assert copied(session) == session
    assert not copied(ShopSession()).changed


def test_a_copy_of_a_requests_session_is_not_the_requests_session():
    visit = Visitor(model=ShopSession)
    visit.as_model(lambda session: note(session, user_id=1))
    visit.as_model(lambda session: session.model_copy().destroy())
    assert visit.as_model(lambda session: session.user_id) == 1


def test_a_requests_session_can_be_copied_deeply_and_pickled():
    visit = Visitor(model=ShopSession)
    copies = visit.as_model(lambda session: [copy.deepcopy(session), pickle.loads(pickle.dumps(session))])
    assert copies == [ShopSession(), ShopSession()]


def test_verbs_and_info_work_in_a_plain_unit_test():
    session = ShopSession(user_id=1)
    assert session.changed
    assert not ShopSession().changed
    before = datetime.now(UTC)
    assert session.regenerate() is session.remember(False) is session.destroy() is None
    assert isinstance(session.info, SessionInfo)
    assert (session.info.is_new, session.info.status, session.info.origin) == (True, "absent", None)
    assert session.info.created_at >= before


def test_changed_notices_nested_edits_and_their_undoing():
    visit = Visitor(model=ShopSession)
    visit.as_model(lambda session: session.cart.append("tea"))

    def edit(session):
        seen = [session.changed]
        session.cart.append("milk")
        seen.append(session.changed)
        session.cart.pop()
        return [*seen, session.changed]

    assert visit.as_model(edit) == [False, True, False]


def test_info_cannot_be_changed():
    with pytest.raises(AttributeError):
        ShopSession().info.id = "another"


def test_info_of_a_request_tells_how_it_arrived_and_not_what_is_done_to_it():
    visit = Visitor(model=ShopSession)
    visit.as_model(lambda session: note(session, user_id=1))

    def relogin(session):
        before = session.info
        session.regenerate()
        return before == session.info

    assert visit.as_model(relogin) is True


def test_a_new_session_has_the_id_with_which_it_will_come_again_and_no_sign_in():
    visit = Visitor(model=ShopSession)

    def begin(session):
        session.user_id = 1
        return session.info

    new, again = visit.as_model(begin), visit.as_model(lambda session: session.info)
    assert (new.is_new, again.is_new) == (True, False)
    assert new.id == again.id
    assert new.authenticated_at is again.authenticated_at is None


def test_the_id_of_info_is_not_the_secret_id():
    client = browser(shop())
    client.post("/cart/tea")
    assert len(client.get("/info").json()["id"]) == 16


def test_login_changes_the_id_and_a_copied_cookie_stays_logged_out():
    visit = Visitor(model=ShopSession)
    visit.as_model(lambda session: session.cart.append("tea"))
    planted = dict(visit.client.cookies)
    before = visit.as_model(lambda session: session.info.id)
    visit.as_model(lambda session: (session.regenerate(), note(session, user_id=1)))
    assert visit.as_model(lambda session: session.info.id) != before
    attacker = Visitor(model=ShopSession)
    attacker.client.cookies.update(planted)
    assert attacker.as_model(lambda session: session.user_id) is None


def test_a_discriminated_union_and_a_default_factory_are_fields_like_others():
    class Guest(BaseModel):
        kind: Literal["guest"] = "guest"

    class Member(BaseModel):
        kind: Literal["member"] = "member"
        name: str

    class Union(Session):
        who: Guest | Member = Field(default_factory=Guest, discriminator="kind")

    visit = Visitor(model=Union)
    visit.as_model(lambda session: note(session, who=Member(name="Ada")))
    assert visit.as_model(lambda session: session.who) == Member(name="Ada")


def test_a_validation_error_does_not_show_the_sessions_data():
    with pytest.raises(ValidationError) as caught:
        ShopSession(user_id="a confidential value")
    assert "confidential" not in str(caught.value)
