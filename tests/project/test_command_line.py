import io
import re
import runpy
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import fastsession as package
from fastsession import Lifetime, SessionMiddleware, generate_key
from fastsession.testing import Clock
from tests.shop import COOKIE, DAY, HOUR, OLD_SECRET, SECRET, browser, cookie_header, shop

VALID, REJECTED, MISUSED = 0, 1, 2
COMMAND = Path(package.__file__).with_name("__main__.py")


def fastsession(*arguments, secret=SECRET, fallbacks=""):
    """Run `python -m fastsession` with these arguments, in this process so that its branches are measured."""
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
        patch.setenv("SESSION_SECRET", secret)
        patch.setenv("SESSION_SECRET_FALLBACKS", fallbacks)
        patch.setattr(sys, "argv", ["fastsession", *arguments])
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(COMMAND), run_name="__main__")
    return subprocess.CompletedProcess(arguments, left.value.code, output.getvalue(), errors.getvalue())


def sealed(*, age=0, note=0, **options):
    """The Cookie header of a visitor who put a confidential item into the cart so many seconds ago."""
    client = browser(shop(clock=Clock(time.time() - age), **options))
    client.post("/login")
    client.post("/cart/confidential")
    if note:
        client.post(f"/note/{note}")
    return cookie_header(client)


def shown(result):
    """The lines of the report by their labels."""
    pairs = (line.strip().split("  ", 1) for line in result.stdout.splitlines() if "  " in line.strip())
    return {label: text.strip() for label, text in pairs}


def test_a_shell_runs_it_by_the_name_of_the_package():
    command = [sys.executable, "-W", "error", "-m", "fastsession", "keygen"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.startswith("fs1.")


def test_keygen_prints_one_fresh_secret_that_the_middleware_takes():
    first, second = fastsession("keygen"), fastsession("keygen")
    assert re.fullmatch(r"fs1\.[A-Za-z0-9_-]{43}\n", first.stdout)
    assert first.stdout != second.stdout
    assert first.returncode == VALID
    SessionMiddleware(None, secret_key=first.stdout.strip())


def test_a_valid_cookie_is_explained_and_not_shown():
    result = fastsession("inspect", sealed(age=90))
    lines = shown(result)
    assert (result.returncode, result.stderr) == (VALID, "")
    assert lines["cookie"] == COOKIE
    assert lines["status"] == "valid"
    assert lines["format"] == "fastsession v1, XAES-256-GCM"
    assert lines["key"] == "current"
    assert lines["size"].startswith(f"{len(sealed()) - len(COOKIE) - 1} bytes of ")
    assert re.fullmatch("[0-9a-f]{16}", lines["session"])
    assert re.search(r" UTC, 0:01:\d\d ago$", lines["created"])
    assert re.search(r" UTC, in 0:28:\d\d$", lines["idle"])
    assert re.search(r" UTC, in 11:58:\d\d$", lines["absolute"])
    assert lines["remembered"] == lines["bound"] == "no"
    assert "confidential" not in result.stdout


def test_reveal_shows_the_contents():
    result = fastsession("inspect", "--reveal", sealed())
    assert '"user_id": 42' in result.stdout
    assert '"confidential"' in result.stdout
    assert result.returncode == VALID


@pytest.mark.parametrize(
    ("age", "options", "status"),
    [
        (HOUR, (), "expired_idle"),
        (HOUR, ("--idle", "60", "--absolute", "60"), "expired_absolute"),
        (HOUR, ("--absolute", "60"), "expired_absolute"),
    ],
)
def test_an_expired_cookie_is_explained_with_what_it_was(age, options, status):
    result = fastsession("inspect", *options, sealed(age=age))
    assert result.returncode == REJECTED
    assert shown(result)["status"] == status
    assert re.search(r" UTC, 1:00:\d\d ago$", shown(result)["created"])
    assert "confidential" not in result.stdout


REJECTIONS = {
    "forged": (lambda header: header[:-4] + ("AAAA" if header[-4:] != "AAAA" else "8888"), {}),
    "unknown_key": (str, {"secret": generate_key()}),
    "malformed": (lambda _: f"{COOKIE}=garbage", {}),
    "absent": (lambda _: "theme=dark; other=1", {}),
}


@pytest.mark.parametrize("status", REJECTIONS)
def test_a_rejected_cookie_says_why_shows_nothing_and_exits_with_one(status):
    alter, environment = REJECTIONS[status]
    result = fastsession("inspect", "--reveal", "--name", COOKIE, alter(sealed()), **environment)
    assert result.returncode == REJECTED
    assert shown(result)["status"].startswith(f"{status}: ")
    assert "confidential" not in result.stdout
    assert result.stderr == ""


def test_a_cookie_under_a_fallback_is_said_to_be_resealed():
    cookie = sealed(secret_key=OLD_SECRET)
    result = fastsession("inspect", cookie, fallbacks=f"{generate_key()}, {OLD_SECRET}")
    assert shown(result)["key"] == "fallback: re-sealed at the next response"
    assert result.returncode == VALID


def test_a_header_with_chunks_and_other_cookies_is_put_together():
    header = f"theme=dark; {sealed(note=5_000)}; lang=en"
    result = fastsession("inspect", header)
    assert (result.returncode, shown(result)["status"]) == (VALID, "valid")
    incomplete = "; ".join(part for part in header.split("; ") if not part.startswith(f"{COOKIE}.1"))
    assert shown(fastsession("inspect", incomplete))["status"].startswith("incomplete: ")


def test_a_bare_value_is_taken_for_the_default_cookie():
    result = fastsession("inspect", sealed().partition("=")[2])
    assert (result.returncode, shown(result)["cookie"]) == (VALID, COOKIE)


def test_another_name_and_audience_can_be_given():
    cookie = sealed(session_cookie="shop", audience="production")
    assert fastsession("inspect", "--audience", "production", cookie).returncode == VALID
    named = fastsession("inspect", "--name", "__Host-shop", "--audience", "production", cookie.partition("=")[2])
    assert named.returncode == VALID
    assert shown(fastsession("inspect", cookie))["status"].startswith("forged")


def test_a_remembered_cookie_is_measured_by_the_timeouts_given():
    client = browser(shop(clock=Clock(time.time() - DAY), remember=Lifetime(idle=14 * DAY, absolute=90 * DAY)))
    client.post("/remember/true")
    arguments = ("--idle", str(14 * DAY), "--absolute", str(90 * DAY), cookie_header(client))
    result = fastsession("inspect", *arguments)
    assert (result.returncode, shown(result)["remembered"]) == (VALID, "yes")


@pytest.mark.parametrize("secret", ["", "changeme", "fs1.short"])
def test_a_missing_or_weak_secret_is_a_mistake_in_the_call_and_is_not_shown(secret):
    result = fastsession("inspect", f"{COOKIE}=garbage", secret=secret)
    assert result.returncode == MISUSED
    assert "python -m fastsession keygen" in result.stderr
    assert "Traceback" not in result.stderr
    assert not secret or secret not in result.stderr


@pytest.mark.parametrize("arguments", [(), ("inspect",), ("unknown",), ("inspect", "--idle", "long", "value")])
def test_a_wrong_call_explains_itself(arguments):
    result = fastsession(*arguments)
    assert result.returncode == MISUSED
    assert result.stderr.startswith("usage: python -m fastsession")


def test_no_secret_is_ever_printed():
    result = fastsession("inspect", "--reveal", sealed(), fallbacks=OLD_SECRET)
    for secret in (SECRET, OLD_SECRET):
        assert secret not in result.stdout + result.stderr
