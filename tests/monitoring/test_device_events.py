"""The events of device binding as the two counters count them."""

import pytest

from fastsession import DeviceBinding, SessionStatus
from tests.device_binding.bank import LIFETIME, REFRESH, bank
from tests.device_binding.modelled_browser import Browser, response_header
from tests.monitoring.test_counting import OpenTelemetry, Prometheus


@pytest.fixture(params=[Prometheus, OpenTelemetry])
def metrics(request):
    return request.param()


def test_registrations_refreshes_and_failed_proofs_are_counted(metrics, clock):
    user = Browser(bank(clock=clock, on_event=metrics.listener(), device_binding=DeviceBinding()), clock)
    user.post("/login")
    clock.advance(LIFETIME)
    user.get("/who")
    for _ in range(3):
        identifier = ("sec-secure-session-id", user.binding.identifier)
        user.send("POST", REFRESH, [identifier, response_header("no.proof.atall")])
    thief = user.stolen()
    clock.advance(LIFETIME)
    thief.get("/who")
    assert metrics.counts() == {
        ("regenerated", "absent"): 1,
        ("bound", "valid"): 1,
        ("refreshed", "valid"): 1,
        ("renewed", "valid"): 1,
        ("proof_failed", "valid"): 3,
        ("rejected", "unbound"): 1,
    }


def test_failed_proofs_and_unbound_sessions_are_counted_from_zero(metrics, clock):
    """A series that first appears with 1 raises no alert."""
    bank(clock=clock, on_event=metrics.listener())
    shown = [tuple(labels.values()) for labels, value in metrics.samples() if value == 0]
    assert {("proof_failed", str(status)) for status in SessionStatus} <= set(shown)
    assert ("rejected", "unbound") in shown
