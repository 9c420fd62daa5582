"""Why a budget is missed: docs/performance.md says it below the budgets.

The figures come from a profile of the served path (instructions and misses of the first-level caches, counted by
callgrind for FastAPI applications that serve 64 visitors in turn), not from a hot loop.
"""

import re

# By a pattern for the kind of a verdict; the first that fits counts.
EXPLANATIONS = {
    r"end to end /untouched": (
        "**Untouched, end to end.** An empty middleware adds 4,000 instructions to the application's 355,000, FastSession "
        "30,000: 12,000 check the cookie's age, the others prepare what a route may use. Half of the time is cache misses."
    ),
    r"end to end /write": (
        "**Writes, end to end.** Only FastSession checks whether the data has really changed (26,000 of 300,000 "
        "instructions), whether the sealed session loads (18,000), and whether a change came late (11,000)."
    ),
    r"end to end /read": (
        "**Reads, end to end.** A read takes fewer instructions than with Starlette's middleware but more cache misses, "
        "because decrypting, validating and dumping are three libraries."
    ),
    r"memory of cookies": (
        "**The memory of cookies.** It remembers what this run asks for too seldom, or the difference is within the noise."
    ),
    r".*of the floor": (
        "**Against the floor.** The floor knows one cookie, one key and no rejection, and prepares nothing for "
        "`request.session`."
    ),
    r".*of Starlette \+ model_validate": (
        "**Against Starlette + model_validate.** Two dumps find nested and late changes. Starlette's writes no JSON for a "
        "read."
    ),
    r"RedisStore": (
        "**RedisStore.** FastSession encrypts the record, and its script loses no parallel write. starsessions overwrites "
        "the value."
    ),
    r".*of Starlette ": (
        "**Against Starlette, in process.** The budget comes from a prototype without rejections, events, revocations and "
        "late changes."
    ),
    r"(expired|forged|garbage) of": (
        "**Rejections.** A rejected cookie gets a new model, and pydantic copies its lists with Python's `deepcopy`."
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
