"""The scripts as pages get them. What they do is tried in a browser, in tests/browser."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import fastsession.session_status
from tests.shop import browser, set_cookies
from tests.timed_shop import timed_shop

# The most bytes of each as it is served. Every page of those who are signed in loads the first.
LIMITS = {"session-timeout.js": 4096, "sign-in-timeout.js": 1280, "sign-out-on-close.js": 512}
ROOT = Path(__file__).parents[2]
FOLDER = Path(fastsession.session_status.__file__).parent


@pytest.fixture(params=LIMITS)
def name(request):
    return request.param


@pytest.fixture
def path(name):
    return f"/session/{name}"


@pytest.fixture
def source(name):
    return FOLDER / name


@pytest.fixture
def client():
    return browser(timed_shop())


def test_it_is_javascript_and_small(client, path, name):
    response = client.get(path)
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert len(response.content) <= LIMITS[name]


def test_what_is_served_is_the_source_without_indentation_and_comments(client, path, source):
    assert client.get(path).text.splitlines() == [
        line.strip() for line in source.read_text().splitlines() if line and "//" not in line.split('"')[0]
    ]


def test_no_line_of_the_source_changes_its_meaning_by_losing_its_indentation(source):
    """Between backquotes, white space at the start of a line would be text."""
    assert all(line.count("`") % 2 == 0 for line in source.read_text().splitlines())


def test_it_may_be_kept_for_an_hour_and_is_asked_for_by_its_hash_afterwards(client, path):
    response = client.get(path)
    assert response.headers["cache-control"] == "public, max-age=3600"
    etag = response.headers["etag"]
    for condition in (etag, f"W/{etag}", f'"older", {etag}'):
        again = client.get(path, headers={"if-none-match": condition})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get(path, headers={"if-none-match": '"older"'}).status_code == 200


def test_a_head_request_is_answered(client, path):
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("site", "code"), [("same-origin", 200), ("none", 200), (None, 200), ("same-site", 403), ("cross-site", 403)]
)
def test_pages_of_other_origins_do_not_get_it(client, path, site, code):
    response = client.get(path, headers={"sec-fetch-site": site} if site else {})
    assert response.status_code == code
    if code == 403:
        assert response.headers["cache-control"] == "no-store"
    else:
        assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_nobody_looks_at_the_session_for_it(client, path):
    client.post("/login")
    response = client.get(path)
    assert set_cookies(response) == []
    assert "vary" not in response.headers


def test_these_are_all_of_them():
    assert {script.name for script in FOLDER.glob("*.js")} == LIMITS.keys()


def test_they_are_in_the_wheel(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in LIMITS:
            assert archive.read(f"fastsession/session_status/{name}") == (FOLDER / name).read_bytes()
