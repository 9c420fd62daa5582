"""Events as metrics: listeners for `on_event` that count. docs/events.md lists what they count."""

from fastsession.monitoring.opentelemetry import opentelemetry_counter
from fastsession.monitoring.prometheus import prometheus_counter

__all__ = ["opentelemetry_counter", "prometheus_counter"]
