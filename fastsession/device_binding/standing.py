"""How a session stands with its device, in words, for the inspector and the `inspect` command. Pure."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from fastsession.device_binding.device_cookies import CHALLENGE_LIFETIME
from fastsession.device_binding.devices import identifier_of
from fastsession.lifetime import CLOCK_SKEW

if TYPE_CHECKING:
    from fastsession.device_binding.device_cookies import Device

NOT_BOUND = "not bound: nothing was offered to the browser, or the offer was given up"


def pair_state(device: Device | None, now: float) -> str:
    """Whether a session is offered, bound or neither. A key is named by its public identifier."""
    if device is None:
        return NOT_BOUND
    if device.key:
        return f"bound to {identifier_of(device.key)}"
    left = int(device.since + CHALLENGE_LIFETIME - now)
    if left >= 0:
        return f"offered: the browser has {left} s left to register a key"
    return "given up: the browser registered no key in time; a later save leaves the pair out"


def proof_state(device: Device | None, now: float, *, proof_lifetime: int) -> str:
    """When the device's key was last proven, and how long that lasts."""
    if device is None or not device.key:
        return "none, because there is no key"
    if not device.proven_at:
        return "none came with the request"
    age = floor(now - device.proven_at)
    if age < -CLOCK_SKEW:
        return "from the future: a server's clock is wrong"
    left = proof_lifetime - age
    return f"proven {max(0, age)} s ago, {f'{left} s left' if left > 0 else f'over for {-left} s'}"


def why_unbound(device: Device, now: float, *, proof_lifetime: int) -> str:
    """Why `without_proof="reject"` turns the session away; empty for one that it lets in."""
    return "unbound: without a live proof" if device.key and not device.proven_until(now, proof_lifetime) else ""
