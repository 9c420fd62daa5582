"""The middleware's options and the testing helpers as a type checker sees them. Checked, never run."""

from datetime import UTC, datetime, timedelta
from typing import assert_type

from fastapi import FastAPI
from pydantic import SecretStr
from starlette.datastructures import Secret
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from fastsession import DeviceBinding, Lifetime, Session, SessionEvent, SessionMiddleware, generate_key
from fastsession.testing import Clock, opened_session, sealed_cookies


class ShopSession(Session):
    user_id: int | None = None


def listen(event: SessionEvent) -> None: ...


def collect(event: SessionEvent) -> int:
    return len(event.path)


def tenant(connection: HTTPConnection) -> bytes:
    return connection.headers["x-tenant"].encode()


app = FastAPI()
app.add_middleware(
    SessionMiddleware,
    secret_key=SecretStr(generate_key()),
    secret_key_fallbacks=[generate_key(), Secret(generate_key()), generate_key().encode()],
    model=ShopSession,
    session_cookie="shop",
    path="/",
    domain=None,
    https_only=True,
    partitioned=False,
    idle_timeout=1800,
    absolute_timeout=timedelta(hours=12),
    renew_after=60.0,
    remember=Lifetime(idle=timedelta(days=14), absolute=timedelta(days=90)),
    max_cookies=3,
    audience="production",
    binding=tenant,
    device_binding=DeviceBinding(timedelta(minutes=5), without_proof="allow", path="/device", exclude=["/static"]),
    not_before=datetime(2026, 1, 1, tzinfo=UTC),
    on_event=[listen, collect],
    clock=Clock(1_800_000_000),
)

client = TestClient(app, base_url="https://testserver")
assert_type(sealed_cookies(app, ShopSession(user_id=1)), dict[str, str])
assert_type(sealed_cookies(app, ShopSession(user_id=1), bound=True), dict[str, str])
assert_type(opened_session(app, client, ShopSession), ShopSession)
assert_type(opened_session(app, client.get("/"), ShopSession), ShopSession)

assert_type(DeviceBinding().lifetime, int)
DeviceBinding(without_proof="never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

clock = Clock()
clock.advance(timedelta(minutes=5))
clock.advance(5)
assert_type(clock(), float)

app.add_middleware(SessionMiddleware.with_options(secret_key="...", model=ShopSession, idle_timeout=1800))
SessionMiddleware.with_options(secret_key="...", idle_timout=1800)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
