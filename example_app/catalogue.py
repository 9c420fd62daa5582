"""What the shop sells. Pictures are in templates/pictures, one a product."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One thing to buy; `price` in cents."""

    slug: str
    name: str
    price: int
    description: str


CATALOGUE = {
    product.slug: product
    for product in (
        Product("teapot", "Stoneware teapot", 38_00, "Holds four cups, pours without a drip, keeps warm for an hour."),
        Product("mug", "Speckled mug", 14_00, "Thrown by hand, so no two are alike. Fits under every coffee machine."),
        Product("lamp", "Desk lamp", 64_00, "A warm light on a joint that stays where you put it."),
        Product("cactus", "Patient cactus", 18_00, "Wants a sunny window, a drink once a month, and no small talk."),
        Product("notebook", "Linen notebook", 12_50, "Two hundred dotted pages that lie flat, and a ribbon."),
        Product("candle", "Beeswax candle", 9_50, "Burns for forty hours and smells of late summer."),
        Product("cushion", "Wool cushion", 32_00, "Woven from undyed wool, filled with more of it."),
        Product("umbrella", "Walking umbrella", 27_00, "Eight ribs, a beech handle, a lifelong quarrel with the wind."),
    )
}


def euros(cents: int) -> str:
    """A price as people read it."""
    return f"€ {cents // 100}.{cents % 100:02}"
