"""The suites for stores of others, as others use them: in a folder of their own, with nothing of these tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastsession
from fastsession import generate_key
from fastsession.testing.stores.workers import Suite

PAGE = Path(fastsession.__file__).parent.parent / "docs" / "own-store.md"
BROKEN = {
    "test_replacing_another_version_changes_nothing": """
        async def replace(self, key, data, *, version, expires_at, owner):
            current = await self.store.read(key)
            version = current.version if current else version
            return await self.store.replace(key, data, version=version, expires_at=expires_at, owner=owner)
    """,
    "test_a_deleted_record_stays_gone": """
        async def delete(self, key):
            return await self.store.touch(key, expires_at=9_999_999_999)
    """,
    "test_more_records_than_a_page_are_listed_and_ended": """
        async def owned(self, owner, *, after=None):
            return Page((await self.store.owned(owner)).records)
    """,
    "test_of_many_superseding_or_replacing_one_version_exactly_one_does": """
        async def supersede(self, old, key, data, *, version, **options):
            record = await self.store.read(old)
            if record is None or record.version != version:
                return False
            await asyncio.sleep(0)
            return await self.store.supersede(old, key, data, version=record.version, **options) or True
    """,
}


def blocks():
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def outcome(folder, *lines):
    """How pytest ends on a file of these lines alone, and what it says."""
    folder.joinpath("test_own.py").write_text("\n".join(lines))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PAGE.parent.parent), "SESSION_SECRET": generate_key()}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_store_and_the_revocations_of_the_page_pass(tmp_path):
    code, said = outcome(tmp_path, *blocks())
    assert code == 0, said
    assert re.search(r"^3\d passed, \d+ skipped", said, re.MULTILINE), said


@pytest.mark.parametrize("test", BROKEN)
def test_a_store_that_is_wrong_fails_where_it_is(tmp_path, test):
    wrong = BROKEN[test].replace("\n    ", "\n")
    broken = f"import asyncio\n\nclass Broken(Logged):{wrong}\n\n"
    suite = blocks()[1].replace("Logged(", "Broken(").replace("TestLogged", "TestBroken")
    code, said = outcome(tmp_path, blocks()[0], broken, suite)
    assert code == 1, said
    assert f"::{test}" in said


def test_without_a_function_that_makes_a_store_it_says_what_is_needed(tmp_path):
    lines = "from fastsession.testing.stores import StoreContract\n\n\nclass TestNothing(StoreContract):\n    pass\n"
    code, said = outcome(tmp_path, lines)
    assert code == 1
    assert "TestNothing needs a fixture `make`" in said


class TestWithoutMake(Suite):
    def test_it_says_what_is_needed_where_it_is_asked(self, request):
        with pytest.raises(pytest.fail.Exception, match="TestWithoutMake needs a fixture `make`"):
            request.getfixturevalue("make")


def test_pytest_is_needed_for_the_suites_only():
    program = "import sys; sys.modules['pytest'] = None; import fastsession.testing, fastsession.stores"
    subprocess.run([sys.executable, "-c", program], check=True)
