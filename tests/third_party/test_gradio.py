"""Users who signed in by gradio's OAuth behind Starlette's middleware are signed in behind ours, with the real package."""

import importlib.util
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.browser.certificate import make_certificate
from tests.live_server import served
from tests.processes import PATIENCE, free_port, started
from tests.third_party.openid_provider import OpenIdProvider

# Only the sites import it.
if importlib.util.find_spec("gradio") is None:
    raise ModuleNotFoundError(name="gradio")

THEIRS, OURS = "starlette.middleware.sessions", "fastsession.starlette"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def provider():
    # What gradio's profile needs, from a provider that knows no PKCE: gradio does not ask for it.
    claims = dict.fromkeys(("name", "preferred_username", "profile", "picture"), "Alice")
    return OpenIdProvider(subject="alice", pkce=False, **claims)


@pytest.fixture
def environment(provider, tmp_path):
    """That of a Space, whose provider of logins is ours."""
    with served(provider.app) as issuer:
        yield {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "SESSION_SECRET": "not for gradio",
            "NO_PROXY": "*",
            "SYSTEM": "spaces",
            "SPACE_ID": "shop/till",
            "OAUTH_CLIENT_ID": provider.client_id,
            "OAUTH_CLIENT_SECRET": provider.client_secret,
            "OAUTH_SCOPES": "openid profile",
            "OPENID_PROVIDER_URL": issuer,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(tmp_path / "hf"),
            "GRADIO_TEMP_DIR": str(tmp_path / "gradio"),
        }


@contextmanager
def site(module, environment, certificate):
    """The address of gradio's site behind the middleware of a module. Its cookie is Secure, so it is served by TLS."""
    port = free_port()
    program = Path(__file__).with_name("swapped_site.py")
    command = [sys.executable, program, "gradio", module, str(port), certificate.file, certificate.key_file]
    with started(command, env=environment, cwd=certificate.file.parent) as process:
        address, deadline = f"https://localhost:{port}", time.monotonic() + PATIENCE
        while not answers(address):
            assert process.poll() is None, "the site has stopped"
            assert time.monotonic() < deadline, "the site does not start"
            time.sleep(0.2)
        yield address


def answers(address):
    try:
        httpx2.get(f"{address}/nothing", trust_env=False, verify=False, timeout=PATIENCE)
    except httpx2.TransportError:
        return False
    return True


def who(client, address):
    answer = client.post(f"{address}/gradio_api/run/name", json={"data": []})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"][0]


def sign_in(client, address):
    """To the provider, back to gradio's callback, and on to the page that was asked for."""
    answer = client.get(f"{address}/login/huggingface", params={"_target_url": "/nothing"})
    assert [passed.url.path for passed in answer.history] == ["/login/huggingface", "/authorize", "/login/callback"]
    assert answer.url.path == "/nothing"


def test_who_is_signed_in_by_oauth_stays_so_when_one_line_changes(environment, tmp_path):
    certificate = make_certificate(["localhost"], tmp_path)
    with httpx2.Client(trust_env=False, verify=False, follow_redirects=True, timeout=PATIENCE) as client:
        with site(THEIRS, environment, certificate) as address:
            assert who(client, address) is None
            sign_in(client, address)
            assert who(client, address) == "alice"
        assert client.cookies["session"].startswith("eyJ")
        with site(OURS, environment, certificate) as address:
            assert who(client, address) == "alice"
            assert client.cookies["session"].startswith("A")
            client.get(f"{address}/logout", params={"_target_url": "/nothing"})
            assert who(client, address) is None
            assert not client.cookies
            sign_in(client, address)
            assert who(client, address) == "alice"
            assert client.cookies["session"].startswith("A")
