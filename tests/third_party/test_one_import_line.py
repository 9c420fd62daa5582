"""Users signed in behind Starlette's middleware are signed in behind ours, each package in its own program."""

import importlib.util
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from fastsession import generate_key
from tests.processes import PATIENCE, free_port, started

# Found and not imported: fasthtml changes Starlette's path convertors for the whole process. A missing package is a
# loud skip: tests/conftest.py.
for name in ("fasthtml", "nicegui", "starlette_admin"):
    if importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError(name=name)

THEIRS, OURS = "starlette.middleware.sessions", "fastsession.starlette"
ROOT = Path(__file__).parents[2]
GOOD = {"username": "root", "password": "correct"}


@pytest.fixture
def environment(tmp_path):
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SESSION_SECRET": generate_key(),
        "NICEGUI_STORAGE_PATH": str(tmp_path / "nicegui"),
    }


@contextmanager
def site(package, module, environment, folder):
    """The address of a package's site behind the middleware of a module."""
    port = free_port()
    program = Path(__file__).with_name("swapped_site.py")
    command = [sys.executable, program, package, module, str(port)]
    with started(command, env=environment, cwd=folder) as process:
        deadline = time.monotonic() + PATIENCE
        while not answers(f"http://127.0.0.1:{port}"):
            assert process.poll() is None, "the site has stopped"
            assert time.monotonic() < deadline, "the site does not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


def log_in(client, address):
    """Send the form of a page, with the hidden field of starlette-admin against forgery."""
    hidden = re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]+)"', client.get(address).text)
    return client.post(address, data=GOOD | dict(hidden))


def answers(address):
    try:
        httpx2.get(f"{address}/nothing", trust_env=False, timeout=PATIENCE)
    except httpx2.TransportError:
        return False
    return True


def sessions(client):
    return {cookie.name: cookie.value for cookie in client.cookies.jar if "session" in cookie.name}


PACKAGES = {
    # Where one signs in, and the page for those who are.
    "fasthtml": ("/login", "/me"),
    "nicegui": ("/login", "/me"),
    "sqladmin": ("/admin/login", "/admin/session"),
    "starlette_admin": ("/admin/login", "/admin/"),
}


@pytest.mark.parametrize("package", PACKAGES)
def test_who_is_signed_in_stays_so_when_one_line_changes(package, environment, tmp_path):
    sign_in, page = PACKAGES[package]
    with httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        with site(package, THEIRS, environment, tmp_path) as address:
            anonymous = client.get(address + page)
            assert log_in(client, address + sign_in).status_code < 400
            seen = client.get(address + page)
            assert (seen.status_code, seen.text) != (anonymous.status_code, anonymous.text)
            visits = client.get(f"{address}/page").text if package == "nicegui" else ""
        signed = sessions(client)
        assert all(value.startswith("eyJ") for value in signed.values())
        with site(package, OURS, environment, tmp_path) as address:
            again = client.get(address + page)
            assert again.status_code == seen.status_code == 200
            if package == "nicegui":
                [before], [after] = (
                    re.findall(r"[-0-9a-f]{36} root \d visits", text)
                    for text in (visits, client.get(f"{address}/page").text)
                )
                assert after == before.replace("1 visits", "2 visits")
            if package != "starlette_admin":
                assert again.json() == seen.json()
            sealed = sessions(client)
            assert sealed.keys() == signed.keys()
            assert all(value.startswith("A") for value in sealed.values())
            log_in(client, address + sign_in)
            assert client.get(address + page).status_code == 200
            assert sessions(client).keys() == signed.keys()
