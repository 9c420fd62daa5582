"""The budgets, as data. The run measures each and fails when one is missed or could not be measured."""

from typing import NamedTuple

FIRST_SIGHT = ", first sight"


class Ratio(NamedTuple):
    """CPU time that FastSession adds, of what the reference adds in the same scenario, at most."""

    scenario: str
    size: str
    reference: str
    most: float


class SealRatio(NamedTuple):
    """Time of FastSession's sealing or opening, of the package's, at most."""

    deed: str
    size: str
    package: str
    most: float


class Extra(NamedTuple):
    """Microseconds that the one takes more than the other, at most."""

    scenario: str
    contender: str
    than_scenario: str
    than_contender: str
    most: float


class Share(NamedTuple):
    """Of the bare application's requests per second of server CPU, at least."""

    path: str
    least: float


# A cookie that was opened before is remembered; the same budget holds for one that never was.
RATIOS = [
    Ratio("no cookie", "120 B", "Starlette", 0.33),
    Ratio("untouched", "120 B", "Starlette", 0.15),
    Ratio("untouched", "1 KB", "Starlette", 0.10),
    Ratio("untouched", "3 KB", "Starlette", 0.06),
    *[
        ratio
        for seen in ("", FIRST_SIGHT)
        for ratio in (
            Ratio(f"read{seen}", "120 B", "Starlette", 0.33),
            Ratio(f"read{seen}", "1 KB", "Starlette", 0.58),
            Ratio(f"read{seen}", "3 KB", "Starlette", 0.75),
            Ratio(f"nested write{seen}", "120 B", "Starlette", 0.28),
            Ratio(f"nested write{seen}", "1 KB", "Starlette", 0.38),
            Ratio(f"nested write{seen}", "3 KB", "Starlette", 0.42),
            Ratio(f"read{seen}", "120 B", "Starlette + model_validate", 0.30),
            Ratio(f"read{seen}", "1 KB", "Starlette + model_validate", 0.50),
            # The floor opens every cookie anew.
            Ratio(f"read{seen}", "120 B", "the floor", 1.4),
            Ratio(f"read{seen}", "3 KB", "the floor", 1.2),
            Ratio(f"nested write{seen}", "120 B", "the floor", 1.5),
            Ratio(f"nested write{seen}", "3 KB", "the floor", 1.2),
        )
    ],
    Ratio("top-level write", "120 B", "Starlette", 0.28),
    Ratio("expired", "120 B", "Starlette", 0.45),
    Ratio("forged", "120 B", "Starlette", 0.45),
    Ratio("garbage", "120 B", "Starlette", 0.60),
]
SEALS = [
    SealRatio(deed, "120 B", package, most)
    for package, most in (("client-sessions", 0.20), ("@fastify/secure-session", 1.0))
    for deed in ("seal", "open")
]
EXTRAS = [
    *[
        Extra(f"{deed} among 60 others", "FastSession", f"{deed} among 0 others", "FastSession", 1.5)
        for deed in ("untouched", "read")
    ],
    # Trial of one key after another costs 20 µs and more with 16.
    *[
        Extra(scenario, "FastSession, keys: 16", scenario, "FastSession, keys: 1", 1.0)
        for scenario in (f"read{FIRST_SIGHT}", "forged")
    ],
    Extra("fallback key", "FastSession, keys: 16", "fallback key", "FastSession, keys: 4", 1.0),
]
SHARES = [Share("/untouched", 0.95), Share("/read", 0.80), Share("/write", 0.80)]
# Objects a request that wait for the cycle collector; memory blocks a request that stay for good.
MOST_CYCLES = 0.0
MOST_GROWTH = 0.001
