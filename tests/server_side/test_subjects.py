"""What `subject()` and `binding` may be, and what names nobody."""

import functools

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fastsession import ConfigurationError, Session, SessionMiddleware, get_session_control
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import SECRET
from tests.visitor import Visitor, note


class Guest(Session):
    name: str = ""
    address: str = ""

    def subject(self) -> str:
        return self.name


class Numbered(Session):
    number: int | None = None

    def subject(self) -> int | None:
        return self.number


class Later(Session):
    number: int | None = None

    def subject(self):
        async def later():
            return "1"

        return later()


def middleware(**options):
    return SessionMiddleware(lambda *_: None, secret_key=SECRET, **options)


BACKENDS = {
    "store": lambda: {"store": MemoryStore()},
    "revocations": lambda: {"revocations": MemoryRevocations()},
    "both": lambda: {"store": MemoryStore(), "revocations": MemoryRevocations()},
}


@pytest.fixture(params=BACKENDS)
def backend(request):
    return BACKENDS[request.param]()


def test_an_empty_subject_is_nobody(backend, events):
    bob, eve = (Visitor(model=Guest, on_event=events.append, **backend) for _ in range(2))
    bob.as_model(lambda session: note(session, address="12 Elm Street"))
    eve.as_model(lambda session: note(session, address="x"))
    assert {event.subject for event in events} == {None}

    async def end_others(request):
        control = await get_session_control(request)
        if "store" in backend:
            assert await control.list() == []
            assert await control.list("") == []
        await control.end_all("")
        with pytest.raises(HTTPException, match="401: Not authenticated"):
            await control.end_others()

    eve.app.add_route("/control", doing(end_others))
    assert eve.client.get("/control").status_code == 200
    assert bob.as_model(lambda session: (session.address, session.info.status)) == ("12 Elm Street", "valid")


def doing(work):
    async def endpoint(request):
        await work(request)
        return Response()

    return endpoint


@pytest.mark.parametrize("most", [1, 2])
def test_max_sessions_does_not_count_visitors(most):
    store = MemoryStore()
    visitors = [Visitor(model=Guest, store=store, max_sessions=most) for _ in range(4)]
    for visitor in visitors:
        visitor.as_model(lambda session: note(session, address="somewhere"))
    assert {visitor.as_model(lambda session: session.info.status) for visitor in visitors} == {"valid"}


@pytest.mark.parametrize("model", [Numbered, Later])
def test_a_subject_that_is_no_text_is_an_error_that_says_so(model, backend):
    visitor = Visitor(model=model, **backend)
    with pytest.raises(ConfigurationError, match=r"return a str or None"):
        visitor.as_model(lambda session: note(session, number=7))


@pytest.mark.parametrize("subject", [7, b"7", ["7"]])
def test_a_subject_is_named_as_text(backend, subject):
    visitor = Visitor(model=Guest, **backend)

    async def end_all(request):
        with pytest.raises(ConfigurationError, match="A subject is text"):
            await (await get_session_control(request)).end_all(subject)

    visitor.app.add_route("/control", doing(end_all))
    assert visitor.client.get("/control").status_code == 200


def test_a_subject_with_a_lone_surrogate_does_no_harm(backend):
    visitor = Visitor(model=Guest, **backend)

    async def end_all(request):
        await (await get_session_control(request)).end_all("\ud800")

    visitor.app.add_route("/control", doing(end_all))
    assert visitor.client.get("/control").status_code == 200


def test_an_asynchronous_subject_is_refused_when_the_middleware_is_built():
    class Model(Session):
        async def subject(self) -> str:
            return "1"

    with pytest.raises(ConfigurationError, match=r"Model.subject\(\) cannot be asynchronous"):
        middleware(model=Model)


def test_a_property_is_no_subject():
    class Model(Session):
        user: str = ""

        @property
        def subject(self) -> str:
            return self.user

    with pytest.raises(ConfigurationError, match=r"Model.subject\(\) cannot be a property: write `def subject"):
        middleware(model=Model)


def test_a_field_may_be_called_subject():
    class Model(Session):
        subject: str = "a letter's"

    assert Visitor(model=Model).as_model(lambda session: session.subject) == "a letter's"


def test_a_field_called_subject_is_refused_where_the_server_would_ask_for_it(backend):
    class Model(Session):
        subject: str | None = None

    with pytest.raises(ConfigurationError, match=r"Model\.subject is a field.*write `def subject"):
        middleware(model=Model, **backend)


@pytest.mark.parametrize("when_full", ["evict", "refuse"])
def test_sessions_are_not_counted_of_nobody(when_full):
    class Model(Session):
        user: str = ""

    with pytest.raises(ConfigurationError, match=r"max_sessions counts .* give Model a `def subject"):
        middleware(model=Model, store=MemoryStore(), max_sessions=3, when_full=when_full)


async def asynchronous(_connection):
    return b"tenant"


class Callable:
    async def __call__(self, _connection):
        return b"tenant"


@pytest.mark.parametrize("binding", [asynchronous, Callable(), functools.partial(asynchronous), b"tenant", "tenant"])
def test_a_binding_is_a_plain_function(binding):
    with pytest.raises(ConfigurationError, match="plain function that returns bytes"):
        middleware(binding=binding)


@pytest.mark.parametrize("given", ["tenant", None, 7, bytearray(b"t")])
def test_a_binding_returns_bytes(given):
    visitor = Visitor(binding=lambda _: given)
    with pytest.raises(ConfigurationError, match="must return bytes"):
        visitor.as_model(lambda _: None)


def test_a_binding_that_returns_a_coroutine_is_told_and_leaves_none_behind():
    visitor = Visitor(binding=lambda connection: asynchronous(connection))  # noqa: PLW0108  (a plain function)
    with pytest.raises(ConfigurationError, match="must return bytes"):
        visitor.as_model(lambda _: None)


@pytest.mark.parametrize("listener", [asynchronous, Callable(), functools.partial(asynchronous)])
def test_a_listener_is_a_plain_function(listener):
    with pytest.raises(ConfigurationError, match="plain functions"):
        middleware(on_event=listener)


def test_a_listener_that_returns_a_coroutine_is_told_and_leaves_none_behind():
    visitor = Visitor(on_event=lambda event: asynchronous(event))  # noqa: PLW0108  (a plain function)
    with pytest.raises(ConfigurationError, match="plain functions"):
        visitor.as_model(lambda session: session.regenerate())
