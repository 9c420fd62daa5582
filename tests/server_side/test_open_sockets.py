"""Chats that are open in two real uvicorn workers while their sessions are ended in one of them."""

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.server_side.test_fleet import fleet

pytestmark = pytest.mark.anyio

# A denial closes a socket within a second; what a busy machine adds is not the subject here.
MOST_SECONDS = 20


@pytest.fixture(params=["sqlite revocations", "redis revocations", "redis store", "sqlite both"])
def url(request, tmp_path):
    kind, mode = request.param.split()
    place = tmp_path if kind == "sqlite" else request.getfixturevalue("redis_server").url
    with fleet(kind, place, mode, workers=2) as url:
        yield url


async def signed_in(url, user_id):
    client = httpx.AsyncClient(base_url=url)
    await client.post(f"/login/{user_id}")
    return client


async def opened(url, client):
    """A chat of this client's session, and the process that serves it."""
    cookie = "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)
    socket = await connect(url.replace("http", "ws") + "/chat", additional_headers={"cookie": cookie})
    _, process = json.loads(await socket.recv())
    return socket, process


async def close_code(socket):
    with pytest.raises(ConnectionClosed) as closed:
        await socket.recv()
    return closed.value.rcvd.code


async def in_both_workers(url, client):
    """Chats of one session, at least one in each worker."""
    sockets, processes = [], set()
    async with asyncio.timeout(MOST_SECONDS):
        while len(processes) < 2:
            socket, process = await opened(url, client)
            sockets.append(socket)
            processes.add(process)
    return sockets


async def test_every_worker_closes_the_chats_of_an_ended_session_and_no_others(url):
    stranger = await signed_in(url, 7)
    theirs, _ = await opened(url, stranger)
    for path in ("/logout", "/end-all"):
        user = await signed_in(url, 42)
        sockets = await in_both_workers(url, user)
        assert (await user.post(path)).status_code == 200
        async with asyncio.timeout(MOST_SECONDS):
            assert {await close_code(socket) for socket in sockets} == {4401}
        await theirs.send("still here")
        assert await theirs.recv() == "still here"
        await user.aclose()
    await theirs.close()
    await stranger.aclose()
