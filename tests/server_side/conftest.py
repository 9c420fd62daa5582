from secrets import token_hex

import pytest

from tests.server_side.site import KINDS, MODES, Home, browser
from tests.stores.redis_server import running


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def mortal_redis(tmp_path):
    """A Redis of this test's own, to be killed."""
    with running(tmp_path / "redis") as server:
        yield server


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def home(kind, clock, tmp_path, request):
    """A home of sessions and denials, of each kind."""
    if kind == "memory":
        return Home(kind, {}, clock)
    if kind == "sqlite":
        return Home(kind, tmp_path, clock)
    return Home(kind, (request.getfixturevalue("redis_server").url, f"test-{token_hex(4)}:"), clock)


@pytest.fixture
async def client(app):
    """A browser that is signed in to the test's own `app`."""
    client = browser(app)
    await client.post("/login/42")
    return client
