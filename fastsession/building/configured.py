"""A middleware class that has its options, which are then checked where they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretBytes, SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

MiddlewareT = TypeVar("MiddlewareT")
OptionsT = TypeVar("OptionsT", bound="Mapping[str, object]")


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


def hidden(options: OptionsT) -> OptionsT:
    """The same options, with the secrets among them in types whose repr does not show them.

    It changes the dict that it is given, which is a local variable of its caller: error reports show these.
    """
    given: Any = options
    if "secret_key" in given:
        given["secret_key"] = _hidden(given["secret_key"])
    fallbacks = given.get("secret_key_fallbacks")
    if _are_several(fallbacks):
        given["secret_key_fallbacks"] = [_hidden(each) for each in fallbacks]
    return options


def _are_several(secrets: object) -> bool:
    return isinstance(secrets, Sequence) and not isinstance(secrets, str | bytes)


def _hidden(secret: Any) -> Any:
    """A secret in a type whose repr does not show it; anything else as it is."""
    if isinstance(secret, str):
        return SecretStr(secret)
    return SecretBytes(secret) if isinstance(secret, bytes) else secret


async def _no_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve nothing."""
