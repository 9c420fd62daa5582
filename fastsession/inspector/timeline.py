"""A session's times, drawn: when it began and was renewed, and when it will be over."""

from __future__ import annotations

from typing import NamedTuple

from fastsession.inspector.evidence import Evidence
from fastsession.inspector.markup import Markup, element, table
from fastsession.inspector.wording import distance, moment
from fastsession.sealing.token import Token

# Marks differ in shape as well as in colour. Each is drawn around its point of the track.
_SHAPES = {
    "created": "M-7 0A7 7 0 1 0 7 0A7 7 0 1 0-7 0Z",
    "renewed": "M0-8L8 0L0 8L-8 0Z",
    "now": "M-2-17H2V17H-2Z",
    "idle": "M0-8L8 7H-8Z",
    "absolute": "M-7-7H7V7H-7Z",
}


class Times(NamedTuple):
    """A session's times in Unix seconds."""

    created: int
    renewed: int
    now: int
    idle: int
    absolute: int


_NAMES = {
    "created": "Created",
    "renewed": "Renewed",
    "now": "Now",
    "idle": "Idle deadline",
    "absolute": "Absolute deadline",
}


def timeline(evidence: Evidence) -> Markup:
    """The panel with the session's times. The page's script moves what the server has drawn."""
    token = evidence.token
    if token is None:
        content = element("p", "A session begins when it is first saved.", class_="empty")
    else:
        content = _drawn(_times(evidence, token))
    return element("section", element("h2", "Its time"), content, class_="panel wide", id="time")


def _times(evidence: Evidence, token: Token) -> Times:
    lifetime = evidence.setup.timeouts.lifetime(remembered=token.remembered)
    return Times(
        token.created_at,
        token.renewed_at,
        int(evidence.visit.now),
        token.renewed_at + lifetime.idle,
        token.created_at + lifetime.absolute,
    )


def _drawn(times: Times) -> Markup:
    whole = _track("The whole session", times, ("created", "renewed", "idle", "absolute", "now"))
    idle = _track("Until the idle deadline", times, ("renewed", "idle", "now"))
    rows = [
        (
            element("span", _symbol(name), " ", _NAMES[name], class_="mark-name"),
            element("span", "now" if name == "now" else distance(at - times.now), data_distance=name),
            moment(at),
        )
        for name, at in zip(Times._fields, times, strict=True)
    ]
    return element(
        "div",
        whole,
        idle,
        table("Times", ("Moment", "From now", "At"), rows, class_="times"),
        element("p", role="status", data_over="", class_="over"),
        data_timeline="",
        **{f"data_{name}": at for name, at in times._asdict().items()},
    )


def _track(caption: str, times: Times, marks: tuple[str, ...]) -> Markup:
    """A line from the first to the last of the marked times, passed as far as now."""
    values = times._asdict()
    end = "absolute" if "absolute" in marks else "idle"
    start = marks[0]

    def place(name: str) -> str:
        share = (values[name] - values[start]) / max(1, values[end] - values[start])
        return f"{100 * min(1, max(0, share)):.2f}%"

    placed = [
        element("svg", element("path", d=_SHAPES[name]), x=place(name), y="50%", class_=f"mark {name}", data_mark=name)
        for name in marks
    ]
    drawing = element(
        "svg",
        element("rect", x=0, y="35%", width="100%", height="30%", rx=4, class_="track"),
        element("rect", x=0, y="35%", width=place("now"), height="30%", rx=4, class_="passed", data_passed=""),
        *placed,
        class_="timeline",
        aria_hidden="true",
        data_from=start,
        data_to=end,
    )
    ends = element("div", element("span", _NAMES[start]), element("span", _NAMES[end]), class_="ends")
    return element("figure", element("figcaption", caption), drawing, ends)


def _symbol(name: str) -> Markup:
    mark = element("path", d=_SHAPES[name])
    return element("svg", mark, viewBox="-10 -18 20 36", class_=f"symbol mark {name}", aria_hidden="true")
