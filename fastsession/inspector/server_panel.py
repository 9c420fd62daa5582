"""What the server sees: how the session arrived, and what is in it."""

from __future__ import annotations

import json
from typing import Any

from fastsession.inspector.evidence import Evidence
from fastsession.inspector.markup import Markup, element, joined, table
from fastsession.inspector.wording import MEANINGS, status_badge

_LONGEST_VALUE = 300
_NOWHERE = object()


def server_panel(evidence: Evidence) -> Markup:
    """The panel on the right."""
    status, detail = evidence.visit.status, evidence.visit.detail
    return element(
        "section",
        element("h2", "What the server sees"),
        element("p", status_badge(status), " ", MEANINGS[status], f" ({detail})" if detail else "", class_="status"),
        _facts(evidence),
        _contents(evidence),
        class_="panel",
        id="server",
    )


def _facts(evidence: Evidence) -> Markup:
    info = evidence.visit.info()
    facts = {
        "Handle": element("code", evidence.handle) if evidence.handle else "none until it is saved",
        "Origin": info.origin or "-",
        "Data": _home(evidence),
        "Signed in": "regenerate() was called" if info.authenticated_at else "regenerate() was never called",
        "Remembered": "yes" if info.remembered else "no",
        "Sealed with": _sealed_with(evidence),
    }
    items = [element("div", element("dt", name), element("dd", value)) for name, value in facts.items()]
    return element("dl", *items, class_="facts")


def _home(evidence: Evidence) -> str:
    """Where the session's data is."""
    if evidence.adopted:
        return "with the other system, until it is used here"
    if evidence.token is None:
        return "nowhere yet"
    return "in the store; the cookie only leads there" if evidence.in_store else "in the cookie"


def _sealed_with(evidence: Evidence) -> str:
    if evidence.adopted or not evidence.own_format:
        return "the other system's secret"
    if evidence.token is None:
        return "-"
    return "an old secret: to be sealed anew" if evidence.token.stale else "today's secret"


def _contents(evidence: Evidence) -> Markup:
    model = evidence.setup.codec.model
    now = evidence.contents()
    sides = evidence.default_contents(), evidence.arrived_contents(), evidence.contents_at_last_look() or now
    tables = [
        _table(caption, now[part], [side[part] for side in sides])
        for part, caption in enumerate((f"{model.__name__}, the model", "Extras, through request.session"))
        if now[part]
    ]
    return joined(tables or [element("p", f"{model.__name__} has no fields, and there are no extras.", class_="empty")])


def _table(caption: str, values: dict[str, Any], sides: list[dict[str, Any]]) -> Markup:
    rows = [
        (element("code", name), _value(value), _state(value, *(side.get(name, _NOWHERE) for side in sides)))
        for name, value in values.items()
    ]
    return table(caption, ("Name", "Value", "State"), rows, class_="contents")


def _value(value: Any) -> Markup:
    text = json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}… ({len(text):,} characters)"
    return element("code", shown)


def _state(value: Any, default: Any, arrived: Any, earlier: Any) -> Markup:
    """How a field came to its value, the latest event first."""
    if value != arrived:
        return element("mark", "changed by this request")
    if value != earlier:
        return element("mark", "changed since your last look")
    if value == default:
        return element("span", "default", class_="quiet")
    return element("strong", "set")
