"""What is measured side by side: session middlewares, each with the same application around it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.benchmarks.asgi import Action, App, application

# What the application does with its session: nothing; take one value out; add to a list inside;
# assign a field; change a number in the largest field; show all of it; say how the cookie was received.
Deed = Literal["ignore", "read", "nested write", "top-level write", "cart write", "show", "tell status"]
Data = dict[str, Any]


@dataclass(frozen=True)
class Contender:
    """One way of having sessions.

    `build` gives the application that does one deed; its cost is counted over that of `bare`, the same
    application without sessions. `issue` gives one that fills its session with data, as if so many
    seconds ago, and is how cookies come about.
    """

    name: str
    build: Callable[[Deed], App]
    issue: Callable[[Data, int], App]
    bare: str = "bare ASGI"
    # Some send a new cookie with every response that looked at the session.
    rewrites: Literal["never", "when looked at", "always"] = "never"
    # Only some clear a cookie that they turned away.
    clears: bool = False
    tells_status: bool = False
    # Whether the time at which a cookie is issued can be chosen.
    ages: bool = False


async def ignore(_: Any) -> bytes:
    """What the application answers when it does nothing with a session."""
    return b"42"


def bare_application(_: Deed = "ignore") -> App:
    return application(ignore)


def behind(wrap: Callable[[App], App], actions: dict[Deed, Action]) -> Callable[[Deed], App]:
    """Applications for each deed behind a middleware."""
    return lambda deed: wrap(application(actions.get(deed, ignore)))
