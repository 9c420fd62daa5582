"""An OpenTelemetry counter of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastsession.errors import ConfigurationError
from fastsession.events import Listener, SessionEvent
from fastsession.monitoring.series import WARNINGS

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider


def opentelemetry_counter(meter_provider: MeterProvider | None = None) -> Listener:
    """Return a listener for `on_event` that counts in `fastsession.events`.

    Its attributes are `fastsession.kind` and `fastsession.status`. `meter_provider` is the global one by default.
    Raises `ConfigurationError` without the extra `opentelemetry`.
    """
    try:
        from opentelemetry.metrics import get_meter  # noqa: PLC0415  (an extra)
    except ImportError as error:
        message = (
            "opentelemetry_counter needs the package opentelemetry-api: "
            "pip install 'fastsession-sealed[opentelemetry]'."
        )
        raise ConfigurationError(message) from error
    counter = get_meter("fastsession", meter_provider=meter_provider).create_counter(
        "fastsession.events", unit="{event}", description="Session events"
    )
    for kind, status in WARNINGS:
        counter.add(0, _attributes(kind, status))

    def count(event: SessionEvent) -> None:
        counter.add(1, _attributes(str(event.kind), str(event.status)))

    return count


def _attributes(kind: str, status: str) -> dict[str, str]:
    return {"fastsession.kind": kind, "fastsession.status": status}
