"""What the browser holds: the session's cookies by their fields, and their size beside what is let through."""

from __future__ import annotations

from fastsession.cookies import MAX_COOKIE_SIZE
from fastsession.inspector.anatomy import HeldCookie, Part, clear_header
from fastsession.inspector.evidence import Evidence
from fastsession.inspector.markup import Markup, element, joined, table
from fastsession.inspector.wording import moment

BROWSER_LIMIT = 4096
# Name, bytes, and whether a request's whole Cookie header counts. Measured with default settings.
_LIMITS = (
    ("nginx, Set-Cookie of one response", 3914, False),
    ("nginx and Apache, Cookie of a request", 8182, True),
    ("AWS API Gateway, Cookie of a request", 10240, True),
    ("haproxy, Cookie of a request", 15228, True),
    ("uvicorn with h11, Cookie of a request", 16700, True),
)
# The fields in the order of the token, with what stands in them.
FIELDS = {
    "chunk": "how many chunks there are, and of which set this is one",
    "version": "the token format, always 1",
    "key-id": "which secret sealed it",
    "renewed-at": "from here the idle timeout counts",
    "nonce": "24 random bytes, new for every seal",
    "ciphertext": "id, times and content, sealed and padded",
    "tag": "proves that no bit was changed",
    "opaque": "not in our token format",
}


def browser_panel(evidence: Evidence) -> Markup:
    """The panel on the left."""
    if evidence.held or evidence.beside:
        content = joined(
            [
                *(_cookie(cookie) for cookie in (*evidence.held, *evidence.beside)),
                _legend(evidence),
                _limits(evidence),
            ]
        )
    else:
        content = element("p", "No cookie of this session came with the request.", class_="empty")
    return element("section", element("h2", "What the browser holds"), content, class_="panel", id="browser")


def _cookie(cookie: HeldCookie) -> Markup:
    share = f"{cookie.size:,} of {BROWSER_LIMIT:,} bytes"
    return element(
        "article",
        element("h3", element("code", cookie.name)),
        element(
            "div",
            *map(_part, cookie.parts),
            class_="token",
            tabindex="0",
            role="group",
            aria_label=f"Value of {cookie.name}",
        ),
        element("p", f"{share} that a browser stores for one cookie", class_="measure"),
        _bar(cookie, share),
        class_="cookie",
    )


def _part(part: Part) -> Markup:
    number = element("sup", _number(part.field))
    return element("span", number, part.text, class_=f"part {part.field}", title=_title(part.field))


def _bar(cookie: HeldCookie, share: str) -> Markup:
    """The cookie's fields to scale, with a tick at our own limit."""
    segments: list[Markup] = []
    at = len(cookie.name)
    for part in cookie.parts:
        segments.append(element("rect", x=at, y=0, width=len(part.text), height=20, class_=f"fill {part.field}"))
        at += len(part.text)
    return element(
        "svg",
        element("rect", x=0, y=0, width=BROWSER_LIMIT, height=20, class_="track"),
        element("rect", x=0, y=0, width=len(cookie.name), height=20, class_="fill name"),
        *segments,
        element("rect", x=MAX_COOKIE_SIZE, y=0, width=8, height=20, class_="tick"),
        viewBox=f"0 0 {BROWSER_LIMIT} 20",
        preserveAspectRatio="none",
        class_="bar",
        role="img",
        aria_label=f"{share}. We send at most {MAX_COOKIE_SIZE:,}: the mark.",
    )


def _legend(evidence: Evidence) -> Markup:
    """The fields that occur, with what anybody can read of them."""
    clear = clear_header(evidence.held)
    readable: dict[str, str] = {}
    if clear:
        readable = {"version": str(clear.version), "key-id": clear.key_id, "renewed-at": moment(clear.renewed_at)}
    lengths = dict.fromkeys(FIELDS, 0)
    for cookie in evidence.held:
        for part in cookie.parts:
            lengths[part.field] += len(part.text)
    rows = [
        (
            element("span", element("sup", _number(field)), _title(field), class_=f"part {field}"),
            f"{length:,} characters",
            readable.get(field, ""),
            FIELDS[field],
        )
        for field, length in lengths.items()
        if length
    ]
    return joined(
        [
            table("Fields", ("Field", "Length", "In clear", "What it is"), rows, class_="legend"),
            element("p", "A character that holds bits of two fields has the colour of its first bit.", class_="note"),
        ]
    )


def _limits(evidence: Evidence) -> Markup:
    session = sum(cookie.size for cookie in evidence.held)
    request = len(evidence.visit.header)
    rows = [
        (name, f"{used:,} of {limit:,}{': too many' if used > limit else ''}", _meter(used, limit))
        for name, limit, whole in _LIMITS
        for used in [request if whole else session]
    ]
    caption = "Bytes that proxies and servers let through"
    return table(caption, ("Where", "Bytes", "Share"), rows, class_="limits")


def _meter(used: int, limit: int) -> Markup:
    return element("meter", f"{used * 100 // limit} %", value=min(used, limit), max=limit, high=limit * 4 // 5)


def _number(field: str) -> str:
    return str(list(FIELDS).index(field))


def _title(field: str) -> str:
    return {"opaque": "unread"}.get(field, field.replace("-", " "))
