"""What every store must do."""

from __future__ import annotations

from fastsession.testing.stores.owner_tests import OwnerTests
from fastsession.testing.stores.record_tests import RecordTests
from fastsession.testing.stores.worker_tests import WorkerTests


class StoreContract(RecordTests, OwnerTests, WorkerTests):
    """The suite for a `SessionStore`."""
