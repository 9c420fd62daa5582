"""Pages behind starlette-login: signing in and out, a page for users, one for a fresh login, a WebSocket."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from starlette.middleware import Middleware
from starlette_login.backends import SessionAuthBackend
from starlette_login.decorator import fresh_login_required, login_required, ws_login_required
from starlette_login.login_manager import Config, LoginManager
from starlette_login.middleware import AuthenticationMiddleware
from starlette_login.mixins import UserMixin
from starlette_login.utils import login_user, logout_user

from fastsession import CurrentSession, Session, SessionMiddleware, generate_key


class User(UserMixin):
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def identity(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        return self.name.title()


def login_site(config: Config, **options: Any) -> FastAPI:
    """The site behind a session middleware with these options."""
    users = {"ada": User("ada")}
    manager = LoginManager(redirect_to="/sign-in", secret_key=generate_key(), config=config)
    manager.set_user_loader(lambda connection, identity: users.get(identity))
    # The first is the outermost: starlette-login finds the session in the scope.
    app = FastAPI(
        middleware=[
            Middleware(SessionMiddleware, secret_key=generate_key(), **options),
            Middleware(AuthenticationMiddleware, backend=SessionAuthBackend(manager), login_manager=manager),
        ]
    )
    app.state.login_manager = manager

    @app.get("/")
    async def home(request: Request) -> str:
        return request.user.display_name

    @app.get("/sign-in")
    async def sign_in_form() -> str:
        return "who are you?"

    @app.post("/sign-in")
    async def sign_in(request: Request, session: CurrentSession[Session], *, remember: bool = False) -> None:
        session.regenerate()
        await login_user(request, users["ada"], remember=remember, duration=timedelta(days=7))

    @app.post("/sign-out")
    async def sign_out(request: Request) -> None:
        await logout_user(request)

    @app.get("/account")
    @login_required
    async def account(request: Request) -> str:
        return request.user.identity

    @app.get("/e-mail")
    @fresh_login_required
    async def e_mail(request: Request) -> str:
        return "change it here"

    @app.get("/session")
    async def session(request: Request) -> dict[str, Any]:
        return request.session

    @app.websocket("/updates")
    @ws_login_required
    async def updates(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.user.identity)
        await websocket.close()

    return app
