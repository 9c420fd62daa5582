"""sqladmin at /admin of the shop, where staff sign in through an AuthenticationBackend."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from sqladmin import Admin, BaseView, Flash, ModelView, expose
from sqladmin.authentication import AuthenticationBackend
from sqlalchemy import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastsession import get_session
from tests.shop import shop


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class ProductAdmin(ModelView, model=Product):
    async def after_model_change(self, data, model, is_created, request):
        Flash.success(request, f"Saved {model.name}")
        Flash.info(request, "The shop shows it at once")


class SessionView(BaseView):
    """What the sessions look like from inside the admin."""

    name = "Session"

    @expose("/session")
    async def session(self, request: Request) -> Response:
        return JSONResponse(request.session)

    @expose("/cart")
    async def cart(self, request: Request) -> Response:
        shopper = await get_session(request)
        return JSONResponse(shopper.cart)

    @expose("/gift")
    async def gift(self, request: Request) -> Response:
        (await get_session(request)).cart.append("gift")
        request.session["gifts"] = 1
        return Response()


class StaffLogin(AuthenticationBackend):
    """As sqladmin's documentation has it: its own middleware, its own cookie."""

    async def login(self, request: Request) -> bool:
        form = await request.form()
        if form["password"] != "correct":
            return False
        request.session["staff"] = form["username"]
        return True

    async def logout(self, request: Request) -> bool:
        request.session.clear()
        return True

    async def authenticate(self, request: Request) -> bool:
        return "staff" in request.session


class SharedLogin(StaffLogin):
    """Without sqladmin's middleware `request.session` is the shop's."""

    def __init__(self) -> None:
        self.middlewares = []

    async def login(self, request: Request) -> bool:
        signed_in = await super().login(request)
        if signed_in:
            (await get_session(request)).regenerate()
        return signed_in


def shop_with_admin(engine: Engine, login: AuthenticationBackend, **options: Any) -> FastAPI:
    """The shop behind a session middleware with these options, and its admin."""
    app = shop(**options)
    admin = Admin(app, engine, authentication_backend=login)
    admin.add_view(ProductAdmin)
    admin.add_view(SessionView)
    return app
