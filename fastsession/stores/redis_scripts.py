"""Lua scripts, sent by their digests: a server has to be sent the text of each only once."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any


class RedisScript:
    """A script, as the words of the command that runs it on some keys."""

    def __init__(self, text: str) -> None:
        self._text = text
        # Redis names scripts so; nothing is protected by it.
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def by_digest(self, keys: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
        """Fails with NOSCRIPT on a server that does not know the text, as after a restart or a failover."""
        return "EVALSHA", self._digest, len(keys), *keys, *values

    def by_text(self, keys: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
        """Makes the text known."""
        return "EVAL", self._text, len(keys), *keys, *values
