"""A browser whose every request runs one function on its session."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fastsession import Session, SessionMiddleware, get_session
from tests.shop import SECRET, browser


class Visitor:
    """Holds the cookies between visits. The middleware's options are the constructor's."""

    def __init__(self, **options: Any) -> None:
        self.app = Starlette(routes=[Route("/", self._endpoint)])
        self.app.add_middleware(SessionMiddleware, **{"secret_key": SECRET, **options})
        self.client = browser(self.app)
        self.response: Any = None

    def as_dict(self, work: Callable[[dict[str, Any]], Any]) -> Any:
        """Visit, and return what `work` made of `request.session`."""
        return self._visit(lambda request, _: work(request.session))

    def as_model(self, work: Callable[[Any], Any]) -> Any:
        """Visit, and return what `work` made of the session model."""
        return self._visit(lambda _, session: work(session), typed=True)

    def _visit(self, work: Callable[[Request, Session | None], Any], *, typed: bool = False) -> Any:
        self._work, self._typed = work, typed
        self.response = self.client.get("/")
        return self._result

    async def _endpoint(self, request: Request) -> Response:
        self._result = self._work(request, await get_session(request) if self._typed else None)
        return Response()


def note(session: Any, **values: Any) -> None:
    """Set fields as an assignment does, in an expression."""
    for name, value in values.items():
        setattr(session, name, value)
