import pytest

from tests.device_binding.bank import MODES, bank
from tests.device_binding.modelled_browser import Browser


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture(params=["reject", "allow"])
def without_proof(request):
    return request.param


@pytest.fixture
def app(mode, clock, events):
    return bank(mode, clock=clock, on_event=events.append)


@pytest.fixture
def visitor(app, clock):
    """A browser with the feature, not signed in."""
    return Browser(app, clock)


@pytest.fixture
def user(visitor, events):
    """A browser that is signed in as user 42 and bound."""
    visitor.post("/login")
    assert visitor.is_bound
    events.clear()
    visitor.log.clear()
    return visitor


@pytest.fixture
def offered(app, clock, events):
    """A browser that is signed in and has not taken the offer to register a key yet."""
    browser = Browser(app, clock, registers=False)
    browser.post("/login")
    assert browser.offers
    events.clear()
    browser.log.clear()
    return browser
