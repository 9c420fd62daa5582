"""`request.session` beside a plain dict: the same operations in random order give the same results."""

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from fastsession import Session
from tests.visitor import Visitor

# The same code many times over: tracing it takes four times as long.
pytestmark = pytest.mark.no_cover


class Free(Session):
    user_id: int | None = None
    cart: list[str] = Field(default_factory=list)
    age: int = Field(default=0, ge=0)
    csrf: str = Field(default_factory=lambda: uuid.uuid4().hex)


class Ruled(Free):
    @model_validator(mode="after")
    def nobody_has_no_age(self):
        if self.user_id is None and self.age:
            raise ValueError("an age is somebody's")
        return self


DEFAULTS: dict[str, Any] = {"user_id": None, "cart": [], "age": 0}
VALUES: dict[str, list[Any]] = {
    "user_id": [None, 1, 2],
    "cart": [[], ["tea"], ["tea", "milk"]],
    "age": [0, 7, -1],
    "csrf": ["a", "b"],
    "flash": [None, "bye"],
    "seen": [[], {"page": 1}],
}
keys = st.sampled_from(sorted(VALUES))
items = keys.flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(VALUES[key])))
batches = st.lists(items, max_size=3).map(dict)
operations = st.one_of(
    st.tuples(st.just("set"), items),
    st.tuples(st.just("setdefault"), items),
    st.tuples(st.just("update"), batches),
    st.tuples(st.just("|="), batches),
    st.tuples(st.just("del"), keys),
    st.tuples(st.just("pop"), keys),
    st.tuples(st.just("pop with default"), keys),
    st.tuples(st.just("popitem"), st.none()),
    st.tuples(st.just("clear"), st.none()),
    st.tuples(st.just("get"), keys),
)
requests = st.lists(st.lists(operations, max_size=6), min_size=1, max_size=4)


OPERATIONS = {
    "set": lambda found, item: found.__setitem__(*item),
    "setdefault": lambda found, item: found.setdefault(*item),
    "update": lambda found, batch: found.update(batch),
    "|=": lambda found, batch: found.__ior__(batch) is found,
    "del": lambda found, key: found.__delitem__(key),
    "pop": lambda found, key: found.pop(key),
    "pop with default": lambda found, key: found.pop(key, "none"),
    "clear": lambda found, _: found.clear(),
    "get": lambda found, key: [found.get(key), key in found],
}


def apply(found, name, argument):
    """Do it, and return what it gives or the name of what it raises."""
    try:
        return OPERATIONS[name](found, argument)
    except KeyError:
        return "KeyError"


def accepts(model, expected):
    """Whether the model may be like this; an empty session always may."""
    fields = {name: expected.get(name, default) for name, default in DEFAULTS.items()}
    lonely = model is Ruled and fields["user_id"] is None and fields["age"]
    return not expected or (fields["age"] >= 0 and not lonely)


def work(model, session, expected, steps):
    """Do the steps to both; returns whether the session was written to."""
    written = False
    for name, argument in steps:
        if name == "popitem":
            if not expected:
                with pytest.raises(KeyError):
                    session.popitem()
                continue
            after = dict(expected)
            key, value = session.popitem()
            assert after.pop(key) == value
            # The one removal that no rule refuses: then the rest is for the others to judge.
            if not accepts(model, after):
                session.clear()
                after.clear()
            written = True
        else:
            after = dict(expected)
            result = apply(after, name, argument)
            if accepts(model, after):
                assert apply(session, name, argument) == result, name
                written = written or after != expected or name == "clear"
            else:
                before = dict(session)
                with pytest.raises(ValidationError):
                    apply(session, name, argument)
                after = expected
                assert dict(session) == before
        expected = after
        same(session, expected)
    return written, expected


def same(session, expected):
    assert dict(session) == expected == session
    assert {key: session[key] for key in session} == expected
    assert (len(session), bool(session)) == (len(expected), bool(expected))
    assert sorted(session.values(), key=repr) == sorted(expected.values(), key=repr)


@pytest.mark.parametrize("model", [Free, Ruled])
@given(histories=requests)
@settings(max_examples=150, deadline=None)
def test_it_does_what_a_dict_does(model, histories):
    visit, kept = Visitor(model=model), None
    for steps in histories:
        left = {}

        def request(session, steps=steps, kept=kept, left=left):
            expected = dict(kept or {})
            if kept is not None:
                # Made where nobody assigned it, and kept with the rest.
                expected.setdefault("csrf", session["csrf"])
            same(session, expected)
            left["written"], left["expected"] = work(model, session, expected, steps)

        visit.as_dict(request)
        shown = {k: v for k, v in left["expected"].items() if k not in DEFAULTS or v != DEFAULTS[k]}
        # Looking alone keeps a value that was made; emptying ends the session.
        kept = None if left["written"] and not shown else shown
