"""A middleware class that has its options, which are then checked where they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

MiddlewareT = TypeVar("MiddlewareT")


def configured(kind: type[MiddlewareT], options: Mapping[str, Any]) -> Callable[[ASGIApp], MiddlewareT]:
    """A class that is made of an application alone. The options are in no attribute, so no repr shows a secret.

    It derives from `kind`, so that code which looks for that middleware among an application's finds it. One is
    built at once, around no application: that raises `ConfigurationError`.
    """
    initialize: Any = kind.__init__

    def build(self: object, app: ASGIApp) -> None:
        initialize(self, app, **options)

    namespace = {"__init__": build, "__module__": kind.__module__, "__doc__": kind.__doc__}
    made: Any = type(kind.__name__, (kind,), {**namespace, "__qualname__": kind.__qualname__})
    made(_no_application)
    derived: Callable[[ASGIApp], MiddlewareT] = made
    return derived


async def _no_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve nothing."""
