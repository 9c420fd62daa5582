"""`python -m example_app`: its options, the secret that it makes, and what it says of device binding."""

import re
import ssl
from datetime import timedelta

import pytest

from example_app.__main__ import binding_advice, development_secret, read_options
from example_app.certificate import make_certificate


def test_the_command_serves_the_library_s_timeout_and_the_inspector():
    options = read_options([])
    assert options.idle_timeout == timedelta(minutes=30)
    assert options.inspector
    assert not options.tls


def test_https_is_asked_for_with_a_switch():
    assert read_options(["--tls"]).tls


def test_over_plain_http_it_says_why_sessions_stay_unbound():
    advice = binding_advice(None, "http://127.0.0.1:8000")
    assert "browsers bind sessions over https only" in advice
    assert "make run TLS=1" in advice
    assert "chromium" not in advice


def test_over_https_it_prints_a_command_that_trusts_the_certificate(tmp_path):
    certificate = make_certificate(tmp_path)
    advice = binding_advice(certificate, "https://localhost:8000")
    [command] = re.findall("^chromium .*", advice, re.MULTILINE)
    assert f"--ignore-certificate-errors-spki-list={certificate.public_key_hash}" in command
    assert command.endswith(" https://localhost:8000/sign-in")
    # Its private key belongs to its certificate, or this raises.
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate.file, certificate.key_file)


def test_the_warning_can_be_seen_soon_and_the_inspector_left_out():
    options = read_options(["--idle-minutes", "1", "--no-inspector"])
    assert options.idle_timeout == timedelta(minutes=1)
    assert not options.inspector


@pytest.mark.parametrize("minutes", ["0", "-1", "721", "soon", "9" * 40])
def test_an_idle_timeout_that_no_session_can_have_is_refused(minutes, capsys):
    with pytest.raises(SystemExit):
        read_options(["--idle-minutes", minutes])
    assert "--idle-minutes" in capsys.readouterr().err


def test_the_development_secret_is_made_once_and_private(tmp_path):
    file = tmp_path / ".secret"
    secret = development_secret(file)
    assert development_secret(file) == secret
    assert file.stat().st_mode & 0o777 == 0o600
