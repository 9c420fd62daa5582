"""`request.session` with the default model: everything a dict can do, in one request and in the next."""

import copy
import json
import pickle

import pytest

from fastsession import ConfigurationError
from tests.shop import CLEARED, set_cookies
from tests.visitor import Visitor

FILLED = {"theme": "dark", "seen": ["a", "b"]}


@pytest.fixture
def visit():
    return Visitor()


@pytest.fixture
def filled(visit):
    visit.as_dict(lambda session: session.update(FILLED))
    return visit


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda session: session["theme"], "dark"),
        (lambda session: session.get("theme"), "dark"),
        (lambda session: session.get("missing"), None),
        (lambda session: session.get("missing", 1), 1),
        (lambda session: "theme" in session, True),
        (lambda session: "missing" in session, False),
        (len, 2),
        (bool, True),
        (list, ["theme", "seen"]),
        (sorted, ["seen", "theme"]),
        (lambda session: list(reversed(session)), ["seen", "theme"]),
        (lambda session: list(session.keys()), ["theme", "seen"]),
        (lambda session: list(session.values()), ["dark", ["a", "b"]]),
        (lambda session: list(session.items()), [("theme", "dark"), ("seen", ["a", "b"])]),
        (lambda session: session.copy(), FILLED),
        (dict, FILLED),
        (lambda session: {**session}, FILLED),
        (lambda session: dict(**session), FILLED),
        (lambda session: session | {"more": 1}, {**FILLED, "more": 1}),
        (lambda session: {"more": 1} | session, {"more": 1, **FILLED}),
        (lambda session: session == FILLED, True),
        (lambda session: session != FILLED, False),
        (lambda session: session == {}, False),
        (lambda session: repr(session).startswith("<session, looked at: "), True),
        (lambda session: str(session) == f"{session}" == repr(session), True),
        (lambda session: json.loads(json.dumps(session)), FILLED),
        (lambda session: copy.copy(session.copy()), FILLED),
        (lambda session: isinstance(session, dict), True),
        (lambda session: session.setdefault("theme", "light"), "dark"),
        (lambda session: [session.pop("missing", 1), session.pop("missing", None)], [1, None]),
        (lambda session: session.update(), None),
    ],
)
def test_reading_answers_as_a_dict_does_and_writes_nothing(filled, read, expected):
    assert filled.as_dict(read) == expected
    assert set_cookies(filled.response) == []
    assert filled.as_dict(dict) == FILLED


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda session: session.__setitem__("theme", "light"), {**FILLED, "theme": "light"}),
        (lambda session: session.__delitem__("theme"), {"seen": ["a", "b"]}),
        (lambda session: session.pop("theme"), {"seen": ["a", "b"]}),
        (lambda session: session.popitem(), {"theme": "dark"}),
        (lambda session: session.setdefault("more", 1), {**FILLED, "more": 1}),
        (lambda session: session.setdefault("more"), {**FILLED, "more": None}),
        (lambda session: session.update(more=1), {**FILLED, "more": 1}),
        (lambda session: session.update({"more": 1}, other=2), {**FILLED, "more": 1, "other": 2}),
        (lambda session: session.update([("more", 1)]), {**FILLED, "more": 1}),
        (lambda session: session.__ior__({"more": 1}), {**FILLED, "more": 1}),
        (lambda session: session["seen"].append("c"), {**FILLED, "seen": ["a", "b", "c"]}),
        (lambda session: session.get("seen").clear(), {**FILLED, "seen": []}),
        (lambda session: session.setdefault("new", []).append(1), {**FILLED, "new": [1]}),
        (lambda session: next(iter(session.values())) and session["seen"].reverse(), {**FILLED, "seen": ["b", "a"]}),
    ],
)
def test_a_write_is_there_in_this_request_and_in_the_next(filled, write, expected):
    def write_and_read(session):
        write(session)
        return dict(session)

    assert filled.as_dict(write_and_read) == expected
    assert len(set_cookies(filled.response)) == 1
    assert filled.as_dict(dict) == expected


@pytest.mark.parametrize(
    "missing",
    [
        lambda session: session["missing"],
        lambda session: session.__delitem__("missing"),
        lambda session: session.pop("missing"),
    ],
)
def test_a_missing_key_is_a_key_error(filled, missing):
    with pytest.raises(KeyError):
        filled.as_dict(missing)


def test_an_attribute_is_no_key_and_cannot_be_written_just_as_in_a_dict(filled):
    # It would be lost without a word.
    with pytest.raises(AttributeError):
        filled.as_dict(lambda session: setattr(session, "user_id", 42))


def test_an_empty_session_has_nothing_to_pop(visit):
    with pytest.raises(KeyError):
        visit.as_dict(lambda session: session.popitem())


def test_a_session_cannot_be_hashed_just_as_a_dict_cannot(filled):
    with pytest.raises(TypeError):
        filled.as_dict(hash)


def test_reading_while_iterating_is_safe(filled):
    assert filled.as_dict(lambda session: [(key, session[key], len(session)) for key in session]) == [
        ("theme", "dark", 2),
        ("seen", ["a", "b"], 2),
    ]


def test_growing_while_iterating_is_refused_as_in_a_dict(filled):
    with pytest.raises(RuntimeError, match="changed size during iteration"):
        filled.as_dict(lambda session: [session.update({key + "2": 1}) for key in session])


COPIES = [copy.copy, copy.deepcopy, lambda session: session.copy(), lambda session: pickle.loads(pickle.dumps(session))]


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_is_a_plain_dict_of_its_own(filled, copied):
    def change_a_copy(session):
        other = copied(session)
        before = dict(other)
        other["more"] = 1
        return type(other), before

    assert filled.as_dict(change_a_copy) == (dict, FILLED)
    assert filled.as_dict(dict) == FILLED


def test_clear_ends_the_session(filled):
    filled.as_dict(lambda session: session.clear())
    assert set_cookies(filled.response) == [CLEARED]
    assert filled.as_dict(dict) == {}


@pytest.mark.parametrize(
    "empty", [lambda session: [session.pop(key) for key in list(session)], lambda session: session.clear()]
)
def test_emptying_a_session_that_was_never_saved_sets_no_cookie(visit, empty):
    visit.as_dict(lambda session: (session.update(a=1), empty(session)))
    assert set_cookies(visit.response) == []


def test_popping_the_last_key_ends_the_session(filled):
    filled.as_dict(lambda session: [session.pop(key) for key in list(session)])
    assert set_cookies(filled.response) == [CLEARED]


def test_clearing_and_filling_again_is_a_save(filled):
    filled.as_dict(lambda session: (session.clear(), session.update(new=1)))
    assert filled.as_dict(dict) == {"new": 1}


def test_clearing_an_emptied_session_is_no_error(visit):
    visit.as_dict(lambda session: session.clear())
    assert set_cookies(visit.response) == []


def test_mark_modified_saves_what_did_not_change(filled):
    filled.as_dict(lambda session: session.mark_modified())
    assert len(set_cookies(filled.response)) == 1
    assert filled.as_dict(dict) == FILLED


def test_mark_accessed_writes_nothing(filled):
    filled.as_dict(lambda session: session.mark_accessed())
    assert set_cookies(filled.response) == []
    assert filled.response.headers["vary"] == "Cookie"


def test_modified_and_accessed_can_be_written_as_in_starlettes_session(filled):
    filled.as_dict(lambda session: setattr(session, "modified", True))
    assert len(set_cookies(filled.response)) == 1
    filled.as_dict(lambda session: setattr(session, "accessed", True))
    assert set_cookies(filled.response) == []
    assert filled.response.headers["vary"] == "Cookie"


def test_what_was_written_cannot_be_declared_unmodified(filled):
    filled.as_dict(lambda session: setattr(session, "modified", False))
    assert set_cookies(filled.response) == []

    def forget(session):
        session["new"] = 1
        session.modified = False

    with pytest.raises(AttributeError, match="modified cannot become False"):
        filled.as_dict(forget)


def test_accessed_and_modified_tell_what_was_done(visit):
    def watch(session):
        seen = [session.accessed, session.modified]
        session["a"] = 1
        return [*seen, session.accessed, session.modified]

    assert visit.as_dict(watch) == [True, False, True, True]


def test_writing_what_was_there_already_sets_no_cookie(filled):
    filled.as_dict(lambda session: session.update(FILLED))
    assert set_cookies(filled.response) == []


def test_remember_through_the_model_says_what_to_write(visit):
    with pytest.raises(ConfigurationError, match="remember=Lifetime"):
        visit.as_model(lambda session: session.remember())
