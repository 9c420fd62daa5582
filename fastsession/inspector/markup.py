"""HTML that is always escaped: any string that is no `Markup` is text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """A string that is HTML already."""

    __slots__ = ()


def element(tag: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """An element; text in it and in its attributes is escaped.

    `class_` becomes `class` and `data_now` becomes `data-now`. An attribute that is None is left out.
    """
    written = [
        f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value is not None
    ]
    return Markup(f"<{tag}{''.join(written)}>{joined(children)}</{tag}>")


def joined(children: Iterable[str]) -> Markup:
    """Join elements and texts."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def table(caption: str, head: Iterable[str], rows: Iterable[Iterable[str]], **attributes: str) -> Markup:
    """Return a table whose first column is a row heading."""
    lines = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in cells))
        for first, *cells in rows
    ]
    headings = element("thead", element("tr", *(element("th", cell, scope="col") for cell in head)))
    body = element("tbody", *lines)
    # A wide table scrolls by itself, with the keyboard too.
    return element(
        "div",
        element("table", element("caption", caption), headings, body, **attributes),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )
