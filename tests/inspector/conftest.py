import pytest

from tests.inspector.local import inspected_shop, local_browser, logger_kept


@pytest.fixture(autouse=True)
def logger_as_it_was():
    with logger_kept():
        yield


@pytest.fixture
def client(clock):
    """A browser on this machine, in front of the shop with an inspector."""
    return local_browser(inspected_shop(clock=clock))
