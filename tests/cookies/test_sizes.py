import pytest

from fastsession import ConfigurationError, SessionTooLargeError
from fastsession.testing import opened_session
from tests.shop import COOKIE, Current, browser, cookie_header, set_cookies, shop, shown
from tests.wire import call, http_scope

LARGEST_COOKIE = 3_800


def sizes(response):
    """Bytes of name and value of each cookie in a response."""
    return [len(line.partition(";")[0]) - 1 for line in set_cookies(response)]


def names(client):
    return sorted(client.cookies.keys())


@pytest.mark.parametrize(("note", "count"), [(1, 1), (2_500, 1), (3_000, 2), (5_000, 2), (5_600, 3), (8_000, 3)])
def test_a_session_takes_as_many_cookies_as_it_needs(note, count):
    response = browser(shop(max_cookies=3)).post(f"/note/{note}")
    assert len(sizes(response)) == count
    assert max(sizes(response)) <= LARGEST_COOKIE


def test_a_browser_follows_a_session_that_grows_and_shrinks():
    client = browser(shop(max_cookies=3))
    for note, suffixes in [(10, [""]), (5_000, ["", ".1"]), (8_000, ["", ".1", ".2"]), (4_000, ["", ".1"]), (1, [""])]:
        client.post(f"/note/{note}")
        assert names(client) == [COOKIE + suffix for suffix in suffixes]
        assert client.get("/view").json() == {"note": "n" * note}


@pytest.mark.parametrize(
    ("note", "deleted"), [(7_900, [False, False, False]), (4_000, [False, False, True]), (1, [False, True, True])]
)
def test_a_response_sets_or_deletes_each_cookie_once(note, deleted):
    """Browsers follow the lines in their order; the test client's jar follows deletions first."""
    client = browser(shop(max_cookies=3))
    client.post("/note/8000")
    lines = [line.partition("; ")[0].partition("=") for line in set_cookies(client.post(f"/note/{note}"))]
    names = [COOKIE, f"{COOKIE}.1", f"{COOKIE}.2"]
    assert [(name, value == "") for name, _, value in lines] == list(zip(names, deleted, strict=True))


def test_logout_clears_every_chunk():
    client = browser(shop(max_cookies=3))
    client.post("/note/8000")
    assert len(set_cookies(client.post("/logout"))) == 3
    assert names(client) == []


def test_every_chunk_is_set_and_cleared_with_the_same_attributes():
    client = browser(shop(max_cookies=2, same_site="none", partitioned=True, path="/"))
    set_lines = set_cookies(client.post("/note/4000"))
    assert len(set_lines) == 2
    cleared = set_cookies(client.post("/logout"))
    attributes = {line.partition("; ")[2] for line in set_lines}
    assert attributes == {line.partition("; ")[2].replace("Max-Age=0; ", "") for line in cleared}
    assert attributes == {"path=/; HttpOnly; SameSite=None; Secure; Partitioned"}


@pytest.mark.parametrize("kept", [[0], [1], [0, 2], [1, 2], [2]])
def test_a_missing_chunk_is_no_session_and_no_error(clock, kept):
    client = browser(shop(max_cookies=3, clock=clock))
    client.post("/note/8000")
    chunks = sorted(cookie_header(client).split("; "))
    response = shown(shop(max_cookies=3, clock=clock), "; ".join(chunks[index] for index in kept), "/info")
    assert response.json()["status"] == "incomplete"


def test_chunks_of_two_seals_are_never_joined(clock):
    client = browser(shop(clock=clock))
    client.post("/note/5000")
    first = sorted(cookie_header(client).split("; "))
    client.post("/note/5001")
    second = sorted(cookie_header(client).split("; "))
    response = shown(shop(clock=clock), f"{first[0]}; {second[1]}", "/info")
    assert response.json()["status"] == "incomplete"


def test_chunks_may_come_in_any_order_and_in_several_headers(clock):
    client = browser(shop(max_cookies=3, clock=clock))
    client.post("/note/8000")
    lines = [(b"cookie", chunk.encode()) for chunk in reversed(cookie_header(client).split("; "))]
    messages = call(shop(max_cookies=3, clock=clock), http_scope("/view", headers=lines))
    assert b"n" * 8_000 in messages[1]["body"]


@pytest.mark.parametrize(("max_cookies", "note"), [(1, 4_000), (2, 7_000), (3, 9_000)])
def test_a_session_that_does_not_fit_raises_before_the_response_starts(max_cookies, note):
    with pytest.raises(SessionTooLargeError) as caught:
        browser(shop(max_cookies=max_cookies)).post(f"/note/{note}")
    error = caught.value
    assert error.size > error.limit
    assert error.fields[0] == ("note", note + len('{"note":""}'))
    assert f"'note' ({note + 11} bytes)" in str(error)
    assert f"{error.size} bytes" in str(error)


def test_a_session_that_does_not_fit_is_answered_with_500_and_keeps_the_cookie_it_had():
    client = browser(shop(), errors_raised=False)
    client.post("/cart/tea")
    response = client.post("/note/9000")
    assert (response.status_code, set_cookies(response)) == (500, [])
    assert client.get("/cart").json() == ["tea"]


def test_the_largest_three_fields_and_keys_are_named_largest_first():
    app = shop()

    @app.get("/fill")
    async def fill(session: Current) -> None:
        session.note, session.cart = "n" * 3_000, ["c" * 4_000]

    with pytest.raises(SessionTooLargeError) as caught:
        browser(app).get("/fill")
    assert [name for name, _ in caught.value.fields] == ["cart", "note", "user_id"]


@pytest.mark.parametrize(("note", "warned"), [(2_000, False), (2_300, True)])
def test_a_session_above_3000_bytes_is_near_the_limit(client, events, note, warned):
    size = sizes(client.post(f"/note/{note}"))[0] - len(COOKIE)
    assert (size > 3_000) is warned
    assert [event.kind for event in events] == ["created", "near_limit"][: 1 + warned]
    if warned:
        assert events[-1].detail.startswith(f"{size} ")


@pytest.mark.parametrize("max_cookies", [0, 4, -1, 2.5, None])
def test_only_one_to_three_cookies_can_be_asked_for(max_cookies):
    with pytest.raises(ConfigurationError, match="max_cookies must be 1, 2 or 3"):
        browser(shop(max_cookies=max_cookies)).get("/public")


def test_similar_contents_make_cookies_of_one_length():
    lengths = {sizes(browser(shop()).post(f"/cart/{name}"))[0] for name in ("eve", "user", "administrator")}
    assert len(lengths) == 1


def test_a_session_is_not_compressed(clock):
    client = browser(shop(clock=clock))
    client.post("/note/2400")
    assert len(cookie_header(client)) > 2_400 * 4 / 3
    assert opened_session(shop(clock=clock), client).note == "n" * 2_400
