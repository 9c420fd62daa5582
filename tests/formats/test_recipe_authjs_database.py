"""docs/beside-a-front-end.md, "Auth.js with database sessions", against the table that Prisma makes for Auth.js."""

import asyncio
import re
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastsession import SignedIn
from fastsession.formats import ForeignSession
from tests.front_ends import AUTHJS_COOKIE
from tests.shop import browser

PAGE = Path(__file__).parents[2] / "docs" / "beside-a-front-end.md"
TOKEN, ENDED = "1f0c8a9e-55d2-4b7a-9c31-d7e0a2b4c6f8", "2a1b3c4d-66e3-4c8b-8d42-e8f1b3c5d7a9"
TABLE = (
    """CREATE TABLE "Session" ("id" TEXT PRIMARY KEY, "sessionToken" TEXT UNIQUE, "userId" TEXT, "expires" DATETIME)"""
)


@pytest.fixture
def engine(tmp_path):
    """A database with a session that ends in 2099 and one that has ended."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'auth.db'}", poolclass=NullPool)
    change(engine, TABLE)
    for token, year in ((TOKEN, 2099), (ENDED, 2020)):
        change(engine, f"""INSERT INTO "Session" VALUES ('{token}', '{token}', 'ada', '{year}-01-01T00:00:00.000Z')""")
    return engine


def change(engine, statement):
    async def execute():
        async with engine.begin() as connection:
            await connection.execute(text(statement))

    asyncio.run(execute())


@pytest.fixture
def reader(engine):
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = (block for block in blocks if "class AuthjsDatabaseSession" in block)
    namespace = {"__name__": "recipe"}
    exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace["AuthjsDatabaseSession"](engine)


def ask(reader, clock, value):
    app, signed_in = FastAPI(), SignedIn(reader, clock=clock)

    @app.get("/me")
    async def me(user: Annotated[ForeignSession, Depends(signed_in)]) -> str | None:
        return user.subject

    return browser(app).get("/me", headers={"cookie": f"{AUTHJS_COOKIE}={value}"})


def test_who_has_a_row_is_known_until_it_is_gone(reader, engine, clock):
    assert ask(reader, clock, TOKEN).json() == "ada"
    change(engine, 'DELETE FROM "Session"')
    assert ask(reader, clock, TOKEN).status_code == 401


@pytest.mark.parametrize(
    "value", [ENDED, "3b2c4d5e-77f4-4d9c-9e53-f9a2c4d6e8ba", "", "garbage", TOKEN.upper(), f"{{{TOKEN}}}", "' OR 1=1"]
)
def test_any_other_cookie_is_401(reader, clock, value):
    assert ask(reader, clock, value).status_code == 401


def test_a_database_that_fails_is_503(reader, engine, clock):
    change(engine, 'DROP TABLE "Session"')
    assert ask(reader, clock, TOKEN).status_code == 503
