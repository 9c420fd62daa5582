"""FastSession without its memory of cookies: the same source, with the lines of the memory left out."""

import inspect
import sys
import textwrap
from typing import Any

from fastsession.sealing.own_cookies import OwnCookies
from tests.benchmarks.cases import WrongAnswerError

# Lines of `OwnCookies.open`, from the one that begins so until before the other.
_LEFT_OUT = [("known = ", "before, pair, after = "), ("mark = ", "return arrival")]


def without_memory() -> Any:
    """`OwnCookies.open` that neither looks for a cookie that it has seen nor notes one."""
    lines = textwrap.dedent(inspect.getsource(OwnCookies.open)).splitlines()
    for first, after in _LEFT_OUT:
        found = [number for number, line in enumerate(lines) if line.strip().startswith((first, after))]
        if len(found) != len((first, after)):
            message = f"the memory of cookies is not between {first!r} and {after!r}"
            raise WrongAnswerError(message)
        del lines[found[0] : found[1]]
    names = dict(vars(sys.modules[OwnCookies.__module__]))
    exec(compile("\n".join(["from __future__ import annotations", *lines]), "forgetful", "exec"), names)
    return names["open"]


def forget_cookies() -> None:
    """Leave the memory out of every middleware of this process."""
    OwnCookies.open = without_memory()
