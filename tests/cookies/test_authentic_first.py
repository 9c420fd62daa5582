"""Nothing in a cookie is parsed before its tag has been checked (security.md R-04)."""

from typing import Annotated, Any

import pytest
from pydantic import BeforeValidator

from fastsession import Session
from tests.cookies.test_rejections import flipped
from tests.shop import browser, cookie_header
from tests.visitor import Visitor, note

validated: list[Any] = []


def noticed(value):
    validated.append(value)
    return value


class NoticingSession(Session):
    name: Annotated[str, BeforeValidator(noticed)] = ""


@pytest.fixture
def visitor():
    visitor = Visitor(model=NoticingSession)
    visitor.as_model(lambda session: note(session, name="Ada"))
    validated.clear()
    return visitor


def presented(visitor, cookie):
    """What a browser that sends this Cookie header finds in its session."""
    visitor.client = browser(visitor.app)
    visitor.client.headers["cookie"] = cookie
    return visitor.as_model(lambda session: session.name)


def test_an_authentic_cookie_is_validated(visitor):
    assert presented(visitor, cookie_header(visitor.client)) == "Ada"
    assert "Ada" in validated


@pytest.mark.parametrize("alter", [flipped, lambda header: header[:-40], lambda header: header[:40] + header[44:]])
def test_of_any_other_no_field_is_parsed(visitor, alter):
    assert presented(visitor, alter(cookie_header(visitor.client))) == ""
    # Of a fresh session there may be the default.
    assert set(validated) <= {""}
