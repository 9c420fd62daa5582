"""`python -m example_app`: its options, and the secret that it makes."""

from datetime import timedelta

import pytest

from example_app.__main__ import development_secret, read_options


def test_the_command_serves_the_library_s_timeout_and_the_inspector():
    options = read_options([])
    assert options.idle_timeout == timedelta(minutes=30)
    assert options.inspector


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
