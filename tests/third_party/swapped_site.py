"""A site of one package behind a session middleware, as a program.

python swapped_site.py PACKAGE MODULE PORT [CERTIFICATE KEY]
"""

import os
import sys
from importlib import import_module
from typing import Any

import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp


def fasthtml(kind: Any, secret: str) -> ASGIApp:
    from fasthtml.common import FastHTML

    app = FastHTML(sess_cls=kind, secret_key=secret)

    @app.route("/login", methods=["post"])
    def login(session):
        session["user"] = "root"
        return "in"

    @app.route("/me", methods=["get"])
    def me(session):
        return JSONResponse(session.get("user"))

    return app


def nicegui(kind: Any, secret: str) -> ASGIApp:
    from fastapi import FastAPI
    from nicegui import app as nicegui_app
    from nicegui import ui

    app = FastAPI()
    app.add_middleware(kind, secret_key=secret)

    @app.post("/login")
    def login(request: Request) -> str:
        request.session["user"] = "root"
        return "in"

    @app.get("/me")
    def me(request: Request) -> str | None:
        return request.session.get("user")

    @ui.page("/page")
    def page(request: Request) -> None:
        # NiceGUI's own storages hang on the id that it keeps in the session.
        storage = nicegui_app.storage
        storage.user["visits"] = storage.user.get("visits", 0) + 1
        ui.label(f"{storage.browser['id']} {request.session['user']} {storage.user['visits']} visits")

    ui.run_with(app)
    return app


def sqladmin(kind: Any, secret: str) -> ASGIApp:
    from sqlalchemy import create_engine

    from tests.third_party.admin_site import StaffLogin, shop_with_admin

    login = StaffLogin(secret_key=secret)
    login.middlewares = [Middleware(kind, secret_key=secret)]
    return shop_with_admin(create_engine("sqlite://"), login)


def starlette_admin(kind: Any, secret: str) -> ASGIApp:
    from starlette.applications import Starlette
    from starlette_admin import BaseAdmin
    from starlette_admin.auth import AdminUser, AuthProvider

    class Login(AuthProvider):
        async def login(self, username, password, remember_me, request):
            request.session["staff"] = username

        async def logout(self, request):
            request.session.clear()

        async def authenticate(self, request):
            staff = request.session.get("staff")
            return AdminUser(staff) if staff else None

    app = Starlette()
    admin = BaseAdmin(auth_provider=Login(), secret_key=secret, middlewares=[Middleware(kind, secret_key=secret)])
    admin.mount_to(app)
    return app


def gradio(kind: Any, secret: str) -> ASGIApp:
    # gradio derives its secret from that of the OAuth client.
    import starlette.middleware.sessions

    # As docs/third-party.md has it, before gradio adds its routes.
    starlette.middleware.sessions.SessionMiddleware = kind
    import gradio as gr

    def name(profile: gr.OAuthProfile | None) -> str | None:
        return profile and profile["sub"]

    with gr.Blocks() as blocks:
        gr.LoginButton()
        # Without a queue its answer comes with the request.
        gr.api(name, queue=False)
    return gr.routes.App.create_app(blocks)


SITES = {
    "fasthtml": fasthtml,
    "gradio": gradio,
    "nicegui": nicegui,
    "sqladmin": sqladmin,
    "starlette_admin": starlette_admin,
}

if __name__ == "__main__":
    package, module, port, *certificate = sys.argv[1:]
    middleware = import_module(module).SessionMiddleware
    site = SITES[package](middleware, os.environ["SESSION_SECRET"])
    files = dict(zip(("ssl_certfile", "ssl_keyfile"), certificate, strict=False))
    uvicorn.run(site, host="127.0.0.1", port=int(port), log_level="warning", **files)
