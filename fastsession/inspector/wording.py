"""Times, sizes and statuses in words."""

from __future__ import annotations

from datetime import timedelta

from fastsession.inspector.markup import Markup, element
from fastsession.lifetime import as_datetime
from fastsession.status import SessionStatus

MEANINGS = {
    SessionStatus.ABSENT: "The browser sent no session cookie.",
    SessionStatus.VALID: "The cookie was opened: this is the session.",
    SessionStatus.MALFORMED: "What arrived is no token: it was turned away before any secret was needed.",
    SessionStatus.OVERSIZE: "More bytes arrived than any session has: nothing was decoded.",
    SessionStatus.UNKNOWN_KEY: "No configured secret has this key id. The cookie stays: another server may know it.",
    SessionStatus.FORGED: "The tag does not match: something was changed, and nothing of the content was believed.",
    SessionStatus.EXPIRED_IDLE: "Nothing came for longer than the idle timeout.",
    SessionStatus.EXPIRED_ABSOLUTE: "The session has reached its absolute timeout, however often it was renewed.",
    SessionStatus.FUTURE: "The session is from the future: a server's clock is wrong.",
    SessionStatus.REVOKED: "The session was ended on the server.",
    SessionStatus.BINDING: "The session is bound to another connection.",
    SessionStatus.INCOMPATIBLE: "The session does not fit today's model.",
    SessionStatus.INCOMPLETE: "A chunk of the session is missing.",
    SessionStatus.AMBIGUOUS: "Valid cookies of two sessions arrived: neither was believed.",
    SessionStatus.STORE_DOWN: "The store did not answer.",
    SessionStatus.UNBOUND: "The session is bound to a device, and that has not proven itself here.",
}


def status_badge(status: SessionStatus) -> Markup:
    """Return the status with a symbol, so that it does not depend on colour."""
    kind, sign = {
        SessionStatus.VALID: ("good", "\N{CHECK MARK}"),
        SessionStatus.ABSENT: ("none", "\N{EN DASH}"),
    }.get(status, ("bad", "\N{MULTIPLICATION SIGN}"))
    return element("span", element("span", sign, aria_hidden="true"), f" {status}", class_=f"badge {kind}")


def moment(timestamp: float) -> Markup:
    """Return a machine-readable time."""
    at = as_datetime(timestamp)
    return element("time", f"{at:%Y-%m-%d %H:%M:%S} UTC", datetime=at.isoformat())


def distance(seconds: float) -> str:
    """Return a relative time: `in 0:29:58`, `0:00:02 ago`. The page's script writes the same form."""
    length = timedelta(seconds=abs(int(seconds)))
    return f"in {length}" if seconds > 0 else f"{length} ago"
