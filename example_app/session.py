"""What the shop remembers of a visitor between two requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, Field

from fastsession import CurrentSession, Session, SessionControl, get_session_control, require

MOST_OF_ONE_PRODUCT = 9


class CartLine(BaseModel):
    """So many of one product. Its name and price are the catalogue's business: a session keeps references."""

    product: str
    quantity: Annotated[int, Field(ge=1, le=MOST_OF_ONE_PRODUCT)]


class Cart(BaseModel):
    """What the visitor wants to buy. Its methods edit it in place, and the session notices."""

    lines: list[CartLine] = []

    def add(self, product: str, quantity: int) -> None:
        """Put more of a product into the cart, up to the most that anybody may have."""
        line = self.line_of(product)
        if line:
            line.quantity = min(line.quantity + quantity, MOST_OF_ONE_PRODUCT)
        else:
            self.lines.append(CartLine(product=product, quantity=quantity))

    def remove(self, product: str) -> None:
        """Take a product out of the cart."""
        self.lines = [line for line in self.lines if line.product != product]

    def line_of(self, product: str) -> CartLine | None:
        """The product's line, None when it is not in the cart."""
        return next((line for line in self.lines if line.product == product), None)

    @property
    def count(self) -> int:
        """How many things there are in the cart."""
        return sum(line.quantity for line in self.lines)


class ShopSession(Session):
    """The visitor's session. Every field has a default: that is the session of somebody new."""

    account_id: int | None = None
    cart: Cart = Cart()
    # What the browser called itself at the sign-in, for the list of devices.
    device: str = ""
    # Made by csrf.py at first need. A default_factory would give every visitor a session at the first look.
    csrf_token: str = ""

    def subject(self) -> str | None:
        """Whose session it is: by this name an account's sessions are found and ended."""
        return None if self.account_id is None else str(self.account_id)


def signed_in(session: ShopSession) -> bool:
    return session.account_id is not None


# What a route asks for: any visitor, one who has signed in, or one who has just shown that it is still the same person.
Visitor = CurrentSession[ShopSession]
Member = Annotated[ShopSession, Depends(require(signed_in))]
FreshMember = Annotated[ShopSession, Depends(require(signed_in, fresh=timedelta(minutes=10)))]
Sessions = Annotated[SessionControl, Depends(get_session_control)]
