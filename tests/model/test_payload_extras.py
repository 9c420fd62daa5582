"""What `request.session` holds beside the declared fields: plain JSON that comes back, or an error naming the key."""

from datetime import date

import pytest

from fastsession import Session, SessionNotSerializableError, SessionStatus
from fastsession.errors import Rejected
from fastsession.payload.codec import PayloadCodec

CODEC = PayloadCodec(Session)
NAN, INFINITY = float("nan"), float("inf")


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


def cyclic():
    cycle = []
    cycle.append(cycle)
    return cycle


def sealed(extras):
    """The payload that would be sealed."""
    session = CODEC.fresh()
    payload = CODEC.dump(session, extras)
    CODEC.verify(session, {}, payload)
    return payload


def loaded_below(frames, payload):
    """Load so many calls further down, as an application's middlewares and routes do."""
    return loaded_below(frames - 1, payload) if frames else CODEC.load(payload)


def label(value):
    return type(value).__name__


KEPT = [None, True, 0, -1.5, "", [], {}, "\0", "Zoë 🦊", {"a": [1.5, {"b": None}]}, 10**4299, nested(190)]


@pytest.mark.parametrize("value", KEPT, ids=label)
def test_extras_come_back_as_they_were(value):
    assert CODEC.load(sealed({"k": value}))[1] == {"k": value}


@pytest.mark.parametrize(
    ("value", "back"),
    [((1, 2), [1, 2]), ([(), {"a": (None,)}], [[], {"a": [None]}]), ({1: "a", None: 2}, {"1": "a", "null": 2})],
    ids=repr,
)
def test_a_shape_that_json_does_not_have_becomes_the_nearest_one(value, back):
    assert CODEC.load(sealed({"k": value}))[1] == {"k": back}


REFUSED = [NAN, [INFINITY], "\ud800", {"\ud800": 1}, b"x", {1, 2}, object(), 10**4300, cyclic(), date.max, {(1,): 2}]


@pytest.mark.parametrize("value", REFUSED, ids=label)
def test_an_extra_that_json_cannot_write_is_refused_by_its_key(value):
    with pytest.raises(SessionNotSerializableError) as error:
        sealed({"fine": 1, "k": value})
    assert error.value.field == "k"


@pytest.mark.parametrize("depth", [201, 500, 900, 920, 940, 960, 980, 100_000])
def test_extras_of_any_depth_are_refused_or_open_far_down_the_stack(depth):
    extras = {"k": nested(depth)}
    try:
        payload = sealed(extras)
    except SessionNotSerializableError:
        return
    assert loaded_below(200, payload)[1] == extras


@pytest.mark.parametrize(
    ("model", "extras"),
    [
        *[(model, b'{"user_id":4}') for model in (b"{", b"[]", b"", b'{"note":"\\ud800"}')],
        (b"{}", b'{"user_id":1e999}'),
        (b"{}", b'{"user_id":"\\ud800"}'),
    ],
)
def test_a_damaged_payload_with_an_extra_that_is_declared_by_now_is_incompatible(model, extras):
    class Grown(Session):
        user_id: int | None = None

    with pytest.raises(Rejected) as rejected:
        PayloadCodec(Grown).load(model + b"\n" + extras)
    assert rejected.value.status is SessionStatus.INCOMPATIBLE
