"""Why a budget is missed: docs/performance.md says it beside each miss.

The figures come from a profile of the served path (instructions and misses of the first-level caches, counted by
callgrind for FastAPI applications that serve 64 visitors in turn), not from a hot loop.
"""

import re

# By a pattern for the kind of a verdict; the first that fits counts.
EXPLANATIONS = {
    r"end to end /untouched": (
        "A middleware that only passes on takes 4,000 instructions more than the application's own 355,000, ours "
        "30,000: 12,000 to find the cookie and look at its age, the rest for the objects that a route may ask for. They "
        "are spread over code that a server has not in its caches: 1,100 misses of the first-level caches for "
        "instructions and 800 for data, about half of the time."
    ),
    r"end to end /write": (
        "A write takes a tenth fewer instructions than with Starlette's middleware, but a tenth more misses of the "
        "first-level caches for instructions and a third more for data, because it runs more different code. What Starlette's does not do: loading the session "
        "that came once more, to see that it was changed and not only written otherwise (26,000 of 300,000 "
        "instructions), loading what is sealed to show that it opens (18,000), looking for a late change (11,000)."
    ),
    r"end to end /read": (
        "A read takes a seventh fewer instructions than with Starlette's middleware, but a quarter more misses of the "
        "first-level caches for data: decrypting, validating and dumping are three libraries. A cookie that came before "
        "skips the first two."
    ),
    r"memory of cookies": "It writes to memory what this run asks for too seldom, or the difference is within the noise.",
    r".*of the floor": (
        "The floor is a straight line: it knows one cookie, one key and no rejection, makes no session for "
        "`request.session` and no record of what was asked for. Sessions of 3 KB lie in two cookies, which are looked "
        "for and joined."
    ),
    r".*of Starlette \+ model_validate": (
        "Two dumps find what changed, nested and late; pydantic's reading and writing of JSON is most of a large "
        "session's time, and Starlette's writes nothing for a read."
    ),
    r"RedisStore": (
        "FastSession's record is encrypted, and a script replaces the version that was read, so parallel writes lose "
        "nothing. starsessions overwrites the value."
    ),
    r".*of Starlette ": (
        "Of a read's time a quarter is the cipher, base64 and pydantic, which the floor takes too; the rest is 17 calls "
        "of Python and what stands between them, for a write 43. The budget is what a prototype took without "
        "rejections, events, revocations and late changes."
    ),
    r"(expired|forged|garbage) of": (
        "A rejected cookie gets a new model, and pydantic copies each default that is a list with Python's `deepcopy`. "
        "The process also checks whether it has reported that cookie before."
    ),
    r"hostile": (
        "Four tokens of 1.5 KB each are decoded and decrypted before they are known to be forged: a planted cookie must "
        "not hide the good one."
    ),
    r"MemoryStore|round trips": "The record is fetched only when the session is used or its renewal is due.",
}


def explanation(kind: str) -> str | None:
    """Why the budgets of this kind are missed."""
    return next((text for pattern, text in EXPLANATIONS.items() if re.match(pattern, kind)), None)
