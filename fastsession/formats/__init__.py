"""Other systems' session cookies: read and written (`format`), read once (`migrate_from`), or looked at (`SignedIn`).

Each format is imported when it is first asked for, because the middleware needs this package and few need a format.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastsession.formats.authjs_session import AuthjsSession
    from fastsession.formats.better_auth_cache import BetterAuthCache
    from fastsession.formats.better_auth_session import BetterAuthRows, BetterAuthSession
    from fastsession.formats.client_sessions import ClientSessions
    from fastsession.formats.contract import (
        CookieFormat,
        CookieReader,
        ForeignSession,
        SpreadReader,
        StoredReader,
        names_of,
    )
    from fastsession.formats.cookie_session import CookieSession
    from fastsession.formats.express_session import ExpressSession, SessionTexts
    from fastsession.formats.fastify_secure_session import FastifySecureSession
    from fastsession.formats.flask_session import FlaskSession
    from fastsession.formats.h3_session import H3Session
    from fastsession.formats.hono_session import HonoSession
    from fastsession.formats.hono_sessions import HonoSessions
    from fastsession.formats.iron import Iron
    from fastsession.formats.iron_passwords import IronPassword
    from fastsession.formats.iron_seal import IronOptions
    from fastsession.formats.iron_session import IronSession
    from fastsession.formats.litestar_session import LitestarSession
    from fastsession.formats.migration import Migration
    from fastsession.formats.next_auth_session import NextAuthSession
    from fastsession.formats.nuxt_session import NuxtSession
    from fastsession.formats.redis_sessions import RedisSessionReader
    from fastsession.formats.starlette_session import StarletteSession
    from fastsession.formats.yar import Yar

__all__ = [
    "AuthjsSession",
    "BetterAuthCache",
    "BetterAuthRows",
    "BetterAuthSession",
    "ClientSessions",
    "CookieFormat",
    "CookieReader",
    "CookieSession",
    "ExpressSession",
    "FastifySecureSession",
    "FlaskSession",
    "ForeignSession",
    "H3Session",
    "HonoSession",
    "HonoSessions",
    "Iron",
    "IronOptions",
    "IronPassword",
    "IronSession",
    "LitestarSession",
    "Migration",
    "NextAuthSession",
    "NuxtSession",
    "RedisSessionReader",
    "SessionTexts",
    "SpreadReader",
    "StarletteSession",
    "StoredReader",
    "Yar",
    "names_of",
]
_MODULES = {
    "AuthjsSession": "authjs_session",
    "BetterAuthCache": "better_auth_cache",
    "BetterAuthRows": "better_auth_session",
    "BetterAuthSession": "better_auth_session",
    "ClientSessions": "client_sessions",
    "CookieFormat": "contract",
    "CookieReader": "contract",
    "CookieSession": "cookie_session",
    "ExpressSession": "express_session",
    "FastifySecureSession": "fastify_secure_session",
    "FlaskSession": "flask_session",
    "ForeignSession": "contract",
    "H3Session": "h3_session",
    "HonoSession": "hono_session",
    "HonoSessions": "hono_sessions",
    "Iron": "iron",
    "IronOptions": "iron_seal",
    "IronPassword": "iron_passwords",
    "IronSession": "iron_session",
    "LitestarSession": "litestar_session",
    "Migration": "migration",
    "NextAuthSession": "next_auth_session",
    "NuxtSession": "nuxt_session",
    "RedisSessionReader": "redis_sessions",
    "SessionTexts": "express_session",
    "SpreadReader": "contract",
    "StarletteSession": "starlette_session",
    "StoredReader": "contract",
    "Yar": "yar",
    "names_of": "contract",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The format of that name, imported now (PEP 562)."""
        if name not in _MODULES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
