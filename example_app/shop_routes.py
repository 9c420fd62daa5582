"""Looking around, the cart, and the order."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response

from example_app.account_routes import OwnAccount
from example_app.catalogue import CATALOGUE, Product, euros
from example_app.pages import flash, render, to_page
from example_app.session import MOST_OF_ONE_PRODUCT, Cart, Member, Visitor

router = APIRouter()

Quantity = Annotated[int, Form(ge=1, le=MOST_OF_ONE_PRODUCT)]


@router.get("/")
async def catalogue(request: Request, session: Visitor) -> Response:
    return render(request, session, "catalogue.html", products=CATALOGUE.values())


@router.get("/products/{slug}")
async def product(request: Request, session: Visitor, slug: str) -> Response:
    return render(request, session, "product.html", product=product_called(slug), most=MOST_OF_ONE_PRODUCT)


@router.get("/cart")
async def cart(request: Request, session: Visitor) -> Response:
    rows = rows_of(session.cart)
    return render(request, session, "cart.html", rows=rows, total=total_of(rows), most=MOST_OF_ONE_PRODUCT)


@router.post("/cart/{slug}/add")
async def add(request: Request, session: Visitor, slug: str, quantity: Quantity) -> Response:
    product = product_called(slug)
    session.cart.add(product.slug, quantity)
    flash(request, f"{product.name} is in your cart.")
    return to_page("/cart")


@router.post("/cart/{slug}")
async def change_quantity(session: Visitor, slug: str, quantity: Quantity) -> Response:
    line = session.cart.line_of(slug)
    if line:
        line.quantity = quantity
    return to_page("/cart")


@router.post("/cart/{slug}/remove")
async def remove(request: Request, session: Visitor, slug: str) -> Response:
    product = product_called(slug)
    session.cart.remove(product.slug)
    flash(request, f"{product.name} is no longer in your cart.")
    return to_page("/cart")


@router.get("/order")
async def order_page(request: Request, session: Member, account: OwnAccount) -> Response:
    rows = rows_of(session.cart)
    if not rows:
        return to_page("/cart")
    return render(request, session, "order.html", account=account, rows=rows, total=total_of(rows))


@router.post("/order")
async def order(request: Request, session: Member) -> Response:
    rows = rows_of(session.cart)
    if not rows:
        # Sent twice, or from another tab in the meantime.
        return to_page("/cart")
    for product, _ in rows:
        session.cart.remove(product.slug)
    flash(request, f"Thank you for your order of {euros(total_of(rows))}.")
    return to_page("/")


def rows_of(cart: Cart) -> list[tuple[Product, int]]:
    """The cart's products and quantities. What is no longer sold stays in the session until it is back."""
    return [(CATALOGUE[line.product], line.quantity) for line in cart.lines if line.product in CATALOGUE]


def total_of(rows: list[tuple[Product, int]]) -> int:
    return sum(product.price * quantity for product, quantity in rows)


def product_called(slug: str) -> Product:
    """The product in a path, or 404."""
    if slug not in CATALOGUE:
        raise HTTPException(HTTPStatus.NOT_FOUND, "We do not sell that, or no longer.")
    return CATALOGUE[slug]
