"""`.ci/setup --programs` installs what is missing where it may, and says what it cannot."""

import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / ".ci" / "setup"
# What the script needs besides the programs that it looks for.
NEEDED = ("bash", "dirname", "env")


@pytest.fixture
def programs(tmp_path):
    """A folder with the few programs that the script finds."""
    for name in NEEDED:
        found = next(path for folder in ("/usr/bin", "/bin") if (path := Path(folder, name)).exists())
        (tmp_path / name).symlink_to(found)
    write(tmp_path / "apt-get", "#!/bin/sh\n")
    return tmp_path


def write(path, text):
    path.write_text(text)
    path.chmod(0o755)


def set_up(programs, *wanted, user, **variables):
    write(programs / "id", f"#!/bin/sh\necho {user}\n")
    environment = {"PATH": str(programs), **variables}
    command = [SETUP, "--programs", *wanted]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("program", "package"),
    [("redis-sentinel", "redis-sentinel"), ("chromium", "chromium"), ("mariadbd", "mariadb-server")],
)
def test_root_installs_a_missing_program_by_the_name_of_its_package(programs, program, package):
    # What apt-get prints itself is not shown.
    write(programs / "apt-get", f'#!/bin/sh\necho "$*" >> {programs}/asked\n')
    done = set_up(programs, program, user=0)
    assert done.returncode == 0
    assert f"installing {program}" in done.stderr
    update, install = (programs / "asked").read_text().splitlines()
    assert (update.split()[0], install.split()[0], install.split()[-1]) == ("update", "install", package)


def test_a_program_that_is_there_is_not_installed(programs):
    write(programs / "chromium", "")
    done = set_up(programs, "chromium", user=0)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(("variables", "code"), [({}, 0), ({"CI": "true"}, 1)])
def test_who_is_not_root_is_told_what_is_missing_and_ci_fails(programs, variables, code):
    done = set_up(programs, "chromium", user=1000, **variables)
    assert done.returncode == code
    assert "chromium IS MISSING" in done.stderr
