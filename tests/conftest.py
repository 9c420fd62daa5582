import asyncio

import pytest

from fastsession import SessionEvent
from fastsession.testing import Clock
from tests.shop import START, browser, shop


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def events() -> list[SessionEvent]:
    return []


@pytest.fixture
def client(clock, events):
    return browser(shop(clock=clock, on_event=events.append))


@pytest.fixture
def figure(record_property):
    """Tell a measured figure: in the report, and with -s on the screen."""

    def figure(text):
        record_property("figures", text)
        print(text)

    return figure


@pytest.fixture
def event_loop():
    """The loop that mangum looks for in the main thread; it would make one and leave it open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
