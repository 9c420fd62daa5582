"""A request without a session that ends it, and then fails: nothing was lost, so there is nothing to report."""

import pytest
from fastapi import Request

from tests.shop import browser, shop


@pytest.mark.parametrize(
    "end",
    [
        lambda request: request.scope["fastsession"][0].session().destroy(),
        lambda request: (request.session.update(flash="shown"), request.session.pop("flash")),
    ],
    ids=["destroyed", "emptied"],
)
def test_ending_no_session_before_an_exception_is_no_late_change(clock, events, end):
    app = shop(clock=clock, on_event=events.append)

    @app.get("/crash")
    async def crash(request: Request) -> None:
        end(request)
        raise RuntimeError

    browser(app, errors_raised=False).get("/crash")
    assert events == []
