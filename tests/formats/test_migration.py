"""Until when, and for how old a session, a migration takes over."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fastsession import ConfigurationError, SessionStatus
from fastsession.errors import Rejected
from fastsession.formats import ExpressSession, Migration
from tests.formats.reception import status_of
from tests.formats.vector import vector

STARLETTE = vector("starlette/A01")
CREATED = 1751328000
COOKIE_SESSION = vector("cookie-session/A01")
EXPRESS = vector("express-session/A01")
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)


def test_sessions_are_taken_over_until_the_migration_is_over():
    over = datetime.fromtimestamp(CREATED + 100, UTC)
    migration = Migration(STARLETTE.reader(), accept_until=over)
    assert migration.read(STARLETTE.cookies, now=CREATED + 99.9).data == {"user_id": 42}
    assert status_of(migration, STARLETTE.cookies, CREATED + 100) is SessionStatus.ABSENT
    assert status_of(migration, {"session": "tampered"}, CREATED + 100) is SessionStatus.ABSENT


@pytest.mark.parametrize("max_age", [60, timedelta(minutes=1)])
def test_max_age_counts_from_the_creation_where_the_cookie_tells_it(max_age):
    migration = Migration(STARLETTE.reader(), accept_until=FOREVER, max_age=max_age)
    assert migration.read(STARLETTE.cookies, now=CREATED + 59).expires_at == CREATED + 60
    assert status_of(migration, STARLETTE.cookies, CREATED + 60) is SessionStatus.EXPIRED_ABSOLUTE


def test_max_age_counts_from_now_where_the_cookie_tells_no_time():
    migration = Migration(COOKIE_SESSION.reader(), accept_until=FOREVER, max_age=60)
    assert migration.read(COOKIE_SESSION.cookies, now=CREATED).expires_at == CREATED + 60


def test_max_age_does_not_prolong_a_session():
    migration = Migration(STARLETTE.reader(max_age=30), accept_until=FOREVER, max_age=60)
    assert migration.read(STARLETTE.cookies, now=CREATED).expires_at == CREATED + 30
    assert status_of(migration, STARLETTE.cookies, CREATED + 31) is SessionStatus.EXPIRED_ABSOLUTE


def test_without_max_age_a_session_is_as_its_format_reads_it():
    reader = STARLETTE.reader()
    migration = Migration(reader, accept_until=FOREVER)
    assert migration.read(STARLETTE.cookies, now=CREATED) == reader.read(STARLETTE.cookies, now=CREATED)


def test_load_serves_formats_with_a_store_and_without():
    async def get(_session_id):
        return next(iter(EXPRESS.fields["store"].values()))

    class Store:
        def get(self, session_id):
            return get(session_id)

    migration = Migration(ExpressSession(secret="keyboard cat", store=Store()), accept_until=FOREVER, max_age=60)
    session = asyncio.run(migration.load(EXPRESS.cookies, now=CREATED))
    assert (session.data, session.expires_at) == ({"user_id": 42}, CREATED + 60)
    plain = Migration(STARLETTE.reader(), accept_until=FOREVER)
    assert asyncio.run(plain.load(STARLETTE.cookies, now=CREATED)).data == {"user_id": 42}
    over = Migration(migration.format, accept_until=datetime.fromtimestamp(CREATED, UTC))
    with pytest.raises(Rejected) as rejection:
        asyncio.run(over.load(EXPRESS.cookies, now=CREATED))
    assert rejection.value.status is SessionStatus.ABSENT


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"format": "starlette"}, "StarletteSession"),
        ({"accept_until": datetime(2100, 1, 1)}, "time zone"),  # noqa: DTZ001  (the mistake)
        ({"accept_until": 4102444800}, "tzinfo=UTC"),
        ({"max_age": 0}, "max_age"),
        ({"max_age": "1 day"}, "max_age"),
    ],
)
def test_a_mistake_is_a_configuration_error_that_says_what_to_write(options, advice):
    with pytest.raises(ConfigurationError, match=advice):
        Migration(**{"format": STARLETTE.reader(), "accept_until": FOREVER, **options})
