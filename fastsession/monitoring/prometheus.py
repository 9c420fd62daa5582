"""A Prometheus counter of events."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from fastsession.errors import ConfigurationError
from fastsession.events import Listener, SessionEvent
from fastsession.monitoring.series import WARNINGS

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter

# A registry takes a name once, but an application may have several middlewares or be created several times.
_counters: WeakKeyDictionary[CollectorRegistry, Counter] = WeakKeyDictionary()


def prometheus_counter(registry: CollectorRegistry | None = None) -> Listener:
    """Return a listener for `on_event` that counts in `fastsession_events_total{kind, status}`.

    `registry` is prometheus_client's global one by default. Listeners of one registry share one counter. Raises
    `ConfigurationError` without the extra `prometheus`.
    """
    try:
        from prometheus_client import REGISTRY  # noqa: PLC0415  (an extra)
    except ImportError as error:
        message = (
            "prometheus_counter needs the package prometheus-client: pip install 'fastsession-sealed[prometheus]'."
        )
        raise ConfigurationError(message) from error
    counter = _counter_in(REGISTRY if registry is None else registry)

    def count(event: SessionEvent) -> None:
        counter.labels(str(event.kind), str(event.status)).inc()

    return count


def _counter_in(registry: CollectorRegistry) -> Counter:
    from prometheus_client import Counter  # noqa: PLC0415  (an extra, found by the caller)

    counter = _counters.get(registry)
    if counter is None:
        counter = Counter("fastsession_events", "Session events", ["kind", "status"], registry=registry)
        for kind, status in WARNINGS:
            counter.labels(kind, status)
        _counters[registry] = counter
    return counter
