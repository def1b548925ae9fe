"""The suites that a store or a queue must pass: ours do, and a third party's can.

Subclass a suite in a test module of your own, give it its fixtures, and run pytest:

    class TestMyStore(ProgressStoreSuite):
        @pytest.fixture
        def open_store(self, tmp_path):
            return partial(MyStore, tmp_path / "progress")
"""

from continuable.conformance.keepers import KeeperSuite, UserTransactions
from continuable.conformance.queues import QueueSuite
from continuable.conformance.stores import ProgressStoreSuite

__all__ = ["KeeperSuite", "ProgressStoreSuite", "QueueSuite", "UserTransactions"]
