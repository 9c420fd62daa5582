"""Why a budget is missed: docs/performance.md says it beside each miss.

The figures come from a profile of the served path (instructions and misses of the first-level caches, counted by
callgrind for FastAPI applications that serve 64 visitors in turn), not from a hot loop.
"""

import re

# By a pattern for the kind of a verdict; the first that fits counts.
EXPLANATIONS = {
    r"end to end /untouched": (
        "**Untouched, end to end.** An empty middleware adds 4,000 instructions to the application's 355,000. FastSession "
        "adds 30,000: 12,000 find the cookie and check its age, the others prepare what a route may use. Cache misses "
        "take about half of the time."
    ),
    r"end to end /write": (
        "**Writes, end to end.** A write takes a tenth fewer instructions than with Starlette's middleware, but more cache "
        "misses: a tenth more for instructions, a third more for data. Starlette's does not check whether the data has "
        "really changed (26,000 of 300,000 instructions), whether the sealed session loads (18,000), and whether a "
        "change came late (11,000)."
    ),
    r"end to end /read": (
        "**Reads, end to end.** A read takes a seventh fewer instructions than with Starlette's middleware, but a quarter "
        "more cache misses for data: decrypting, validating and dumping are three libraries. A remembered cookie skips "
        "the first two."
    ),
    r"memory of cookies": (
        "**The memory of cookies.** It remembers what this run asks for too seldom, or the difference is within the noise."
    ),
    r".*of the floor": (
        "**Against the floor.** The floor knows one cookie, one key and no rejection, and prepares nothing for "
        "`request.session`. Sessions of 3 KB are in two cookies, which have to be found and joined."
    ),
    r".*of Starlette \+ model_validate": (
        "**Against Starlette + model_validate.** Two dumps find nested and late changes. In a large session pydantic's "
        "JSON takes most of the time, and Starlette's writes none for a read."
    ),
    r"RedisStore": (
        "**RedisStore.** FastSession encrypts the record, and its script loses no parallel write. starsessions overwrites "
        "the value."
    ),
    r".*of Starlette ": (
        "**Against Starlette, in process.** The cipher, base64 and pydantic take a quarter of a read; the rest is 17 "
        "Python calls (43 for a write). The budget comes from a prototype without rejections, events, revocations and "
        "late changes."
    ),
    r"(expired|forged|garbage) of": (
        "**Rejections.** A rejected cookie gets a new model, and pydantic copies each default that is a list with Python's "
        "`deepcopy`. The process also checks whether it has reported that cookie before."
    ),
    r"hostile": (
        "**Hostile cookies.** Four tokens of 1.5 KB each are decrypted before they prove forged, so that a planted cookie "
        "cannot hide the good one."
    ),
    r"MemoryStore|round trips": (
        "**Stores.** The record is fetched only when the session is used or its renewal is due."
    ),
}


def explanation(kind: str) -> str | None:
    """Why the budgets of this kind are missed."""
    return next((text for pattern, text in EXPLANATIONS.items() if re.match(pattern, kind)), None)
