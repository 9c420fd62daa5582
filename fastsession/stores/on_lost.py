"""What to do when a system has forgotten that it ever kept denials, and no worker remembers them either."""

from __future__ import annotations

from typing import Literal

from fastsession.errors import ConfigurationError
from fastsession.stores.denials import all_text, all_until

OnLost = Literal["sign_out", "accept"]


def check_on_lost(on_lost: object) -> None:
    """Raise `ConfigurationError` for what is no answer."""
    if on_lost not in (None, "sign_out", "accept"):
        message = "on_lost takes 'sign_out' or 'accept', or nothing for the first start."
        raise ConfigurationError(message)


def denials_for(on_lost: OnLost | None, now: float) -> list[tuple[str, int]]:
    """The denials, with their expiries, that make up for all those that were lost."""
    before = int(now) + 1
    return [(all_text(before), all_until(before))] if on_lost == "sign_out" else []
