"""Other systems' session cookies: read and written (`format`), or read once (`migrate_from`)."""

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
