"""What sessions are bound to: a plain function's bytes, or who is signed in at a front end."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable

from starlette.requests import HTTPConnection

from fastsession.building.given import is_asynchronous
from fastsession.errors import ConfigurationError
from fastsession.sealing.token import BINDING_SIZE

Binding = Callable[[HTTPConnection], bytes]


@runtime_checkable
class FrontEndBinding(Protocol):
    """A binding that may have to ask a front end's store: `SignedIn`."""

    # Its format, whose secrets must not be ours.
    reader: Any

    async def identity(self, connection: HTTPConnection) -> bytes:
        """What a session is bound to; raises `StoreUnavailableError`."""
        ...


def digest_of(bound_to: object) -> bytes:
    """What a token keeps of that which its session is bound to; raises `ConfigurationError`."""
    if not isinstance(bound_to, bytes):
        if inspect.iscoroutine(bound_to):
            bound_to.close()
        message = f"binding returned {type(bound_to).__name__}: it must return bytes, such as tenant.encode()."
        raise ConfigurationError(message)
    return sha256(bound_to).digest()[:BINDING_SIZE]


def check_binding(binding: object) -> None:
    """Raise `ConfigurationError` for a binding that is neither a plain function nor a front end's."""
    if binding is None or isinstance(binding, FrontEndBinding):
        return
    if not callable(binding) or is_asynchronous(binding):
        message = "binding takes a plain function that returns bytes: binding=lambda connection: ..."
        raise ConfigurationError(message)
