"""The app on AWS Lambda behind mangum, with the events of tests/vectors/mangum.json."""

import copy
import json
from pathlib import Path

import pytest
from mangum import Mangum

from fastsession import SessionTooLargeError
from fastsession.testing import sealed_cookies
from tests.shop import COOKIE, ShopSession, shop

pytestmark = pytest.mark.usefixtures("event_loop")

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "mangum.json").read_text())["vectors"]
# The session cookie that the events carry.
STAND_IN = next(cookie for vector in VECTORS for cookie in vector["event"].get("cookies", ()) if "session=" in cookie)
EDGE = "Lambda@Edge"


def event_of(note):
    return next(vector["event"] for vector in VECTORS if vector["note"] == note)


HTTP_V2 = event_of("HTTP API v2: no cookie")
FUNCTION_URL = {
    **HTTP_V2,
    "requestContext": {**HTTP_V2["requestContext"], "domainName": "abcdefgh.lambda-url.eu-central-1.on.aws"},
}
# Events without cookies, one for each kind of gateway.
EVENTS = {
    "REST API": event_of("REST v1: no cookie"),
    "HTTP API": HTTP_V2,
    "function URL": FUNCTION_URL,
    "ALB": event_of("ALB: 0 Set-Cookie headers"),
    "ALB, multi-value": event_of("ALB multi-value: 0 Set-Cookie headers"),
    EDGE: event_of("Lambda@Edge: one Cookie entry"),
}
SEVERAL = pytest.mark.parametrize("gateway", [gateway for gateway in EVENTS if gateway != EDGE])


def addressed(event, method, path):
    """The event as one for this route."""
    event = copy.deepcopy(event)
    if "Records" in event:
        event["Records"][0]["cf"]["request"] |= {"method": method, "uri": path}
    elif "rawPath" in event:
        event["rawPath"] = path
        event["requestContext"]["http"] |= {"method": method, "path": path}
    else:
        event |= {"httpMethod": method, "path": path}
    return event


def with_cookies(gateway, cookies):
    """The gateway's event of a browser that holds these cookies."""
    event = copy.deepcopy(EVENTS[gateway])
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if gateway == EDGE:
        headers = event["Records"][0]["cf"]["request"]["headers"]
        headers["cookie"] = [{"key": "Cookie", "value": line}]
    elif "rawPath" in event:
        event["cookies"] = line.split("; ") if line else []
    else:
        for key, value in (("headers", line), ("multiValueHeaders", [line])):
            if key in event:
                event[key]["cookie"] = value
    return event


def handled(app, event, method, path):
    return Mangum(app, lifespan="off")(addressed(event, method, path), None)


def body(response):
    return json.loads(response["body"])


def cookies_set(response):
    """Names and values of every Set-Cookie that the gateway sends on to the browser."""
    lines = list(response.get("cookies", ()))
    for key in ("headers", "multiValueHeaders"):
        for name, value in (response.get(key) or {}).items():
            if name.lower() == "set-cookie":
                lines += [value] if isinstance(value, str) else value
    texts = [line["value"] if isinstance(line, dict) else line for line in lines]
    pairs = [text.partition(";")[0].partition("=") for text in texts if "Max-Age=0" not in text]
    return {name: value for name, _, value in pairs}


def requests_with_a_session():
    for vector in VECTORS:
        if vector["category"].startswith("request/") and STAND_IN in json.dumps(vector["event"]):
            yield pytest.param(vector["event"], id=vector["note"])


@pytest.fixture
def app():
    return shop()


@pytest.fixture
def token(app):
    [value] = sealed_cookies(app, ShopSession(user_id=42)).values()
    return value


@pytest.mark.parametrize("event", list(requests_with_a_session()))
def test_the_session_is_found_in_every_kind_of_event(app, token, event):
    event = json.loads(json.dumps(event).replace(STAND_IN, f"{COOKIE}={token}"))
    assert body(handled(app, event, "GET", "/view")) == {"user_id": 42}


@pytest.mark.parametrize("gateway", EVENTS)
def test_a_session_of_one_cookie_goes_out_and_comes_back(app, gateway):
    cookies = cookies_set(handled(app, with_cookies(gateway, {}), "POST", "/login"))
    assert list(cookies) == [COOKIE]
    assert body(handled(app, with_cookies(gateway, cookies), "GET", "/view")) == {"user_id": 42}


@SEVERAL
def test_a_session_of_two_cookies_goes_out_and_comes_back(app, gateway):
    cookies = cookies_set(handled(app, with_cookies(gateway, {}), "POST", "/note/5000"))
    assert list(cookies) == [COOKIE, f"{COOKIE}.1"]
    assert len(body(handled(app, with_cookies(gateway, cookies), "GET", "/view"))["note"]) == 5000


@SEVERAL
def test_logout_deletes_both_cookies(app, gateway):
    cookies = cookies_set(handled(app, with_cookies(gateway, {}), "POST", "/note/5000"))
    response = handled(app, with_cookies(gateway, cookies), "POST", "/logout")
    assert cookies_set(response) == {}
    assert json.dumps(response).count("Max-Age=0") == 2


def rest_event(*lines):
    """A REST API's event with these Cookie header lines, of which `headers` has the last, as AWS does."""
    event = copy.deepcopy(EVENTS["REST API"])
    event["headers"]["Cookie"] = lines[-1]
    event["multiValueHeaders"]["Cookie"] = list(lines)
    return event


@pytest.mark.parametrize("place", [0, 1, 2])
def test_several_cookie_lines_of_a_rest_api_are_read_apart(app, token, place):
    lines = ["theme=dark", "lang=de, en"]
    lines.insert(place, f"{COOKIE}={token}")
    assert body(handled(app, rest_event(*lines), "GET", "/view")) == {"user_id": 42}


def test_chunks_in_cookie_lines_of_their_own_are_put_together(app):
    cookies = cookies_set(handled(app, rest_event("theme=dark"), "POST", "/note/5000"))
    lines = [f"{name}={value}" for name, value in reversed(cookies.items())]
    assert len(body(handled(app, rest_event(*lines), "GET", "/view"))["note"]) == 5000


@pytest.mark.parametrize(
    "lines",
    [
        ["theme=dark, {session}"],
        ["theme=dark, {session}; lang=de"],
        ["lang=de", "theme=dark, {session}"],
        ["theme=dark,{session}", "lang=de"],
    ],
    ids=str,
)
def test_a_comma_in_another_cookies_value_cannot_plant_a_session(app, token, lines):
    # A subdomain can set `theme` to any value; it cannot set a __Host- cookie.
    lines = [line.format(session=f"{COOKIE}={token}") for line in lines]
    assert body(handled(app, rest_event(*lines), "GET", "/info"))["status"] == "absent"


def test_non_latin_text_in_another_cookie_line_is_no_error(app, token):
    event = rest_event("theme=\u6771", f"{COOKIE}={token}")
    assert body(handled(app, event, "GET", "/view")) == {"user_id": 42}


def test_lambda_at_edge_loses_all_set_cookies_but_one_so_a_session_must_fit_into_one(app, caplog):
    lost = cookies_set(handled(app, with_cookies(EDGE, {}), "POST", "/note/5000"))
    assert body(handled(app, with_cookies(EDGE, lost), "GET", "/info"))["status"] == "incomplete"
    response = handled(shop(max_cookies=1), with_cookies(EDGE, {}), "POST", "/note/5000")
    assert (int(response["status"]), cookies_set(response)) == (500, {})
    assert caplog.records[-1].exc_info[0] is SessionTooLargeError
