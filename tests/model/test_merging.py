"""One session changed twice: what is laid over what."""

import pytest
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ConfigDict, model_serializer, model_validator

from fastsession import CurrentSession, Session, SessionMiddleware
from fastsession.payload.codec import PayloadCodec
from fastsession.server_side.merging import merged
from fastsession.stores import MemoryStore
from tests.shop import SECRET, browser


class Booking(Session):
    first_day: int = 1
    last_day: int = 10
    guests: list[str] = []
    tags: set[str] = set()

    @model_validator(mode="after")
    def ends_after_it_begins(self):
        if self.last_day < self.first_day:
            raise ValueError("it ends before it begins")
        return self


CODEC = PayloadCodec(Booking)


def payload(extras=None, **fields):
    return CODEC.dump(Booking(**fields), extras or {})


def merge(before, mine, theirs):
    """The merged session's fields and extras, and what both changed."""
    result, disputed = merged(CODEC, before=before, mine=mine, theirs=theirs)
    model, extras = CODEC.load(result)
    return model.model_dump(exclude_defaults=True) | extras, disputed


def test_different_fields_both_survive():
    assert merge(payload(), payload(first_day=2), payload(last_day=9)) == ({"first_day": 2, "last_day": 9}, [])


def test_of_one_field_mine_counts_and_is_disputed():
    assert merge(payload(), payload(first_day=2), payload(first_day=3)) == ({"first_day": 2}, ["first_day"])


def test_the_same_list_is_one_field():
    assert merge(payload(), payload(guests=["a"]), payload(guests=["b"])) == ({"guests": ["a"]}, ["guests"])


def test_a_field_set_back_to_its_default_is_a_change():
    before = payload(first_day=2, last_day=5)
    assert merge(before, payload(last_day=5), payload(first_day=2, last_day=6)) == ({"last_day": 6}, [])


def test_keys_of_the_dict_come_and_go_on_their_own():
    before = payload({"kept": 1, "removed": 1})
    mine, theirs = payload({"kept": 1, "mine": 2}), payload({"kept": 1, "removed": 1, "theirs": 3})
    assert merge(before, mine, theirs) == ({"kept": 1, "mine": 2, "theirs": 3}, [])


def test_a_key_removed_by_one_and_changed_by_the_other_is_disputed():
    before = payload({"key": 1})
    assert merge(before, payload(), payload({"key": 2})) == ({}, ["key"])
    assert merge(before, payload({"key": 2}), payload()) == ({"key": 2}, ["key"])


def test_a_field_that_the_record_did_not_have_yet_is_not_changed_by_being_dumped():
    before = b'{"first_day":1,"last_day":10}'
    theirs = payload(guests=["a"])
    assert merge(before, payload(first_day=2), theirs) == ({"first_day": 2, "guests": ["a"]}, [])


def test_a_field_that_only_a_newer_model_has_is_kept():
    before = b'{"first_day":1,"newer":1}'
    result, disputed = merged(CODEC, before=before, mine=payload(first_day=2), theirs=b'{"first_day":1,"newer":2}')
    assert (b'"newer":2' in result, disputed) == (True, [])


def test_a_set_in_another_order_is_not_changed():
    before = b'{"tags":["b","a","c"]}'
    mine = CODEC.dump(CODEC.load(before)[0], {"note": "mine"})
    assert merge(before, mine, b'{"tags":["a","b","c","d"]}')[0]["tags"] == {"a", "b", "c", "d"}


@pytest.mark.parametrize("theirs", [payload(last_day=3), b'{"first_day":"not a number"}'])
def test_where_the_mixture_breaks_the_model_s_rules_all_of_mine_counts(theirs):
    fields, disputed = merge(payload(), payload(first_day=5), theirs)
    assert fields == {"first_day": 5}
    assert "first_day" in disputed


def test_what_arrived_need_not_fit_the_model_of_today():
    before = b'{"first_day":"not a number"}'
    assert merge(before, payload(first_day=2), before)[0] == {"first_day": 2}


class Open(Session):
    """Holds what it does not declare, by the same names as extras may have."""

    model_config = ConfigDict(extra="allow")
    known: int = 0


class Short(Session):
    """Writes keys that it does not declare."""

    user_id: int | None = None
    theme: str = ""

    @model_serializer
    def as_short(self) -> dict[str, object]:
        return {"u": self.user_id, "t": self.theme}

    @model_validator(mode="before")
    @classmethod
    def from_short(cls, data: dict[str, object]) -> dict[str, object]:
        return {{"u": "user_id", "t": "theme"}.get(name, name): value for name, value in data.items()}


class Listed(Session):
    """Writes no names at all."""

    user_id: int | None = None

    @model_serializer
    def as_list(self) -> list[int | None]:
        return [self.user_id]

    @model_validator(mode="before")
    @classmethod
    def from_list(cls, data: object) -> object:
        return {"user_id": data[0]} if isinstance(data, list) else data


def merge_of(model, before, mine, theirs):
    """The merged model and extras, of pairs of fields and extras, and what both changed."""
    codec = PayloadCodec(model)
    before, mine, theirs = (codec.dump(model(**fields), extras) for fields, extras in (before, mine, theirs))
    result, disputed = merged(codec, before=before, mine=mine, theirs=theirs)
    return codec.load(result), disputed


def test_a_key_that_the_model_allows_stays_the_model_s():
    (model, extras), disputed = merge_of(Open, ({}, {}), ({"free": [1]}, {}), ({"known": 2, "other": 3}, {"flash": 1}))
    assert model == Open(known=2, free=[1], other=3)
    assert (extras, disputed) == ({"flash": 1}, [])


def test_a_key_of_the_model_and_an_extra_of_its_name_are_two():
    (model, extras), disputed = merge_of(Open, ({}, {}), ({"x": 1}, {}), ({}, {"x": 2}))
    assert (model, extras, disputed) == (Open(x=1), {"x": 2}, [])
    (model, extras), disputed = merge_of(Open, ({"x": 0}, {"x": 0}), ({}, {"x": 0}), ({"x": 0}, {"x": 2}))
    assert (model, extras, disputed) == (Open(), {"x": 2}, [])


def test_the_short_keys_of_a_serializer_stay_the_model_s():
    start = ({"user_id": 1}, {})
    (model, extras), disputed = merge_of(
        Short, start, ({"user_id": 1, "theme": "dark"}, {}), ({"user_id": 2}, {"n": 1})
    )
    assert (model, extras, disputed) == (Short(user_id=2, theme="dark"), {"n": 1}, [])
    assert merge_of(Short, start, ({"user_id": 3}, {}), ({"user_id": 2}, {}))[1] == ["u"]


def test_of_a_model_that_writes_no_names_mine_counts():
    (model, extras), disputed = merge_of(Listed, ({}, {}), ({"user_id": 1}, {}), ({"user_id": 2}, {}))
    assert (model, extras, disputed) == (Listed(user_id=1), {}, ["Listed"])


def test_another_type_of_an_equal_value_is_a_change():
    class Flag(Session):
        flag: int | bool = 1
        note: str = ""

    (model, _), disputed = merge_of(Flag, ({}, {}), ({"flag": True}, {}), ({"note": "n"}, {}))
    assert (model.flag is True, model.note, disputed) == (True, "n", [])
    assert merge_of(Flag, ({}, {}), ({"note": "n"}, {}), ({"flag": True}, {}))[0][0].flag is True


def test_an_extra_that_is_declared_by_now_is_merged_as_the_field_that_it_is():
    before, theirs = b'{}\n{"last_day":9}', b'{"first_day":3}\n{"last_day":9,"note":1}'
    assert merge(before, payload(last_day=5), theirs) == ({"first_day": 3, "last_day": 5, "note": 1}, [])


def test_parallel_writes_to_a_store_leave_the_model_s_own_keys_with_the_model():
    app = FastAPI()

    @app.post("/{name}")
    async def write(name: str, request: Request, session: CurrentSession[Open]) -> None:
        setattr(session, name, 1)
        request.session["extra"] = 1
        if name == "slow":
            # Meanwhile another request of the same session is answered.
            other.cookies = client.cookies
            await run_in_threadpool(other.post, "/fast")

    @app.get("/")
    async def show(request: Request, session: CurrentSession[Open]) -> tuple[dict[str, object], dict[str, object]]:
        return session.model_extra or {}, dict(request.session)

    app.add_middleware(SessionMiddleware, model=Open, secret_key=SECRET, store=MemoryStore())
    with browser(app) as client, browser(app) as other:
        client.post("/first")
        client.post("/slow")
        model, extras = client.get("/").json()
        assert model == {"first": 1, "slow": 1, "fast": 1}
        assert extras == {"extra": 1}
