"""FastSession as a contender: the whole product, called through what an application calls."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from fastsession import SessionMiddleware, generate_key, get_session
from fastsession.testing import Clock
from tests.benchmarks.asgi import Action, App, application
from tests.benchmarks.contender import Contender, Data, Deed, behind
from tests.benchmarks.payloads import Contents, ShopSession, compact_json, next_quantity, next_role, next_theme

SECRET = generate_key()
COOKIE = "__Host-app_session"
# So long that no cookie falls due or expires while the run lasts, unless it was issued in the past.
IDLE = timedelta(hours=12)
RENEWAL_DUE, EXPIRED = 4 * 3_600, 13 * 3_600


async def read(request: Request) -> bytes:
    session = await get_session(request)
    return str(session.user_id).encode()


async def write_nested(request: Request) -> bytes:
    session = await get_session(request)
    session.roles[1:] = [next_role()]
    return b"42"


async def write_top_level(request: Request) -> bytes:
    session = await get_session(request)
    session.theme = next_theme()
    return b"42"


async def write_cart(request: Request) -> bytes:
    session = await get_session(request)
    session.cart[0].quantity = next_quantity()
    return b"42"


async def show(request: Request) -> bytes:
    session = await get_session(request)
    return compact_json(session.model_dump(mode="json"))


async def tell_status(request: Request) -> bytes:
    session = await get_session(request)
    return session.info.status.encode()


async def read_item(request: Request) -> bytes:
    return str(request.session.get("user_id")).encode()


async def write_nested_item(request: Request) -> bytes:
    request.session["roles"][1:] = [next_role()]
    return b"42"


async def write_top_level_item(request: Request) -> bytes:
    request.session["theme"] = next_theme()
    return b"42"


TYPED: dict[Deed, Action] = {
    "read": read,
    "nested write": write_nested,
    "top-level write": write_top_level,
    "cart write": write_cart,
    "show": show,
    "tell status": tell_status,
}
AS_A_DICT: dict[Deed, Action] = {
    "read": read_item,
    "nested write": write_nested_item,
    "top-level write": write_top_level_item,
    "show": show,
    "tell status": tell_status,
}


def wrapped(app: App, **options: Any) -> SessionMiddleware:
    settings: dict[str, Any] = {"secret_key": SECRET, "idle_timeout": IDLE, "absolute_timeout": 2 * IDLE, **options}
    return SessionMiddleware(app, model=ShopSession, **settings)


def issuer(**options: Any) -> Callable[[Data, int], App]:
    """Makes applications that fill a session as if in the past."""

    def issue(data: Data, age: int) -> App:
        values = dict(Contents.model_validate(data))

        async def fill(request: Request) -> bytes:
            session = await get_session(request)
            for name, value in values.items():
                setattr(session, name, value)
            session.cart = ShopSession.model_validate({"cart": data["cart"]}).cart
            return b"42"

        return wrapped(application(fill), clock=Clock(time.time() - age), **options)

    return issue


def contender(
    name: str = "FastSession",
    actions: dict[Deed, Action] = TYPED,
    *,
    sealed_with: str = SECRET,
    fallbacks: Sequence[str] = (),
    **options: Any,
) -> Contender:
    """The product with these options; its cookies may have been sealed with another secret."""
    return Contender(
        name,
        behind(lambda app: wrapped(app, secret_key_fallbacks=fallbacks, **options), actions),
        issuer(**{**options, "secret_key": sealed_with}),
        tells_status=True,
        ages=True,
    )
