"""The attacks and accidents that the inspector plays through, each a row of one table. Pure."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fastsession.inspector.evidence import Evidence
from fastsession.inspector.laboratory import Attempt, RotatedCookies
from fastsession.sealing.own_cookies import OwnCookies
from fastsession.sealing.token import Token

_BASE64URL = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
NO_SESSION = "Needs a session: put something into one first."
_NOT_BOUND = "Needs a session that is bound to its device: sign in over https, with a browser that binds."


@dataclass(frozen=True, slots=True)
class Experiment:
    """A button, what it asks, and how its attempt is made. `obstacle` says why it cannot be, "" when it can."""

    title: str
    question: str
    prepare: Callable[[Evidence, Token], Attempt]
    obstacle: Callable[[Evidence], str]


def obstacle_to(experiment: Experiment, evidence: Evidence) -> str:
    """Why the experiment cannot be made on this session, "" when it can."""
    return experiment.obstacle(evidence) if evidence.token else NO_SESSION


def experiments_on(evidence: Evidence) -> dict[str, Experiment]:
    """The experiments that this session's middleware allows for, by their keys."""
    return EXPERIMENTS if evidence.setup.devices is None else EXPERIMENTS | DEVICE_EXPERIMENTS


def prepared(experiment: Experiment, evidence: Evidence) -> Attempt | None:
    """The attempt, None when there is an obstacle."""
    token = evidence.token
    return None if token is None or obstacle_to(experiment, evidence) else experiment.prepare(evidence, token)


def flipped(value: str) -> tuple[str, int]:
    """A value with one bit of it turned over, and the position: the first base64url character from the middle on.

    Hexadecimal digits stay such, so that other systems' formats get as far as their signature too.
    """
    middle = len(value) // 2
    position = next((at for at in range(middle, len(value)) if value[at] in _BASE64URL), middle)
    other = _BASE64URL[_BASE64URL.find(value[position]) ^ 1]
    return value[:position] + other + value[position + 1 :], position


def _flip(evidence: Evidence, _: Token) -> Attempt:
    (name, value), *others = evidence.cookies
    changed, at = flipped(value)
    done = f"Character {at + 1} of {len(value)} in {name} was {value[at]} and became {changed[at]}: one bit of it."
    return _attempt(evidence, ((name, changed), *others), done)


def _cut(evidence: Evidence, _: Token) -> Attempt:
    (name, value), *others = evidence.cookies
    done = f"{name} lost the last of its {len(value)} bytes."
    return _attempt(evidence, ((name, value[:-1]), *others), done)


def _replay(evidence: Evidence, _: Token) -> Attempt:
    return _attempt(evidence, _older(evidence)[-1], "The cookie from before the last change was presented once more.")


def _wait(evidence: Evidence, token: Token) -> Attempt:
    idle = evidence.setup.timeouts.lifetime(remembered=token.remembered).idle
    done = f"The clock was put {idle} seconds after the last renewal: the idle timeout."
    return _attempt(evidence, evidence.cookies, done, now=token.renewed_at + idle)


def _stay(evidence: Evidence, token: Token) -> Attempt:
    """Seal the token again as the last renewal before the absolute deadline would have."""
    end = token.created_at + evidence.setup.timeouts.lifetime(remembered=token.remembered).absolute
    renewed = token._replace(renewed_at=end - 1)
    renewed = evidence.view.lifecycle.in_cookie(renewed)
    done = "The session was renewed until a second before its absolute deadline, and used once more."
    return _attempt(evidence, tuple(evidence.session_cookies.seal(renewed, now=end - 1).items()), done, now=end)


def _unproven(evidence: Evidence, _: Token) -> Attempt:
    devices = evidence.setup.devices
    kept = [(name, value) for name, value in evidence.device_cookies if devices and name != devices.cookies.bound_name]
    return _attempt(
        evidence,
        evidence.cookies,
        "The copied jar was presented without its proof, which is over by then.",
        beside=kept,
    )


def _alone(evidence: Evidence, _: Token) -> Attempt:
    return _attempt(evidence, evidence.cookies, "The session's cookie was presented without the device's.", beside=())


def _rotate(evidence: Evidence, _: Token) -> Attempt:
    done = "A new secret seals, and today's is among secret_key_fallbacks."
    return _attempt(evidence, evidence.cookies, done, reads=_rotated(evidence, keeps_old=True))


def _retire(evidence: Evidence, _: Token) -> Attempt:
    done = "A new secret seals, and today's is gone."
    return _attempt(evidence, evidence.cookies, done, reads=_rotated(evidence, keeps_old=False))


def _attempt(
    evidence: Evidence,
    cookies: tuple[tuple[str, str], ...],
    done: str,
    *,
    now: float | None = None,
    reads: OwnCookies | None = None,
    beside: Iterable[tuple[str, str]] | None = None,
) -> Attempt:
    moment = evidence.visit.now if now is None else now
    cookies = (*cookies, *(evidence.device_cookies if beside is None else beside))
    return Attempt(cookies, reads or evidence.session_cookies, moment, done, renews=reads is not None)


def _rotated(evidence: Evidence, *, keeps_old: bool) -> OwnCookies | None:
    cookies = evidence.session_cookies
    return RotatedCookies(cookies, keeps_old=keeps_old) if isinstance(cookies, OwnCookies) else None


def _older(evidence: Evidence) -> list[tuple[tuple[str, str], ...]]:
    """The session's earlier cookies, the oldest first."""
    return [look.cookies for look in evidence.looks if look.cookies != evidence.cookies]


def _nothing(_: Evidence) -> str:
    return ""


def _no_older_cookie(evidence: Evidence) -> str:
    return "" if _older(evidence) else "Needs an earlier cookie: change the session, then come back to this page."


def _not_bound(evidence: Evidence) -> str:
    device = evidence.visit.device
    return "" if device and device.key else _NOT_BOUND


def _foreign_format(evidence: Evidence) -> str:
    return "" if evidence.own_format else "Needs our own token: format= has secrets of its own."


EXPERIMENTS = {
    "flip": Experiment("Flip a bit", "Does a single changed bit go unnoticed?", _flip, _nothing),
    "cut": Experiment("Cut a byte", "Is a cookie that arrived cut short still taken?", _cut, _nothing),
    "replay": Experiment("Replay an old cookie", "Does a kept copy still open?", _replay, _no_older_cookie),
    "wait": Experiment("Wait too long", "What if nothing comes until the idle timeout?", _wait, _nothing),
    "stay": Experiment("Never leave", "Can a session be renewed for ever?", _stay, _nothing),
    "rotate": Experiment("Rotate the key", "Are visitors signed out by a new secret?", _rotate, _foreign_format),
    "retire": Experiment("Retire the key", "And when the old secret is taken away?", _retire, _foreign_format),
}
# For a middleware with `device_binding=` only.
DEVICE_EXPERIMENTS = {
    "unproven": Experiment(
        "Replay without the proof", "What is a copied jar worth once the proof is over?", _unproven, _not_bound
    ),
    "alone": Experiment(
        "Leave the device out", "Does it unbind to send the session's cookie alone?", _alone, _not_bound
    ),
}
