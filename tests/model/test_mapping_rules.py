"""Writes through `request.session` to a model with rules: one operation is one change, and what is refused is not made."""

import pytest
from pydantic import BaseModel, Field, ValidationError, field_serializer, field_validator, model_validator

from fastsession import Session, SessionNotSerializableError
from tests.shop import CLEARED, set_cookies
from tests.visitor import Visitor, note


class Account(Session):
    user_id: int | None = None
    role: str | None = None
    theme: str = "light"

    @model_validator(mode="after")
    def both_or_none(self):
        if (self.user_id is None) != (self.role is None):
            raise ValueError("user_id and role go together")
        return self


class Assigning(Account, validate_assignment=True):
    pass


class Before(Session):
    user_id: int | None = None
    role: str | None = None
    theme: str = "light"

    @model_validator(mode="before")
    @classmethod
    def both_or_none(cls, data):
        if (data.get("user_id") is None) != (data.get("role") is None):
            raise ValueError("user_id and role go together")
        return data


class Wrapped(Session):
    user_id: int | None = None
    role: str | None = None
    theme: str = "light"

    @model_validator(mode="wrap")
    @classmethod
    def both_or_none(cls, data, handler):
        session = handler(data)
        if (session.user_id is None) != (session.role is None):
            raise ValueError("user_id and role go together")
        return session


class ByField(Session):
    """The rule stands at the later field, and looks at the one before it."""

    user_id: int | None = None
    role: str | None = Field(default=None, validate_default=True)
    theme: str = "light"

    @field_validator("role")
    @classmethod
    def with_user(cls, role, info):
        if (info.data.get("user_id") is None) != (role is None):
            raise ValueError("user_id and role go together")
        return role


class AfterInit(Session):
    user_id: int | None = None
    role: str | None = None
    theme: str = "light"

    def model_post_init(self, context):
        if (self.user_id is None) != (self.role is None):
            raise ValueError("user_id and role go together")


MODELS = [Account, Assigning, Before, Wrapped, ByField, AfterInit]
ADMIN = {"user_id": 1, "role": "admin"}


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def visit(request):
    return Visitor(model=request.param)


@pytest.mark.parametrize(
    "write",
    [
        lambda session: session.update(ADMIN),
        lambda session: session.update(role="admin", user_id=1),
        lambda session: session.update([("role", "admin"), ("user_id", "1")]),
        lambda session: session.__ior__(ADMIN),
    ],
)
def test_fields_that_go_together_are_written_together(visit, write):
    visit.as_dict(write)
    assert visit.as_dict(dict) == ADMIN


@pytest.mark.parametrize(
    "refused",
    [
        lambda session: session.update(user_id=2, role=None),
        lambda session: session.update(theme="dark", role=None),
        lambda session: session.update(theme="dark", flash=1, user_id="nobody"),
        lambda session: session.__ior__({"flash": 1, "role": None}),
        lambda session: session.__setitem__("role", None),
        lambda session: session.pop("role"),
        lambda session: session.__delitem__("user_id"),
    ],
)
def test_a_refused_operation_leaves_all_as_it_was(visit, refused):
    visit.as_dict(lambda session: session.update(ADMIN, seen=[1]))

    def attempt(request, session):
        cart, before = request.session["seen"], dict(request.session)
        with pytest.raises(ValueError, match=r"go together|valid integer"):
            refused(request.session)
        assert request.session["seen"] is cart
        return before == dict(request.session) == {**ADMIN, "seen": [1]}, session.theme

    assert visit._visit(attempt, typed=True) == (True, "light")
    assert set_cookies(visit.response) == []


@pytest.mark.parametrize(
    "empty",
    [lambda session: session.clear(), lambda session: [session.popitem() for _ in range(2)]],
    ids=["clear", "popitem"],
)
def test_emptying_is_never_refused(visit, empty):
    visit.as_dict(lambda session: session.update(ADMIN))
    visit.as_dict(empty)
    assert set_cookies(visit.response) == [CLEARED]


def test_half_an_emptying_that_breaks_a_rule_is_no_session_to_save(visit):
    visit.as_dict(lambda session: session.update(ADMIN))
    with pytest.raises(SessionNotSerializableError):
        visit.as_dict(lambda session: session.popitem())


@pytest.mark.parametrize(("status_code", "value"), [(422, 99), (200, 5)])
def test_the_client_hears_of_a_refusal_only_what_the_route_says(status_code, value):
    class Range(Session):
        low: int = 0
        high: int = 10

        @model_validator(mode="after")
        def in_order(self):
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    def choose(session):
        try:
            session["low"] = value
        except ValidationError:
            return 422
        return 200

    visit = Visitor(model=Range)
    assert visit.as_dict(choose) == status_code
    assert visit.response.status_code == 200
    assert visit.as_model(lambda session: session.low) == (value if status_code == 200 else 0)


def test_a_rule_that_changes_what_it_then_refuses_has_changed_nothing():
    class Line(BaseModel):
        sku: str

    class Careless(Session):
        lines: list[Line] = []
        notes: dict[str, list[int]] = {}
        count: int = 0

        @model_validator(mode="after")
        def careless(self):
            if self.count > 1:
                self.lines.clear()
                self.notes["x"].append(2)
                self.count = 1
                raise ValueError("too many")
            return self

    visit = Visitor(model=Careless)
    visit.as_dict(lambda session: session.update(lines=[{"sku": "tea"}], notes={"x": [1]}))

    def attempt(session):
        with pytest.raises(ValidationError):
            session["count"] = 2
        return dict(session)

    assert visit.as_dict(attempt) == {"lines": [Line(sku="tea")], "notes": {"x": [1]}}
    assert set_cookies(visit.response) == []


def test_a_rule_that_computes_a_field_is_obeyed():
    class Basket(Session):
        prices: list[int] = []
        total: int = 0

        @model_validator(mode="after")
        def add_up(self):
            self.total = sum(self.prices)
            return self

    visit = Visitor(model=Basket)
    visit.as_dict(lambda session: session.update(prices=[1, 2]))
    assert visit.as_dict(dict) == {"prices": [1, 2], "total": 3}


def test_values_that_a_write_does_not_touch_stay_the_same_objects():
    class Ruled(Account):
        cart: list[str] = []

    class Free(Session):
        cart: list[str] = []
        theme: str = ""

    for model in (Ruled, Free):
        visit = Visitor(model=model)

        def work(request, session):
            cart = session.cart
            request.session["theme"] = "dark"
            cart.append("tea")

        visit._visit(work, typed=True)
        assert visit.as_model(lambda session: session.cart) == ["tea"]


def test_a_write_does_not_validate_the_fields_beside_it():
    class Tags(Session):
        tags: list[str] = []
        theme: str = ""

        @field_validator("tags", mode="before")
        @classmethod
        def split(cls, text):
            return text.split(",") if text else []

        @field_serializer("tags")
        def joined(self, tags):
            return ",".join(tags)

    visit = Visitor(model=Tags)
    visit.as_dict(lambda session: session.update(tags="a,b"))
    visit.as_dict(lambda session: session.update(theme="dark"))
    assert visit.as_dict(dict) == {"tags": ["a", "b"], "theme": "dark"}


def test_a_validation_error_of_a_rule_shows_no_data(visit):
    with pytest.raises(ValueError, match="go together") as caught:
        visit.as_dict(lambda session: session.update(role="confidential"))
    assert "confidential" not in str(caught.value)


@pytest.mark.parametrize("key", [1, None, True, 1.5, b"a", ("a",)])
@pytest.mark.parametrize(
    "write",
    [
        lambda session, key: session.update({"fine": 1, key: 2}),
        lambda session, key: session.__setitem__(key, 2),
        lambda session, key: session.setdefault(key, 2),
        lambda session, key: session.__ior__({key: 2}),
    ],
)
def test_a_key_that_is_no_text_is_refused(visit, write, key):
    with pytest.raises(TypeError, match=r"A key of request.session is text, as in JSON: str\(key\)"):
        visit.as_dict(lambda session: write(session, key))
    assert visit.as_dict(dict) == {}


def test_a_frozen_model_is_not_written_by_key_but_ends_and_keeps_extras():
    class Frozen(Session, frozen=True):
        user_id: int = 0

    class FrozenField(Session):
        user_id: int = Field(default=0, frozen=True)

    for model in (Frozen, FrozenField):
        visit = Visitor(model=model)
        for write in (
            lambda session: session.update(flash=1, user_id=7),
            lambda session: session.setdefault("user_id", 7),
        ):
            with pytest.raises(ValidationError, match="Field is frozen"):
                visit.as_dict(write)
        assert visit.as_dict(dict) == {}
        visit.as_dict(lambda session: session.update(flash=1))
        assert visit.as_dict(dict) == {"flash": 1}
        visit.as_dict(lambda session: session.clear())
        assert set_cookies(visit.response) == [CLEARED]


def test_a_model_that_refers_to_itself_is_written_by_key():
    class Node(Session):
        below: list["Node"] = []

    visit = Visitor(model=Node)
    visit.as_dict(lambda session: session.update(below=[{"below": [{}]}]))
    assert visit.as_model(lambda session: len(session.below[0].below)) == 1


def test_a_write_by_key_is_judged_together_with_what_the_route_assigned():
    def work(request, session):
        note(session, user_id=1, role="admin")
        request.session["theme"] = "dark"
        return dict(request.session)

    assert Visitor(model=Account)._visit(work, typed=True) == {**ADMIN, "theme": "dark"}
