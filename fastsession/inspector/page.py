"""The inspector's page, put together."""

from __future__ import annotations

from pathlib import Path
from string import Template

from fastsession.events import SessionEvent
from fastsession.inspector.browser_panel import browser_panel
from fastsession.inspector.device_panel import device_panel
from fastsession.inspector.evidence import Evidence
from fastsession.inspector.experiment_panel import experiment_panel, log_panel
from fastsession.inspector.experiments import Experiment
from fastsession.inspector.laboratory import Finding
from fastsession.inspector.markup import element, joined
from fastsession.inspector.server_panel import server_panel
from fastsession.inspector.timeline import timeline

_PAGE = Template((Path(__file__).parent / "page.html").read_text(encoding="utf-8"))


def page(
    evidence: Evidence,
    events: tuple[SessionEvent, ...],
    tried: Experiment | None = None,
    finding: Finding | None = None,
) -> str:
    """The whole page as HTML."""
    name = evidence.session_cookies.name
    return _PAGE.substitute(
        cookie=element("code", name),
        panels=joined(
            [
                browser_panel(evidence),
                server_panel(evidence),
                timeline(evidence),
                device_panel(evidence),
                experiment_panel(evidence, tried, finding),
                log_panel(events),
            ]
        ),
    )
