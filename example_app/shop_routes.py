"""Looking around, and the cart."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response

from example_app.catalogue import CATALOGUE, Product
from example_app.pages import flash, render, to_page
from example_app.session import MOST_OF_ONE_PRODUCT, Visitor

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
    # What is no longer sold stays in the session and is shown again when it is back.
    rows = [(CATALOGUE[line.product], line.quantity) for line in session.cart.lines if line.product in CATALOGUE]
    total = sum(product.price * quantity for product, quantity in rows)
    return render(request, session, "cart.html", rows=rows, total=total, most=MOST_OF_ONE_PRODUCT)


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


def product_called(slug: str) -> Product:
    """The product in a path, or 404."""
    if slug not in CATALOGUE:
        raise HTTPException(HTTPStatus.NOT_FOUND, "We do not sell that, or no longer.")
    return CATALOGUE[slug]
