"""The vectors that the real packages made under a fake clock, and the readers that their options describe."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

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
    HonoSession,
    HonoSessions,
    Iron,
    IronSession,
    LitestarSession,
    NextAuthSession,
    NuxtSession,
    StarletteSession,
    Yar,
)

FOLDER = Path(__file__).parent / "vectors"


@dataclass(frozen=True)
class Vector:
    fields: dict[str, Any]

    @property
    def id(self) -> str:
        return self.fields["id"]

    @property
    def file(self) -> str:
        return self.id.partition("/")[0]

    @property
    def now(self) -> float:
        # @hapi/iron's localtimeOffsetMsec moves the reader's clock.
        return self.fields["now"] + self.fields["options"].get("localtimeOffsetMsec", 0) / 1000

    @property
    def expected(self) -> dict[str, Any]:
        return self.fields["expected"]

    @property
    def cookies(self) -> dict[str, str]:
        """Raw names and values, as the header has them."""
        if "cookie_header" not in self.fields:
            return {self.fields["cookie_name"]: self.fields["cookie_value"]}
        pairs = (pair.strip().partition("=") for pair in self.fields["cookie_header"].split(";"))
        return {name: value for name, _, value in pairs if name}

    def options(self) -> dict[str, Any]:
        return _OPTIONS[self.file](self.fields)

    def reader(self, **changed: Any) -> Any:
        return (NuxtSession if self.fields.get("nuxt") else READERS[self.file])(**{**self.options(), **changed})


@cache
def vectors(file: str) -> list[Vector]:
    return [Vector(fields) for fields in json.loads((FOLDER / f"{file}.json").read_text())["vectors"]]


def vector(id: str) -> Vector:
    return next(found for found in vectors(id.partition("/")[0]) if found.id == id)


def normal(value: Any) -> Any:
    """Data in the vectors' notation: numbers as JavaScript's doubles, Python's types under a $ name."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dict):
        # A string, which is what we make of Flask's Markup.
        return normal(value["$markup"]) if "$markup" in value else {key: normal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    return normal(_notation(value))


def _notation(value: Any) -> dict[str, Any]:
    match value:
        case tuple():
            return {"$tuple": list(value)}
        case bytes():
            return {"$bytes_b64": b64encode(value).decode()}
        case UUID():
            return {"$uuid": str(value)}
        case datetime():
            return {"$datetime_ts": value.timestamp()}
    raise AssertionError(type(value))


READERS: dict[str, Callable[..., Any]] = {
    "authjs": AuthjsSession,
    "better-auth-cache": BetterAuthCache,
    "better-auth-token": BetterAuthSession,
    "client-sessions": ClientSessions,
    "cookie-session": CookieSession,
    "express-session": ExpressSession,
    "fastify-secure-session": FastifySecureSession,
    "flask": FlaskSession,
    "h3-session": H3Session,
    "hapi-iron": Iron,
    "hapi-yar": Yar,
    "hono-session": HonoSession,
    "hono-sessions": HonoSessions,
    "iron-session": IronSession,
    "litestar": LitestarSession,
    "next-auth": NextAuthSession,
    "starlette": StarletteSession,
}


def _secret_and_name(vector):
    return {"secret": vector["options"]["secret"], "cookie_name": vector["cookie_name"]}


def better_auth_store(tables):
    """The rows of a vector's database by their token, as a dict that BetterAuthSession asks."""
    users = {user["id"]: user for user in tables["user"]}
    return {row["token"]: {"session": row, "user": users.get(row["userId"])} for row in tables["session"]}


def _better_auth_token(vector):
    return {**_secret_and_name(vector), "store": better_auth_store(vector["store"])}


def _better_auth_cache(vector):
    options = vector["options"]
    given = {name: options[name] for name in ("strategy", "secret", "version", "jwks", "issuer") if name in options}
    if "secrets" in options:
        given["secret"] = [secret["value"] for secret in options["secrets"]]
    return {**given, "cookie_name": vector["cookie_name"], "with_token": options["reader"] == "getSession"}


def _h3_session(vector):
    options = vector["options"]
    given = {"password": options["password"], "cookie_name": vector["cookie_name"], "max_age": options.get("maxAge", 0)}
    if vector.get("nuxt"):
        return given
    if "seal" in options:
        encryption = options["seal"]["encryption"]
        given["encryption"] = {"algorithm": encryption["algorithm"], "iterations": encryption["iterations"]}
    return {
        **given,
        "idle_timeout": options.get("idleTimeout", 0),
        "legacy_seals": options.get("legacySealFallback", True),
    }


def _hono_session(vector):
    return {"secret": _password(vector["options"]["secret"]), "cookie_name": vector["cookie_name"]}


def _hono_sessions(vector):
    return {"password": vector["options"]["password"], "cookie_name": vector["cookie_name"]}


def _client_sessions(vector):
    options = vector["options"]
    given = {
        "cookie_name": options["cookieName"],
        "duration": options["duration"] / 1000,
        "active_duration": options["activeDuration"] / 1000,
    }
    if "encryptionKey" not in options:
        return {**given, "secret": vector["secrets"]}
    return {
        **given,
        "encryption_key": bytes.fromhex(options["encryptionKey"]),
        "signature_key": bytes.fromhex(options["signatureKey"]),
        "encryption_algorithm": options.get("encryptionAlgorithm", "aes256"),
        "signature_algorithm": options.get("signatureAlgorithm", "sha256"),
    }


def _cookie_session(vector):
    options = vector["options"]
    return {"keys": options.get("keys", ["unsigned"]), "cookie_name": options["name"], **options.get("keygrip", {})}


def _express_session(vector):
    return {"secret": vector["secrets"], "cookie_name": vector["cookie_name"], "store": vector["store"]}


def _fastify(vector):
    options = vector["options"]
    names = ("expiry", "secret", "salt")
    given = {"cookie_name": options["cookieName"], **{name: options[name] for name in names if name in options}}
    if "key" in options:
        keys = options["key"] if isinstance(options["key"], list) else [options["key"]]
        given["key"] = [bytes.fromhex(key) for key in keys]
    return {**given, "signed": options.get("cookie", {}).get("signed", False)}


def _flask(vector):
    options = vector["options"]
    return {
        "secret_key": options["secret_key"],
        "cookie_name": options["cookie_name"],
        "fallbacks": options.get("fallbacks", ()),
        "max_age": options.get("lifetime", 2678400),
    }


def _iron(vector):
    options = vector["options"]
    return {
        "password": _password(vector["password"]),
        "cookie_name": vector["cookie_name"],
        "encryption": options.get("encryption", "aes-256-cbc"),
        "integrity": options.get("integrity", "sha256"),
        "ttl": options.get("ttl", 0) / 1000,
        "timestamp_skew": options.get("timestampSkewSec", 60),
    }


def _password(value):
    """A password in the vectors' notation, {"$hex": ...} for bytes."""
    if isinstance(value, dict):
        return (
            bytes.fromhex(value["$hex"]) if "$hex" in value else {name: _password(item) for name, item in value.items()}
        )
    return value


def _yar(vector):
    options = vector["options"]
    return {"password": options["cookieOptions"]["password"], "cookie_name": options["name"]}


def _iron_session(vector):
    options = vector["options"]
    names = ("password", "ttl", "chunk")
    return {"cookie_name": options["cookieName"], **{name: options[name] for name in names if name in options}}


def _litestar(vector):
    return {"secret": bytes.fromhex(vector["options"]["secret"]), "cookie_name": vector["options"]["key"]}


def _starlette(vector):
    options = vector["options"]
    max_age = {"max_age": options["max_age"]} if "max_age" in options else {}
    return {"secret_key": options["secret_key"], "cookie_name": options["session_cookie"], **max_age}


_OPTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "authjs": _secret_and_name,
    "better-auth-cache": _better_auth_cache,
    "better-auth-token": _better_auth_token,
    "client-sessions": _client_sessions,
    "cookie-session": _cookie_session,
    "express-session": _express_session,
    "fastify-secure-session": _fastify,
    "flask": _flask,
    "h3-session": _h3_session,
    "hapi-iron": _iron,
    "hapi-yar": _yar,
    "hono-session": _hono_session,
    "hono-sessions": _hono_sessions,
    "iron-session": _iron_session,
    "litestar": _litestar,
    "next-auth": _secret_and_name,
    "starlette": _starlette,
}
