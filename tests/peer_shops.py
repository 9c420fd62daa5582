"""The same small shop on each Python library that docs/comparison.md tells of."""

from collections.abc import Callable
from functools import partial
from typing import Any

import django
import httpx
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path as django_path
from flask import Flask
from flask import session as flask_session
from litestar import Litestar
from litestar import Request as LitestarRequest
from litestar.handlers import get
from litestar.middleware.session.client_side import CookieBackendConfig
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware as StarletteSessions
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starsessions import CookieStore, SessionAutoloadMiddleware
from starsessions import SessionMiddleware as StarSessions

from fastsession import SessionMiddleware, generate_key

SECRET = generate_key()


def fill(session: Any) -> None:
    session["cart"] = ["tea"]


def look(session: Any) -> None:
    session.get("cart")


def append(session: Any) -> None:
    session["cart"].append("milk")


def empty(session: Any) -> None:
    session.clear()


DEEDS = {deed.__name__: deed for deed in (fill, look, append, empty)}


def done(deed: Callable[[Any], None], session: Any) -> list[str]:
    """The cart after the deed."""
    deed(session)
    return session.get("cart", [])


def starlette_with(*middleware: Middleware) -> TestClient:
    def endpoint(deed: Callable[[Any], None]) -> Callable[[Request], JSONResponse]:
        return lambda request: JSONResponse(done(deed, request.session))

    routes = [Route(f"/{name}", endpoint(deed)) for name, deed in DEEDS.items()]
    return TestClient(Starlette(routes=routes, middleware=middleware), base_url="https://testserver")


def litestar_shop() -> TestClient:
    @get("/{name:str}", sync_to_thread=False)
    def route(request: LitestarRequest) -> list[str]:
        return done(DEEDS[request.path_params["name"]], request.session)

    config = CookieBackendConfig(secret=SECRET.encode()[:32], secure=True)
    app = Litestar([route], middleware=[config.middleware], openapi_config=None, logging_config=None)
    return TestClient(app, base_url="https://testserver")


def wsgi(app: Any) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(app), base_url="https://testserver")


def flask_shop() -> httpx.Client:
    app = Flask("shop")
    app.secret_key = SECRET
    for name, deed in DEEDS.items():
        app.add_url_rule(f"/{name}", name, lambda deed=deed: done(deed, flask_session))
    return wsgi(app)


def django_shop() -> httpx.Client:
    if not settings.configured:
        settings.configure(SECRET_KEY=SECRET, USE_TZ=True)
        django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    return wsgi(get_wsgi_application())


def _django_view(request: Any, deed: Callable[[Any], None]) -> JsonResponse:
    return JsonResponse(done(deed, request.session), safe=False)


urlpatterns = [django_path(name, partial(_django_view, deed=deed)) for name, deed in DEEDS.items()]

SHOPS: dict[str, Callable[[], Any]] = {
    "FastSession": lambda: starlette_with(Middleware(SessionMiddleware, secret_key=SECRET)),
    "Starlette": lambda: starlette_with(Middleware(StarletteSessions, SECRET)),
    "starsessions": lambda: starlette_with(
        Middleware(StarSessions, store=CookieStore(SECRET), lifetime=3_600, cookie_path="/"),
        Middleware(SessionAutoloadMiddleware),
    ),
    "Litestar": litestar_shop,
    "Flask": flask_shop,
    "Django": django_shop,
}
