import subprocess
import sys

import pytest

from fastsession import stores


def imported_by(program):
    shown = f"import sys; {program}; print(*sorted(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True).stdout.split())


def test_a_backend_that_is_not_configured_is_not_imported():
    assert not {"redis", "sqlalchemy", "sqlite3"} & imported_by("import fastsession.stores")
    assert not {"redis", "sqlalchemy", "sqlite3"} & imported_by(
        "from fastsession.stores import MemoryStore, Revocations, SessionStore"
    )
    assert not {"redis", "sqlalchemy"} & imported_by("from fastsession.stores import SQLiteRevocations, SQLiteStore")


def test_every_public_name_is_there():
    assert {name: getattr(stores, name).__name__ for name in stores.__all__} == {name: name for name in stores.__all__}


def test_another_name_is_not():
    with pytest.raises(AttributeError, match="no attribute 'MongoStore'"):
        _ = stores.MongoStore
