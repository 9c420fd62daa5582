"""The buttons that try the session's security, and what came of the last."""

from __future__ import annotations

from urllib.parse import urlencode

from fastsession.events import SessionEvent
from fastsession.inspector.evidence import Evidence
from fastsession.inspector.experiments import NO_SESSION, Experiment, experiments_on, obstacle_to
from fastsession.inspector.laboratory import Finding
from fastsession.inspector.markup import Markup, element, joined, table
from fastsession.inspector.wording import MEANINGS, moment, status_badge

TRY = "try"
PARAMETER = "experiment"


def experiment_panel(evidence: Evidence, tried: Experiment | None, finding: Finding | None) -> Markup:
    """The panel of experiments. Its forms need no script."""
    return element(
        "section",
        element("h2", "Try it"),
        element(
            "p",
            "Each button presents a copy of your cookie to the code that opens every cookie. Your own stays as it is.",
        ),
        "" if evidence.token else element("p", NO_SESSION),
        element("ul", *(_button(*named, evidence) for named in experiments_on(evidence).items()), class_="experiments"),
        _result(evidence, tried, finding) if tried else "",
        class_="panel wide",
        id="experiments",
    )


def log_panel(events: tuple[SessionEvent, ...]) -> Markup:
    """What was told of this session, the latest first."""
    if events:
        rows = [
            (
                event.kind,
                moment(event.at.timestamp()),
                event.status,
                f"{event.method} {event.path}",
                event.detail,
            )
            for event in reversed(events)
        ]
        content = table("Last events", ("Event", "At", "Status", "Request", "Detail"), rows, class_="events")
    else:
        content = element("p", "No event of this session has been seen yet.", class_="empty")
    return element("section", element("h2", "Its events"), content, class_="panel wide", id="log")


def _button(key: str, experiment: Experiment, evidence: Evidence) -> Markup:
    obstacle = obstacle_to(experiment, evidence)
    button = element(
        "button",
        experiment.title,
        type="submit",
        aria_describedby=f"about-{key}",
        disabled="" if obstacle else None,
    )
    form = element("form", button, method="post", action=f"{TRY}?{urlencode({PARAMETER: key})}#result")
    about = obstacle if obstacle and evidence.token else experiment.question
    return element("li", form, element("p", about, id=f"about-{key}"))


def _result(evidence: Evidence, tried: Experiment, finding: Finding | None) -> Markup:
    if finding is None:
        told = element("p", obstacle_to(tried, evidence))
    else:
        told = joined(
            [
                element("p", finding.done),
                element("p", status_badge(finding.status), " ", MEANINGS[finding.status]),
                element("dl", *_consequences(evidence, finding), class_="facts"),
            ]
        )
    return element("div", element("h3", tried.title), told, id="result", class_="result", tabindex="-1")


def _consequences(evidence: Evidence, finding: Finding) -> list[Markup]:
    names = evidence.setup.codec.changed_names(evidence.payload, finding.payload or evidence.payload)
    told = [f"{event.kind}, status {event.status}" for event in finding.events]
    consequences = {
        "Reason": finding.detail,
        "Event": ", ".join(told) or "none",
        "The response": finding.response,
        "The route gets": "a fresh session" if finding.payload is None else "this session",
        "require(bound=True)": "" if finding.proven is None else "lets it pass" if finding.proven else "refuses it",
        "Set back to then": ", ".join(names),
    }
    return [element("div", element("dt", name), element("dd", text)) for name, text in consequences.items() if text]
