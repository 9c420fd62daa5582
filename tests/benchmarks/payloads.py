"""What the measured sessions hold: one model, and data for it that has a given size as JSON."""

import itertools
import json
from typing import Any

from pydantic import BaseModel

from fastsession import Session

# The sizes that the tables show, and how many lines of the cart make them up.
CART_LINES = {"120 B": 0, "1 KB": 8, "3 KB": 26}
SIZES = {"120 B": 120, "1 KB": 1_024, "3 KB": 3_072}
USER_ID = 42
# What is written alternates: where the data stays on the server, the request before wrote the other.
ADDED_ROLES, OTHER_THEMES, QUANTITIES = ("editor", "author"), ("light", "sepia"), (8, 9)
next_role = itertools.cycle(ADDED_ROLES).__next__
next_theme = itertools.cycle(OTHER_THEMES).__next__
next_quantity = itertools.cycle(QUANTITIES).__next__


class CartLine(BaseModel):
    sku: str
    title: str
    quantity: int
    cents: int
    options: dict[str, str]


class Contents(BaseModel):
    """The same fields without a session around them, for those who validate by hand."""

    user_id: int | None = None
    name: str = ""
    roles: list[str] = []
    theme: str = "auto"
    csrf: str = ""
    cart: list[CartLine] = []


class ShopSession(Session):
    user_id: int | None = None
    name: str = ""
    roles: list[str] = []
    theme: str = "auto"
    csrf: str = ""
    cart: list[CartLine] = []


def contents(size: str) -> dict[str, Any]:
    """The data of one of the sizes in the tables."""
    return contents_of(SIZES[size], lines=CART_LINES[size])


def contents_of(size: int, *, lines: int) -> dict[str, Any]:
    """Data that takes exactly `size` bytes of compact JSON, most of it in so many nested lines."""
    data: dict[str, Any] = {
        "user_id": USER_ID,
        "name": "",
        "roles": ["customer"],
        "theme": "dark",
        "csrf": "",
        "cart": [_line(number) for number in range(lines)],
    }
    missing = size - len(compact_json(data))
    if missing < 0:
        message = f"{lines} lines take more than {size} bytes"
        raise ValueError(message)
    data["csrf"] = ("c5f1e02b97d84a36" * (missing // 16 + 1))[:missing]
    return data


def _line(number: int) -> dict[str, Any]:
    return {
        "sku": f"SKU-{1000 + number}",
        "title": f"A thing worth having, number {number}",
        "quantity": 1 + number % 3,
        "cents": 1999 + number,
        "options": {"colour": "blue"},
    }


def compact_json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()
