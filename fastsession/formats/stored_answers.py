"""What a store gives for a key, whether it answers at once or has to be awaited."""

from __future__ import annotations

import inspect
from typing import Any

from fastsession.errors import ConfigurationError
from fastsession.stores.deadline import within


async def awaited(found: object, seconds: float) -> Any:
    """The answer of either kind of store; raises `StoreUnavailableError` for one that takes longer to await."""
    return await within(seconds, found) if inspect.isawaitable(found) else found


def immediate(found: object, reader: str) -> Any:
    """The answer of a store that gives it at once; raises `ConfigurationError` for one to await."""
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        message = f"This store has to be awaited: use `await {reader}.load(...)`."
        raise ConfigurationError(message)
    return found
