"""A session model may use every name but the five, and every way to make a class."""

from functools import cached_property
from typing import Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, PrivateAttr

from fastsession import Lifetime, Session
from tests.visitor import Visitor, note

ValueT = TypeVar("ValueT")


class PrivateState(Session):
    user_id: int | None = None
    _state: str = PrivateAttr("mine")
    _slot: str = PrivateAttr("mine too")
    __private: str = PrivateAttr("and this")


class WithSlots(Session):
    __slots__ = ("beside",)
    user_id: int | None = None


class Mixin(BaseModel):
    mixed: int = 0


class Inherited(Mixin, PrivateState):
    more: str = ""


class Boxed(Session, Generic[ValueT]):
    value: ValueT | None = None
    user_id: int | None = None


class Configured(Session):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, strict=True, frozen=False)
    user_id: int | None = None


class Falsy(Session):
    """Its own truth and length are no business of ours."""

    user_id: int | None = None

    def __bool__(self):
        return False

    def __len__(self):
        return 0

    def subject(self):
        return str(self.user_id)


class Cached(Session):
    user_id: int | None = None

    @cached_property
    def shout(self):
        return f"{self.user_id}!"


MODELS = [PrivateState, WithSlots, Inherited, Boxed[int], Configured, Falsy, Cached]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_of_any_make_works_in_every_way(model, events):
    visit = Visitor(model=model, remember=Lifetime(idle=60, absolute=60), on_event=events.append)
    visit.as_model(lambda session: (session.regenerate(), session.remember(), note(session, user_id=1)))
    assert visit.as_dict(lambda session: (session.setdefault("flash", 1), dict(session))[1]) == {
        "user_id": 1,
        "flash": 1,
    }
    assert visit.as_model(lambda session: (session.info.remembered, session.changed, session.user_id)) == (
        True,
        False,
        1,
    )
    visit.as_dict(lambda session: session.update(user_id=2))
    visit.as_model(lambda session: session.destroy())
    assert list(visit.client.cookies) == []
    if model is Falsy:
        assert [event.subject for event in events] == ["1", "1", "2", "2"]


def test_private_attributes_keep_their_values_beside_what_the_verbs_record():
    visit = Visitor(model=PrivateState)

    def work(session):
        session.regenerate()
        session._state = "changed"
        return session._state, session._slot, session._PrivateState__private, session.changed

    assert visit.as_model(work) == ("changed", "mine too", "and this", False)
    alone = PrivateState()
    alone.regenerate()
    assert alone._state == "mine"


def test_a_cached_property_is_no_field_and_is_made_anew_when_the_session_is_cleared():
    def work(request, session):
        session.user_id = 1
        first = session.shout
        assert dict(request.session) == {"user_id": 1}
        request.session["user_id"] = 2
        request.session.clear()
        return first, session.shout

    assert Visitor(model=Cached)._visit(work, typed=True) == ("1!", "None!")
