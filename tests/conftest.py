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
