"""What each rejection costs: `python -m tests.measure_rejections`, for the paragraph in docs/security.md."""

import asyncio
import itertools
import logging
import os
from pathlib import Path
from typing import Any

from starlette.requests import Request

from fastsession import SessionMiddleware, generate_key
from fastsession.sealing.token import decode, encode
from fastsession.testing import Clock, sealed_cookies
from tests.benchmarks.asgi import application, discard, http_scope, receive, request_headers
from tests.benchmarks.timing import Task, interleaved, spread
from tests.shop import COOKIE, IDLE, START, ShopSession

# More than the middleware remembers, so that each comes as if for the first time.
MANY = 3_000
ROUNDS, SECONDS = 60, 120
SECRET = generate_key()
FIRST, AGAIN = "first", "again"


async def look(request: Request) -> bytes:
    return str(len(request.session)).encode()


def middleware(**options: Any) -> SessionMiddleware:
    return SessionMiddleware(
        application(look), model=ShopSession, **{"secret_key": SECRET, "clock": Clock(START + 1), **options}
    )


def cookies(count: int, **options: Any) -> list[str]:
    sealing = middleware(**{"clock": Clock(START), **options})
    return [sealed_cookies(sealing, ShopSession(user_id=42, cart=["tea"]))[COOKIE] for _ in range(count)]


def with_another_tag(value: str) -> str:
    raw = decode(value)
    return encode(raw[:-1] + bytes([raw[-1] ^ 1]))


def with_another_nonce(value: str) -> str:
    raw = decode(value)
    return encode(raw[:9] + os.urandom(12) + raw[21:])


def arrivals(count: int) -> dict[str, tuple[SessionMiddleware, list[str]]]:
    """For each kind of cookie who receives it, and so many of them."""
    good, plain = cookies(count), middleware()
    return {
        "malformed": (plain, [f"{value[:-1]}*" for value in good]),
        "unknown_key": (plain, cookies(count, secret_key=generate_key())),
        "forged (tag)": (plain, [with_another_tag(value) for value in good]),
        "forged (nonce)": (plain, [with_another_nonce(value) for value in good]),
        "expired_idle": (middleware(clock=Clock(START + IDLE)), good),
        "expired_absolute": (middleware(clock=Clock(START + 60), absolute_timeout=60), good),
        "future": (middleware(clock=Clock(START - 31)), good),
        "revoked": (middleware(not_before=START + 1), good),
        "binding": (middleware(binding=lambda _: b"another tenant"), good),
        "valid": (plain, good),
    }


def task(name: str, presented: str, app: Any, values: list[str]) -> Task:
    turn = itertools.cycle([request_headers(f"{COOKIE}={value}") for value in values])

    async def again(count: int) -> None:
        for headers in itertools.islice(turn, count):
            await app(http_scope(headers), receive, discard)

    return Task((name, presented, ""), again)


def tasks() -> list[Task]:
    """Every kind of cookie, new ones each time and one again and again; and one with its line in the log."""
    made = [task("absent", FIRST, middleware(session_cookie="another"), ["x"])]
    for presented, count in ((FIRST, MANY), (AGAIN, 1)):
        made += [task(name, presented, app, values) for name, (app, values) in arrivals(count).items()]
    # With a new second each time, each rejection is among the first ten of its second, and logged.
    seconds = itertools.count(START)
    forged = [with_another_tag(value) for value in cookies(MANY)]
    return [*made, task("forged (tag), logged", FIRST, middleware(clock=lambda: next(seconds)), forged)]


def main() -> None:
    # A line costs what a handler makes of it; this one formats it and throws it away.
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        logging.getLogger("fastsession").addHandler(logging.StreamHandler(nowhere))
        logging.getLogger("fastsession").propagate = False
        found = asyncio.run(interleaved(tasks(), rounds=ROUNDS, seconds=SECONDS))
    print("| Status | presented | µs, median (quarters) |\n|---|---|---:|")
    for (name, presented, _), [samples] in found.items():
        median, low, high = spread([sample.cpu for sample in samples])
        print(f"| {name} | {presented} | {median:.1f} ({low:.1f} to {high:.1f}) |")


if __name__ == "__main__":
    main()
