"""Constructor mistakes, each with what to do about it; and weak secrets, which other systems may have."""

import logging
import subprocess
import sys

import pytest

from fastsession import ConfigurationError
from fastsession.formats import (
    AuthjsSession,
    BetterAuthCache,
    BetterAuthSession,
    ClientSessions,
    CookieSession,
    ExpressSession,
    FastifySecureSession,
    FlaskSession,
    H3Session,
    Iron,
    IronSession,
    LitestarSession,
    NextAuthSession,
    RedisSessionReader,
    StarletteSession,
    Yar,
)

TEXT = "a secret of the other system, long enough"
KEY = bytes(range(32))
JWKS = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "EVg3WisEz-Wk8YKSHIHSoVLRkEpniz16a_WNlqmObBE"}]}

MISTAKES = {
    "iron-session ids are numbers": (lambda: IronSession(password={"new": TEXT}, cookie_name="s"), "whole numbers"),
    "iron-session has a password": (lambda: IronSession(password={}, cookie_name="s"), "whole numbers"),
    "iron-session lasts": (lambda: IronSession(password=TEXT, cookie_name="s", ttl=-1), "ttl takes"),
    "iron password is long": (lambda: Iron(password="x" * 31, cookie_name="s"), "at least 32"),
    "iron password is something": (lambda: Iron(password=None, cookie_name="s"), "string, bytes, a list"),
    "iron passwords are some": (lambda: Iron(password=[], cookie_name="s"), "is empty"),
    "iron password has no other parts": (lambda: Iron(password={"a": {"b": TEXT}}, cookie_name="s"), "'secret'"),
    "iron ids are words": (lambda: Iron(password={"a-b": TEXT}, cookie_name="s"), "underscores"),
    "iron bytes fit the cipher": (lambda: Iron(password=KEY[:31], cookie_name="s"), "32 bytes"),
    "iron bytes fit the MAC": (
        lambda: Iron(password=KEY[:16], cookie_name="s", encryption="aes-128-ctr"),
        "'integrity'",
    ),
    "iron cipher is known": (lambda: Iron(password=TEXT, cookie_name="s", encryption="rc4"), "aes-128-ctr"),
    "iron options are known": (lambda: Iron(password=TEXT, cookie_name="s", integrity={"salt": 1}), "salt_bits"),
    "iron iterations are few": (
        lambda: Iron(password=TEXT, cookie_name="s", integrity={"iterations": 10**9}),
        "iterations go from",
    ),
    "yar password is long": (lambda: Yar(password="short"), "at least 32"),
    "client-sessions has a secret": (ClientSessions, "secret, or both"),
    "client-sessions has both keys": (lambda: ClientSessions(encryption_key=KEY), "secret, or both"),
    "client-sessions keys are bytes": (lambda: ClientSessions(encryption_key="k", signature_key="s"), "are bytes"),
    "client-sessions keys differ": (lambda: ClientSessions(encryption_key=KEY, signature_key=KEY), "different"),
    "client-sessions key fits": (lambda: ClientSessions(secret=TEXT, encryption_algorithm="aes128"), "exactly 16"),
    "client-sessions MAC key fits": (lambda: ClientSessions(secret=TEXT, signature_algorithm="sha512"), "least 64"),
    "client-sessions cipher is known": (lambda: ClientSessions(secret=TEXT, encryption_algorithm="AES"), "aes192"),
    "client-sessions hash is known": (lambda: ClientSessions(secret=TEXT, signature_algorithm="md5"), "sha384"),
    "client-sessions lasts": (lambda: ClientSessions(secret=TEXT, duration=0), "duration takes"),
    "starlette secret is something": (lambda: StarletteSession(secret_key=""), "is empty"),
    "starlette secret is text": (lambda: StarletteSession(secret_key=42), "not int"),
    "starlette max_age is a time": (lambda: StarletteSession(secret_key=TEXT, max_age=True), "max_age takes"),
    "flask fallbacks are a list": (lambda: FlaskSession(secret_key=TEXT, fallbacks=TEXT), "write \\[secret\\]"),
    "litestar secret is a key": (lambda: LitestarSession(secret=KEY[:20]), "16, 24 or 32"),
    "cookie-session keys are a list": (lambda: CookieSession(keys=TEXT), "write \\[secret\\]"),
    "cookie-session keys are some": (lambda: CookieSession(keys=[]), "write \\[secret\\]"),
    "cookie-session hash is known": (lambda: CookieSession(keys=[TEXT], algorithm="md4"), "sha512"),
    "fastify has a key or a secret": (FastifySecureSession, "either key or secret"),
    "fastify has not both": (lambda: FastifySecureSession(key=KEY, secret=TEXT), "either key or secret"),
    "fastify key is a key": (lambda: FastifySecureSession(key=KEY[:31]), "32 bytes"),
    "fastify key is base64": (lambda: FastifySecureSession(key="no base64!"), "base64"),
    "fastify keys are some": (lambda: FastifySecureSession(key=[]), "empty list"),
    "fastify secret is long": (lambda: FastifySecureSession(secret="short"), "at least 32"),
    "fastify salt fits": (lambda: FastifySecureSession(secret=TEXT, salt="short"), "16 bytes"),
    "express store can be asked": (lambda: ExpressSession(secret=TEXT, store=None), "RedisSessionReader"),
    "next-auth secret is something": (lambda: NextAuthSession(secret=""), "is empty"),
    "authjs secrets are some": (lambda: AuthjsSession(secret=[]), "write \\[secret\\]"),
    "authjs secret is text": (lambda: AuthjsSession(secret=5), "not int"),
    "better-auth store can be asked": (lambda: BetterAuthSession(secret=TEXT, store=None), "get\\(token\\)"),
    "better-auth store answers in time": (lambda: BetterAuthSession(secret=TEXT, store={}, timeout=0), "timeout takes"),
    "better-auth cache has a secret": (BetterAuthCache, "secret=, or jwks="),
    "better-auth cache has not both": (lambda: BetterAuthCache(secret=TEXT, jwks=JWKS), "secret=, or jwks="),
    "better-auth strategy is known": (lambda: BetterAuthCache(secret=TEXT, strategy="paseto"), "'compact', 'jwt'"),
    "better-auth public keys are of jwt": (lambda: BetterAuthCache(jwks=JWKS, issuer="https://x"), "strategy='jwt'"),
    "better-auth issuer is known": (lambda: BetterAuthCache(jwks=JWKS, strategy="jwt"), "issuer="),
    "better-auth keys are some": (
        lambda: BetterAuthCache(jwks={"keys": []}, issuer="https://x", strategy="jwt"),
        "Ed25519",
    ),
    "better-auth keys are of Ed25519": (
        lambda: BetterAuthCache(jwks={"keys": [{"kty": "RSA", "kid": "k"}]}, issuer="https://x", strategy="jwt"),
        "Ed25519",
    ),
    "better-auth token is found by name": (
        lambda: BetterAuthCache(secret=TEXT, with_token=True, cookie_name="cache"),
        "session_data",
    ),
    "h3 version is known": (lambda: H3Session(password=TEXT, h3=3), "major version"),
    "h3 password is long": (lambda: H3Session(password="short"), "at least 32"),
    "h3 lasts": (lambda: H3Session(password=TEXT, max_age=-1), "max_age takes"),
    "nuxt idles": (lambda: H3Session(password=TEXT, idle_timeout=True), "idle_timeout takes"),
    "express redis is asynchronous": (lambda: RedisSessionReader(object()), "redis.asyncio"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_a_configuration_error_that_says_what_to_write(mistake):
    make, advice = MISTAKES[mistake]
    with pytest.raises(ConfigurationError, match=advice) as raised:
        make()
    assert TEXT not in str(raised.value)


def test_a_weak_secret_is_taken_with_one_warning_that_does_not_show_it(caplog):
    with caplog.at_level(logging.WARNING, "fastsession"):
        StarletteSession(secret_key="hunter2")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "StarletteSession" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    "make",
    [
        lambda secret: AuthjsSession(secret=["Zq8vN2xLr5tYw7pKd3mJf6hBs9cGa4eU", secret]),
        lambda secret: NextAuthSession(secret=secret),
        lambda secret: BetterAuthSession(secret=secret, store={}),
        lambda secret: BetterAuthCache(secret=secret),
        lambda secret: H3Session(password=secret),
    ],
)
def test_a_weak_secret_of_a_front_end_is_taken_with_a_warning(make, caplog):
    with caplog.at_level(logging.WARNING, "fastsession"):
        make("change-me-change-me-change-me-change-me")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "change-me" not in caplog.text


def test_a_strong_secret_is_taken_without_a_word(caplog):
    StarletteSession(secret_key="Zq8vN2xLr5tYw7pKd3mJf6hBs9cGa4eU")
    assert not caplog.records


@pytest.mark.parametrize(
    ("module", "make", "advice"),
    [
        ("nacl", "FastifySecureSession(key=bytes(32))", "fastsession-sealed[fastify]"),
        ("redis", "RedisSessionReader('redis://127.0.0.1')", "fastsession-sealed[redis]"),
    ],
)
def test_a_missing_extra_is_named_when_it_is_needed_and_not_before(module, make, advice):
    script = f"""
import sys
sys.modules[{module!r}] = None
from fastsession.formats import *
try:
    {make}
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert advice in done.stdout


def test_passwords_of_iron_may_be_given_in_every_form_of_hapis():
    forms = [
        TEXT,
        KEY,
        [TEXT, KEY],
        {"id": "a", "secret": TEXT},
        {"id": "a", "encryption": TEXT, "integrity": KEY},
        {"a": TEXT, "b": KEY, "c": {"secret": TEXT}, "d": {"encryption": KEY, "integrity": TEXT}},
    ]
    for password in forms:
        assert Iron(password=password, cookie_name="s").secrets


def test_a_password_that_is_no_text_and_no_mapping_is_refused():
    with pytest.raises(ConfigurationError, match="password takes a string"):
        IronSession(cookie_name="s", password=42)
