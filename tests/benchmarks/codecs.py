"""Sealing and opening alone: from session to cookie value and back, without a request around it."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import django
from django.conf import settings
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from fastsession import generate_key
from fastsession.keyring import KeyRing, accepted_secrets
from fastsession.payload.codec import PayloadCodec
from fastsession.sealing.token import Token, TokenSealer
from tests.benchmarks.cases import Key, WrongAnswerError
from tests.benchmarks.payloads import SIZES, ShopSession, contents
from tests.benchmarks.timing import Task, calls

OURS, SEAL, OPEN = "FastSession, sealing alone", "seal", "open"


class Codec(NamedTuple):
    """`seal` makes a cookie value of what `session` makes of the data; `open` returns its user id."""

    name: str
    session: Callable[[dict[str, Any]], Any]
    seal: Callable[[Any], str]
    open: Callable[[str], int]


def product() -> Codec:
    """Model to cookie value, shown to load again, and cookie value to model; no memory of cookies."""
    sealer = TokenSealer(KeyRing(accepted_secrets(generate_key(), [])), cookie_name="__Host-app_session")
    payloads = PayloadCodec(ShopSession)

    def seal(session: Any) -> str:
        now = int(time.time())
        payload = payloads.dump(session, {})
        payloads.verify(session, {}, payload)
        return sealer.seal(Token(bytes(16), now, now, now, False, payload), now=now)

    def read(cookie: str) -> int:
        session: Any = payloads.load(sealer.open(cookie).payload)[0]
        return session.user_id

    return Codec(OURS, ShopSession.model_validate, seal, read)


def flask() -> Codec:
    app = Flask("bench")
    app.secret_key = generate_key()
    interface = SecureCookieSessionInterface()
    max_age = int(app.permanent_session_lifetime.total_seconds())

    def seal(session: Any) -> str:
        cookie = _some(interface.get_signing_serializer(app)).dumps(session)
        return str(cookie)

    def read(cookie: str) -> int:
        session = _some(interface.get_signing_serializer(app)).loads(cookie, max_age=max_age)
        return session["user_id"]

    return Codec("Flask", dict, seal, read)


def django_signed_cookies() -> Codec:
    if not settings.configured:
        settings.configure(SECRET_KEY=generate_key(), USE_TZ=True)
        django.setup()
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    def seal(session: Any) -> str:
        store = SessionStore()
        store.update(session)
        store.save()
        return str(store.session_key)

    def read(cookie: str) -> int:
        return SessionStore(cookie)["user_id"]

    return Codec("Django signed_cookies", dict, seal, read)


def tasks() -> list[Task]:
    """Sealing and opening by each, at every size, after a session has made the way there and back."""
    found = []
    for codec in (product(), flask(), django_signed_cookies()):
        for size in SIZES:
            data = contents(size)
            session = codec.session(data)
            cookie = codec.seal(session)
            if codec.open(cookie) != data["user_id"]:
                message = f"{codec.name} does not open what it sealed"
                raise WrongAnswerError(message)
            found.append(calls(Key(codec.name, SEAL, size), lambda codec=codec, session=session: codec.seal(session)))
            found.append(calls(Key(codec.name, OPEN, size), lambda codec=codec, cookie=cookie: codec.open(cookie)))
    return found


def _some(value: Any) -> Any:
    if value is None:
        message = "Flask has no secret"
        raise WrongAnswerError(message)
    return value
