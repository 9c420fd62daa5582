"""The shop with device-bound sessions, and the routes of a bank."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.responses import RedirectResponse

from fastsession import (
    DeviceBinding,
    Session,
    SessionControl,
    SessionMiddleware,
    get_session_control,
    require,
    session_of,
)
from fastsession.keyring import KeyRing
from fastsession.sealing.token import Token, TokenSealer
from fastsession.stores import MemoryRevocations, MemoryStore
from tests.shop import COOKIE, SECRET, Current, ShopSession, shop

DEVICE, BOUND = "__Host-device-app_session", "__Host-bound-app_session"
REGISTER, REFRESH = "/session/device/register", "/session/device/refresh"
LIFETIME = 600
# How long the challenges hold: of registration, and of a refresh.
REGISTERING, REFRESHING = 300, LIFETIME + 300
SKEW = 30
MODES = ("cookies", "revocations", "store")
Control = Annotated[SessionControl, Depends(get_session_control)]
router = APIRouter()
# Routes that ask for a proof: an application that does not bind cannot have them.
proven_router = APIRouter()


def signed_in(session: ShopSession) -> object:
    return session.user_id


@router.post("/login/{user_id}")
async def login_as(user_id: int, session: Current) -> None:
    session.regenerate()
    session.user_id = user_id


@router.post("/login-and-redirect")
async def login_and_redirect(session: Current) -> RedirectResponse:
    session.regenerate()
    session.user_id = 42
    return RedirectResponse("/who", 303)


@router.post("/confirm-password")
async def confirm_password(session: Current) -> None:
    """A new sign-in of whoever is signed in."""
    session.regenerate()


@router.post("/become-nobody")
async def become_nobody(session: Current) -> None:
    session.regenerate()
    session.user_id = None


@router.get("/who")
async def who(session: Current) -> list[Any]:
    info = session.info
    until = info.bound_until.timestamp() if info.bound_until else None
    return [session.user_id, str(info.status), info.device_bound, until]


@router.get("/page")
async def page(session: Current) -> str:
    """Stores something new with every visit, as frameworks do with CSRF tokens."""
    session.cart.append("seen")
    return session.note


@proven_router.post("/transfer")
async def transfer(
    session: Annotated[ShopSession, Depends(require(signed_in, bound=True, status_code=403))],
) -> int | None:
    return session.user_id


@proven_router.post("/large-transfer")
async def large_transfer(
    session: Annotated[ShopSession, Depends(require(signed_in, bound=True, fresh=60, status_code=403))],
) -> int | None:
    return session.user_id


@router.post("/end-others")
async def end_others(sessions: Control) -> None:
    await sessions.end_others()


@router.post("/end-all")
async def end_all(sessions: Control) -> None:
    await sessions.end_all()


@router.api_route("/session/device/{name}", methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def own_route(name: str) -> str:
    return f"the application's {name}"


@router.websocket("/live")
async def live(socket: WebSocket, session: Current) -> None:
    await socket.accept()
    await socket.send_json(await who(session))
    await socket.close()


def bank(mode: str = "cookies", **options: Any) -> FastAPI:
    """The bank in one of MODES, bound by default; `device_binding=None` switches it off."""
    if mode == "store":
        options.setdefault("store", MemoryStore(clock=options["clock"]))
    if mode == "revocations":
        options.setdefault("revocations", MemoryRevocations(clock=options["clock"]))
    options = {"device_binding": DeviceBinding(), **options}
    app = shop(**options)
    app.include_router(router)
    if options["device_binding"] is not None:
        app.include_router(proven_router)
    return app


def sealer(name: str, *, secret: str = SECRET, audience: str = "") -> TokenSealer:
    """What seals tokens under a cookie's name, or a challenge's."""
    return TokenSealer(KeyRing([secret.encode()]), cookie_name=name, audience=audience)


def opened(name: str, value: str, *, secret: str = SECRET) -> Token:
    return sealer(name, secret=secret).open(value)


def changed(name: str, value: str, *, secret: str = SECRET, sealed_under: str = SECRET, **fields: Any) -> str:
    """The same cookie or challenge with other contents, sealed again as the server would."""
    token = opened(name, value, secret=secret)._replace(**fields)
    return sealer(name, secret=sealed_under).seal(token, now=token.renewed_at)


def challenge_name(purpose: str, cookie: str = COOKIE) -> str:
    return f"{cookie} {purpose}"


class StaffSession(Session):
    name: str | None = None

    def subject(self) -> str | None:
        return self.name


def with_staff(app, clock, **options):
    """The application behind a second session middleware, for the staff."""
    options = {"device_binding": DeviceBinding(path="/staff/device"), **options}
    app.add_middleware(
        SessionMiddleware, model=StaffSession, secret_key=SECRET, session_cookie="staff", clock=clock, **options
    )
    staff = Annotated[StaffSession, Depends(session_of(StaffSession))]
    shopping = Annotated[ShopSession, Depends(session_of(ShopSession))]

    @app.post("/staff/login")
    async def login(session: staff) -> None:
        session.regenerate()
        session.name = "ann"

    @app.post("/both/login")
    async def login_to_both(session: staff, other: shopping) -> None:
        for each in (session, other):
            each.regenerate()
        session.name, other.user_id = "ann", 42

    @app.get("/staff/who")
    async def who(session: staff) -> list[object]:
        return [session.name, str(session.info.status), session.info.device_bound]

    @app.get("/shop/who")
    async def shop_who(session: shopping) -> list[object]:
        return [session.user_id, str(session.info.status), session.info.device_bound]

    return app
