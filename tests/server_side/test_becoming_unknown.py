"""What is revoked may be known when a request begins, and no longer when it ends."""

import pytest
from fastapi import FastAPI

from fastsession import StoreUnavailableError
from fastsession.stores import MemoryRevocations
from tests.server_side.site import router
from tests.shop import IDLE, Current, browser, set_cookies, shop


class Forgetful(MemoryRevocations):
    """Knows what is denied until it is told to forget: a server that has lost sight of the others."""

    known = True

    def denied(self, session, owner, created_at):
        if not self.known:
            raise StoreUnavailableError("not heard of for too long")
        return super().denied(session, owner, created_at)


def site(revocations, **options) -> FastAPI:
    app = shop(revocations=revocations, **options)
    app.include_router(router)

    @app.post("/lose-sight/{item}")
    async def lose_sight(item: str, session: Current) -> list[str]:
        revocations.known = False
        session.cart.append(item)
        return session.cart

    return app


@pytest.mark.parametrize("outage", ["unavailable", "anonymous"])
def test_a_change_is_not_acknowledged_when_it_is_no_longer_known_whether_the_session_was_revoked(outage):
    revocations = Forgetful()
    client = browser(site(revocations, store_outage=outage))
    client.post("/login/42")
    before = dict(client.cookies)
    response = client.post("/lose-sight/tea")
    assert (response.status_code, set_cookies(response)) == (503, [])
    revocations.known = True
    assert dict(client.cookies) == before
    assert client.get("/cart").json() == []


def test_a_login_under_a_cut_off_from_a_clock_too_far_ahead_is_revoked_by_it(clock):
    revocations = MemoryRevocations(clock=clock)
    client = browser(site(revocations, clock=clock))

    @client.app.post("/deny-all/{ahead}")
    async def deny_all(ahead: int) -> None:
        await revocations.deny_all(before=int(clock()) + ahead)

    for ahead, status in ((29, "valid"), (IDLE, "revoked")):
        client.post(f"/deny-all/{ahead}")
        client.post("/login/42")
        assert client.get("/info").json()["status"] == status
