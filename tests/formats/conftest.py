import pytest

from tests.formats.peer import Peer


@pytest.fixture(scope="session")
def peer():
    """A Node process with the real packages."""
    with Peer() as running:
        yield running
