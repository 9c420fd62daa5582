"""`python -m fastsession`: make a key, explain a cookie."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import timedelta

from fastsession.cookies import MAX_COOKIES, find_values
from fastsession.device_binding.device_cookies import DeviceCookies
from fastsession.device_binding.standing import pair_state, proof_state, why_unbound
from fastsession.errors import ConfigurationError, Rejected
from fastsession.keyring import KeyRing, accepted_secrets, generate_key
from fastsession.lifetime import DEFAULT_IDLE, Lifetime, Timeouts, as_datetime, standard_lifetime
from fastsession.payload.lines import split_payload
from fastsession.sealing.chunks import Chunks
from fastsession.sealing.token import Token, TokenSealer

DEFAULT_NAMES = ("__Host-app_session", "__Secure-app_session", "app_session")
VALID, REJECTED, MISUSED = 0, 1, 2
# What a session cookie's name becomes for the two cookies of its device.
_OF_DEVICE = re.compile(r"(__[A-Za-z-]*?-)?(?:device|bound)-(.+)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, 1 for a rejected cookie, or 2 for a mistake in the call."""
    options = _parser().parse_args(arguments)
    if options.command == "keygen":
        print(generate_key())
        return VALID
    try:
        return _inspect(options)
    except ConfigurationError as error:
        print(f"fastsession: {error}", file=sys.stderr)
        return MISUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fastsession", description="Encrypted, typed sessions.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("keygen", help="print a fresh secret for SESSION_SECRET")
    inspect = commands.add_parser(
        "inspect",
        help="explain a cookie",
        description="Explain a cookie. Secrets: SESSION_SECRET, and SESSION_SECRET_FALLBACKS separated by commas.",
    )
    inspect.add_argument("cookie", metavar="COOKIE", help="a cookie's value, NAME=VALUE, or a whole Cookie header")
    inspect.add_argument(
        "--name",
        help="the session cookie's name; it also leads to the two cookies of the device that the session is bound to "
        f"(default: the one of {', '.join(DEFAULT_NAMES)} that fits)",
    )
    inspect.add_argument("--audience", default="", help="the middleware's audience=")
    inspect.add_argument(
        "--idle", type=int, default=DEFAULT_IDLE, metavar="SECONDS", help="idle timeout (default: 1800)"
    )
    inspect.add_argument(
        "--absolute", type=int, default=43200, metavar="SECONDS", help="absolute timeout (default: 43200)"
    )
    inspect.add_argument(
        "--proof", type=int, default=600, metavar="SECONDS", help="lifetime of the DeviceBinding (default: 600)"
    )
    inspect.add_argument("--reveal", action="store_true", help="show what the session holds")
    return parser


def _inspect(options: argparse.Namespace) -> int:
    fallbacks = [part.strip() for part in os.environ.get("SESSION_SECRET_FALLBACKS", "").split(",") if part.strip()]
    keys = KeyRing(accepted_secrets(os.environ.get("SESSION_SECRET", ""), fallbacks))
    name, header = _named(options.cookie, options.name)
    chunks = Chunks(name, MAX_COOKIES)
    _show("cookie", name)
    beside = None if options.name else _OF_DEVICE.fullmatch(name)
    if beside:
        _show("status", f"a cookie of the device: give {beside[1] or ''}{beside[2]} as well, or its name with --name")
        return REJECTED
    try:
        values = find_values(header.encode(), name.encode())
        if not values:
            _show("status", "absent: no cookie of this name")
            return REJECTED
        text = values[0] if "." not in values[0] else chunks.join(values[0], header.encode())
        _show("size", f"{len(text)} bytes of {chunks.capacity} in at most {MAX_COOKIES} cookies")
        token = TokenSealer(keys, cookie_name=name, audience=options.audience).open(text)
    except Rejected as rejected:
        _show("status", f"{rejected.status}: {rejected.detail}")
        return REJECTED
    now = time.time()
    unbound, lines = "", dict[str, str]()
    if token.pair:
        cookies = DeviceCookies(keys, cookie_name=name, audience=options.audience, proof_lifetime=options.proof)
        lines, unbound = _device(token.pair, header.encode(), cookies, now, proof_lifetime=options.proof)
    valid = _explain(token, standard_lifetime(options.idle, options.absolute), keys, now, unbound=unbound)
    for label, text in lines.items():
        _show(label, text)
    if options.reveal:
        for line in filter(None, split_payload(token.payload)):
            print(json.dumps(json.loads(line), indent=2, ensure_ascii=False))
    return VALID if valid else REJECTED


def _named(cookie: str, name: str | None) -> tuple[str, str]:
    """The cookie's name, and a Cookie header that holds it."""
    given = [part.partition("=")[0].strip() for part in cookie.split(";") if "=" in part]
    if not given:
        return name or DEFAULT_NAMES[0], f"{name or DEFAULT_NAMES[0]}={cookie.strip()}"
    known = (candidate for candidate in DEFAULT_NAMES if candidate in given)
    others = (candidate for candidate in given if not _OF_DEVICE.fullmatch(candidate))
    return name or next(known, None) or next(others, given[0]), cookie


def _device(
    pair: bytes, header: bytes, cookies: DeviceCookies, now: float, *, proof_lifetime: int
) -> tuple[dict[str, str], str]:
    """What to print of the device of a session with this pair, and why the session is not believed, if so."""
    try:
        device = cookies.find(header, pair)
    except Rejected as rejected:
        advice = f"{cookies.device_name} of its pair is needed: give the whole Cookie header"
        return {"device": advice}, f"{rejected.status}: {rejected.detail}"
    lines = {
        "device": f"{pair_state(device, now)} ({cookies.device_name})",
        "proof": f"{proof_state(device, now, proof_lifetime=proof_lifetime)} ({cookies.bound_name})",
    }
    return lines, why_unbound(device, now, proof_lifetime=proof_lifetime)


def _explain(token: Token, lifetime: Lifetime, keys: KeyRing, now: float, *, unbound: str) -> bool:
    """Print what an authentic token tells; return whether it is valid."""
    reason = Timeouts(lifetime).rejection(token.created_at, token.renewed_at, token.remembered, now) or unbound
    _show("status", str(reason or "valid"))
    _show("format", "fastsession v1, XAES-256-GCM")
    _show("key", "fallback: re-sealed at the next response" if token.stale else "current")
    _show("session", keys.primary.handle(token.id))
    _show("created", _when(token.created_at, now))
    _show("signed in", _when(token.authenticated_at, now) if token.authenticated_at else "never (no regenerate())")
    _show("renewed", _when(token.renewed_at, now))
    _show("idle", _when(token.renewed_at + lifetime.idle, now))
    _show("absolute", _when(token.created_at + lifetime.absolute, now))
    _show("remembered", "yes" if token.remembered else "no")
    _show("bound", "yes" if token.binding else "no")
    model, extras = split_payload(token.payload)
    _show("contents", f"{len(model)} bytes of model, {len(extras)} bytes of extras")
    return not reason


def _when(timestamp: int, now: float) -> str:
    distance = timedelta(seconds=abs(int(timestamp - now)))
    return (
        f"{as_datetime(timestamp):%Y-%m-%d %H:%M:%S} UTC, {f'in {distance}' if timestamp > now else f'{distance} ago'}"
    )


def _show(label: str, text: str) -> None:
    print(f"{label:>11}  {text}")


if __name__ == "__main__":
    sys.exit(main())
