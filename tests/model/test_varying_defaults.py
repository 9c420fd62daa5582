"""When a field whose default is never the same counts as absent from `request.session`."""

import uuid

import pytest
from pydantic import Field, field_validator

from fastsession import Session
from tests.visitor import Visitor, note


class Basket(Session):
    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    lines: list[str] = Field(default_factory=list)
    owner: dict[str, str] = Field(default_factory=lambda: {"token": uuid.uuid4().hex})


@pytest.fixture
def visit():
    return Visitor(model=Basket)


def test_a_value_that_nobody_assigned_is_absent_and_one_that_arrived_is_not(visit):
    assert visit.as_dict(dict) == {}
    assert visit.as_dict(lambda session: (sorted(session), "id" in session, "lines" in session)) == (
        ["id", "owner"],
        True,
        False,
    )


@pytest.mark.parametrize(
    "write",
    [lambda session: note(session, id="mine"), lambda session: session.owner.update(token="mine")],
    ids=["assigned", "edited"],
)
def test_what_the_route_gave_the_model_shows(visit, write):
    shown = visit._visit(lambda request, session: (write(session), dict(request.session)), typed=True)[1]
    assert "mine" in str(shown)


def test_what_is_removed_is_absent_and_another_value_than_before(visit):
    visit.as_dict(lambda session: session.update(flash=1))
    before = visit.as_model(lambda session: session.id)

    def remove(request, session):
        del request.session["id"]
        return "id" in request.session, request.session.get("id"), session.id == before

    assert visit._visit(remove, typed=True) == (False, None, False)
    assert visit.as_model(lambda session: session.id) != before


def test_a_default_that_comes_back_as_another_type_is_absent_in_both():
    class Loose(Session):
        pair: list[int] = (1, 2)

    visit = Visitor(model=Loose)
    assert visit.as_dict(dict) == {}
    visit.as_dict(lambda session: session.update(flash=1))
    assert visit.as_dict(dict) == {"flash": 1}


def test_a_default_that_a_validator_fills_in_otherwise_today_is_absent():
    theme = ["light"]

    class Themed(Session, validate_default=True):
        theme: str = ""

        @field_validator("theme")
        @classmethod
        def fill_in(cls, chosen):
            return chosen or theme[0]

    visit = Visitor(model=Themed)
    assert visit.as_dict(dict) == {}
    theme[0] = "dark"
    assert visit.as_dict(dict) == {}
    assert visit.as_model(lambda session: session.theme) == "dark"
