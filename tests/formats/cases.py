"""The formats under the contract: a new one is a file of vectors, its options in vector.py, and one line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fastsession import SessionStatus
from fastsession.formats.encoding import encode_base64url
from tests.formats.vector import Vector, vector


def exact(value: str) -> str:
    return value


def percent_escaped(value: str) -> str:
    return unquote(value)


def quoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def quoted_or_percent_escaped(value: str) -> str:
    return unquote(quoted(value))


def percent_escaped_or_with_another_suffix(value: str) -> str:
    return unquote(value).partition("~")[0]


@dataclass(frozen=True)
class Case:
    """A format with the vectors whose cookies stand for it.

    `spelling` says which other spellings of a value are read alike: values that it maps to one text.
    `names_keys`: a cookie tells which key it needs, so that one of another secret is of an unknown key.
    """

    name: str
    ids: tuple[str, ...]
    two_way: bool = False
    spelling: Callable[[str], str] = exact
    holds_time: bool = True
    names_keys: bool = False

    @property
    def vector(self) -> Vector:
        return vector(self.ids[0])

    @property
    def is_variant(self) -> bool:
        """Whether another case has the same reader in its usual configuration."""
        return "," in self.name

    @property
    def originals(self) -> list[dict[str, str]]:
        """The cookies of every vector, which one reader reads."""
        return [vector(name).cookies for name in self.ids]

    @cached_property
    def reader(self) -> Any:
        stores = [vector(name).options().get("store") for name in self.ids]
        return self.vector.reader(**({"store": {**stores[0], **stores[-1]}} if stores[0] else {}))

    @property
    def now(self) -> float:
        return self.vector.now

    @property
    def cookies(self) -> dict[str, str]:
        return self.vector.cookies

    @property
    def own_names(self) -> set[str]:
        return set(self.cookies)

    def with_another_secret(self) -> Any:
        """The same reader, but for its secrets."""
        return self.vector.reader(
            **{name: _another(value) for name, value in self.vector.options().items() if name in _SECRET_OPTIONS}
        )

    @property
    def status_under_another_secret(self) -> SessionStatus:
        return SessionStatus.UNKNOWN_KEY if self.names_keys else SessionStatus.FORGED


_SECRET_OPTIONS = {"password", "secret", "secret_key", "encryption_key", "signature_key", "keys", "key", "jwks"}


def _another(secret: Any) -> Any:
    if isinstance(secret, Mapping) and "keys" in secret:
        public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        return {"keys": [{**key, "x": encode_base64url(public)} for key in secret["keys"]]}
    if isinstance(secret, str):
        return "another" + secret[7:] + "." * max(0, 33 - len(secret))
    if isinstance(secret, bytes):
        return bytes(byte ^ 1 for byte in secret)
    if isinstance(secret, Mapping):
        return {name: _another(value) for name, value in secret.items()}
    return [_another(value) for value in secret]


CASES = [
    Case("IronSession", ("iron-session/A02", "iron-session/A01"), True, percent_escaped_or_with_another_suffix),
    Case("IronSession, chunks", ("iron-session/A43",), True, percent_escaped_or_with_another_suffix),
    Case("Iron", ("hapi-iron/A02", "hapi-iron/A01"), True),
    Case("Iron, aes-128-ctr", ("hapi-iron/A26",), True, holds_time=False),
    Case("Iron, bytes", ("hapi-iron/A17",), True, holds_time=False),
    Case("Iron, two passwords", ("hapi-iron/A19",), True, holds_time=False),
    Case("Yar", ("hapi-yar/A02", "hapi-yar/A07"), True, holds_time=False),
    Case("ClientSessions", ("client-sessions/A02", "client-sessions/A01"), True),
    Case("ClientSessions, aes192, sha384-drop192", ("client-sessions/A18",), True),
    Case("H3Session", ("h3-session/A02", "h3-session/A01"), True, percent_escaped),
    Case("H3Session, chunks", ("h3-session/A65",), True, percent_escaped),
    Case("NuxtSession", ("h3-session/A08", "h3-session/A07"), True, percent_escaped),
    Case("NextAuthSession", ("next-auth/A02", "next-auth/A01")),
    Case("NextAuthSession, chunks", ("next-auth/A69",)),
    Case("AuthjsSession", ("authjs/A02", "authjs/A01"), names_keys=True),
    Case("AuthjsSession, A256GCM", ("authjs/A12",), names_keys=True),
    Case("AuthjsSession, chunks", ("authjs/A77",), names_keys=True),
    Case("BetterAuthSession", ("better-auth-token/A02", "better-auth-token/A01"), spelling=percent_escaped),
    Case("BetterAuthCache", ("better-auth-cache/A02", "better-auth-cache/A01")),
    Case("BetterAuthCache, beside its token", ("better-auth-cache/A09",), spelling=percent_escaped),
    Case("BetterAuthCache, jwt", ("better-auth-cache/A50", "better-auth-cache/A49")),
    Case("BetterAuthCache, jwe", ("better-auth-cache/A90", "better-auth-cache/A89"), names_keys=True),
    Case("BetterAuthCache, jwks", ("better-auth-cache/A150",)),
    Case("BetterAuthCache, chunks", ("better-auth-cache/A28",)),
    Case("HonoSession", ("hono-session/A02", "hono-session/A01")),
    Case("HonoSessions", ("hono-sessions/A02", "hono-sessions/A01"), spelling=percent_escaped),
    Case("StarletteSession", ("starlette/A02", "starlette/A01"), spelling=quoted),
    Case("FlaskSession", ("flask/A02", "flask/A01")),
    Case("LitestarSession", ("litestar/A02", "litestar/A01"), spelling=quoted_or_percent_escaped),
    Case("LitestarSession, chunks", ("litestar/A13",), spelling=quoted_or_percent_escaped),
    Case("CookieSession", ("cookie-session/A02", "cookie-session/A01"), holds_time=False),
    Case(
        "FastifySecureSession", ("fastify-secure-session/A02", "fastify-secure-session/A01"), spelling=percent_escaped
    ),
    Case("FastifySecureSession, signed", ("fastify-secure-session/A36",), spelling=percent_escaped),
    Case("ExpressSession", ("express-session/A01", "express-session/A13"), spelling=quoted_or_percent_escaped),
]
