"""The device that the session is bound to: its three cookies, and how the pair and the proof stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastsession.inspector.markup import Markup, element, table
from fastsession.status import SessionStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastsession.device_binding.devices import Devices
    from fastsession.inspector.anatomy import HeldCookie
    from fastsession.inspector.evidence import Evidence


_PAIRED = "paired with a device whose cookie did not come, or came of another pair"


def device_panel(evidence: Evidence) -> Markup:
    """The panel of a middleware with `device_binding=`; nothing for any other."""
    devices = evidence.setup.devices
    if devices is None:
        return Markup()
    return element(
        "section",
        element("h2", "Its device"),
        element("dl", *_facts(evidence, devices), class_="facts"),
        table("Its three cookies", ("Cookie", "In this request", "Holds", "Written by"), _cookies(evidence, devices)),
        element(
            "p", "A token with a pair is believed only together with the device cookie of that pair.", class_="note"
        ),
        class_="panel wide",
        id="device",
    )


def _facts(evidence: Evidence, devices: Devices) -> list[Markup]:
    # Only applications that bind import it.
    from fastsession.device_binding.standing import pair_state, proof_state  # noqa: PLC0415

    visit = evidence.visit
    device, now = visit.device, visit.now
    pair = pair_state(device, now)
    if visit.token is None and device is None:
        pair = _PAIRED if visit.status is SessionStatus.UNBOUND else "no valid session came"
    facts = {"Pair": pair, "Proof": proof_state(device, now, proof_lifetime=devices.proof_lifetime)}
    return [element("div", element("dt", name), element("dd", value)) for name, value in facts.items()]


def _cookies(evidence: Evidence, devices: Devices) -> list[tuple[str, ...]]:
    device, bound = devices.cookies.device_name, devices.cookies.bound_name

    def beside(name: str) -> list[HeldCookie]:
        return [cookie for cookie in evidence.beside if cookie.name == name]

    rows = (
        (evidence.session_cookies.name, evidence.held, "the session, and its pair", "saving and renewing"),
        (device, beside(device), "the pair, and the public key", "signing in and registering"),
        (bound, beside(bound), "the pair, and when the key was proven", "registering and refreshing"),
    )
    return [(element("code", name), _came(held), holds, writer) for name, held, holds, writer in rows]


def _came(held: Iterable[HeldCookie]) -> str:
    sizes = [cookie.size for cookie in held]
    return f"{sum(sizes):,} bytes" if sizes else "did not come"
