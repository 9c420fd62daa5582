"""A session, what is known of it, and its events as a type checker sees them. Checked, never run."""

from datetime import datetime
from typing import assert_type

from fastsession import (
    Lifetime,
    Session,
    SessionEvent,
    SessionInfo,
    SessionStatus,
    SessionTooLargeError,
    generate_key,
)


class ShopSession(Session):
    user_id: int | None = None

    def subject(self) -> str | None:
        return None if self.user_id is None else str(self.user_id)


session = ShopSession(user_id=1)
assert_type(session.user_id, int | None)
assert_type(session.changed, bool)
assert_type(session.info, SessionInfo)
assert_type(session.model_copy(), ShopSession)
session.regenerate()
session.destroy()
session.remember()
session.remember(False)

info = session.info
assert_type(info.id, str)
assert_type(info.created_at, datetime)
assert_type(info.authenticated_at, datetime | None)
assert_type(info.renewed_at, datetime)
assert_type(info.expires_at, datetime)
assert_type(info.is_new, bool)
assert_type(info.device_bound, bool)
assert_type(info.bound_until, datetime | None)
assert_type(info.remembered, bool)
assert_type(info.status, SessionStatus)
assert_type(info.origin, str | None)

lifetime = Lifetime(idle=60, absolute=3600)
assert_type(lifetime.idle, int)
assert_type(lifetime.absolute, int)
assert_type(generate_key(), str)


def listen(event: SessionEvent) -> None:
    assert_type(event.status, SessionStatus)
    assert_type(event.session, str)
    assert_type(event.subject, str | None)
    assert_type(event.client, str | None)
    assert_type(event.at, datetime)


def explain(error: SessionTooLargeError) -> None:
    assert_type(error.size, int)
    assert_type(error.limit, int)
    assert_type(error.fields, list[tuple[str, int]])
