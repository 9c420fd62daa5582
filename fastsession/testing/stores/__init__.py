"""What every store and all revocations must do, as tests for pytest: run yours through them.

Subclass a suite in a test file of your own, and give it a fixture `make`, which returns a function that makes a store:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def make(self, tmp_path):
            return lambda: MyStore(tmp_path / "sessions")
"""

from __future__ import annotations

import pytest

# Before they are imported: then a failing assertion shows its values.
pytest.register_assert_rewrite(
    *(f"{__name__}.{tests}" for tests in ("record_tests", "owner_tests", "worker_tests", "revocations_contract"))
)

from fastsession.testing.stores.revocations_contract import RevocationsContract  # noqa: E402  (see above)
from fastsession.testing.stores.store_contract import StoreContract  # noqa: E402  (see above)

__all__ = ["RevocationsContract", "StoreContract"]
