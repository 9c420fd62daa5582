"""Whether a browser that sent no proof for a session may still have its key. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastsession.device_binding.device_cookies import CHALLENGE_LIFETIME
from fastsession.lifetime import CLOCK_SKEW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastsession.device_binding.device_cookies import Device

# An offer that was not taken by then is given up: browsers without the feature then carry nothing.
GIVEN_UP_AFTER: Final = CHALLENGE_LIFETIME + CLOCK_SKEW
# Sec-Fetch-Site of requests that pages of other hosts start: browsers ask for no proof then.
FROM_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})


def may_come_back(
    device: Device | None, headers: Iterable[tuple[bytes, bytes]], *, sent_late: bool, excluded: bool, now: float
) -> bool:
    """Whether the browser may have the key of the session that it sent no proof for.

    Then what the application keeps must not replace that session. Otherwise it must, or nobody could sign in
    whose login keeps something in the session on the way. A browser with the key asks for a proof before any request
    but those to excluded paths and those that other hosts' pages start, and says why it could not; one was
    `sent_late` that has the last proof, which ran out on the way. And it may be registering the key this moment.
    """
    found = dict(headers)
    elsewhere = found.get(b"sec-fetch-site", b"").decode("latin-1") in FROM_ELSEWHERE
    registers = device is not None and not device.key and now <= device.since + GIVEN_UP_AFTER
    return excluded or sent_late or elsewhere or registers or b"secure-session-skipped" in found
