"""Cookies that are rejected, for every reason that an attacker who knows no key can bring about."""

import base64
import os
import random
import time

from starlette.applications import Starlette

from fastsession import SessionMiddleware, generate_key
from fastsession.testing import Clock, sealed_cookies
from tests.shop import COOKIE, DAY, ShopSession

EACH = 200


def cookies(secret, valid):
    """As many Cookie headers of each kind, mixed; `valid` is the value of a cookie that is not rejected."""
    kinds = [_noise, _truncated, _tampered, _of_another_key, _too_long, _half_of_a_session]
    made = [f"{COOKIE}={kind(valid)}" for kind in kinds for _ in range(EACH)]
    made += [f"{COOKIE}={_expired(secret)}" for _ in range(EACH)]
    random.Random(9).shuffle(made)
    return made


def _noise(valid):
    return base64.urlsafe_b64encode(os.urandom(150)).decode()


def _truncated(valid):
    return valid[: random.randrange(len(valid))]


def _tampered(valid):
    """Right in all but one character behind the clear header: it costs a whole decryption."""
    place = random.randrange(12, len(valid) - 1)
    return valid[:place] + ("A" if valid[place] != "A" else "B") + valid[place + 1 :]


def _of_another_key(valid):
    return _sealed(generate_key(), time.time())


def _expired(secret):
    """Sent long ago by a browser that keeps it."""
    return _sealed(secret, time.time() - 7 * DAY)


def _too_long(valid):
    return "A" * 13_000


def _half_of_a_session(valid):
    return f"2.{valid[-8:]}.{valid}"


def _sealed(secret, now):
    app = Starlette()
    app.add_middleware(SessionMiddleware, model=ShopSession, secret_key=secret, clock=Clock(now))
    return sealed_cookies(app, ShopSession(user_id=42))[COOKIE]
