"""The shop that the tests drive over HTTP: one route for each thing a request can do to a session."""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRouter
from starlette.testclient import TestClient

from fastsession import CurrentSession, Session, SessionInfo, SessionMiddleware, generate_key

SECRET = generate_key()
OLD_SECRET = generate_key()
COOKIE = "__Host-app_session"
CLEARED = f"{COOKIE}=; path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
START = 1_800_000_000
MINUTE, HOUR, DAY = 60, 3_600, 86_400
IDLE, ABSOLUTE = 30 * MINUTE, 12 * HOUR


class ShopSession(Session):
    user_id: int | None = None
    cart: list[str] = []
    note: str = ""

    def subject(self) -> str | None:
        return None if self.user_id is None else f"user-{self.user_id}"


Current = CurrentSession[ShopSession]
router = APIRouter()


@router.get("/public")
async def public() -> str:
    return "nobody looks at the session here"


@router.get("/cart")
async def cart(session: Current) -> list[str]:
    return session.cart


@router.post("/cart/{item}")
async def add(item: str, session: Current) -> list[str]:
    session.cart.append(item)
    return session.cart


@router.post("/note/{size}")
async def write_note(size: int, session: Current) -> None:
    session.note = "n" * size


@router.post("/login")
async def login(session: Current) -> None:
    session.regenerate()
    session.user_id = 42


@router.post("/logout")
async def logout(session: Current) -> None:
    session.destroy()


@router.post("/remember/{on}")
async def remember(on: bool, session: Current) -> None:
    session.remember(on)


@router.get("/info")
async def info(session: Current) -> SessionInfo:
    return session.info


@router.get("/view")
async def view(request: Request) -> dict[str, Any]:
    return request.session


@router.post("/update")
async def update(request: Request) -> dict[str, Any]:
    request.session.update(await request.json())
    return request.session


@router.post("/cart/{item}/{status_code}")
async def add_and_answer(item: str, status_code: int, session: Current) -> Response:
    session.cart.append(item)
    return Response(status_code=status_code)


def shop(**options: Any) -> FastAPI:
    """The shop behind a session middleware with these options."""
    app = FastAPI()
    app.add_middleware(SessionMiddleware, **{"model": ShopSession, "secret_key": SECRET, **options})
    app.include_router(router)
    return app


def browser(app: Any, *, base_url: str = "https://testserver", errors_raised: bool = True) -> TestClient:
    """A client with a cookie jar, over TLS because the cookie is Secure."""
    return TestClient(app, base_url=base_url, raise_server_exceptions=errors_raised)


def set_cookies(response: Any) -> list[str]:
    """The response's Set-Cookie lines."""
    return response.headers.get_list("set-cookie")


def cookie_header(client: TestClient) -> str:
    """What the client's jar would send, to be sent again by hand or from another client."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)


def shown(app: Any, cookie: str, path: str = "/cart") -> Any:
    """The response to somebody who sends exactly this Cookie header."""
    return browser(app).get(path, headers={"cookie": cookie})
