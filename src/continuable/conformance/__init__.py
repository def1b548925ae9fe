"""The suites that a store or a queue must pass: ours do, and a third party's can.

Subclass a suite in a test module of your own, give it its fixtures, and run pytest:

    class TestMyStore(ProgressStoreSuite):
        @pytest.fixture
        def open_store(self, tmp_path):
            return partial(MyStore, tmp_path / "progress")

The suites are imported when they are first used: the workers of a queue import the jobs that the
suite runs, and need no pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from continuable.conformance.keepers import KeeperSuite, UserTransactions
    from continuable.conformance.queues import QueueSuite
    from continuable.conformance.stores import ProgressStoreSuite

__all__ = ["KeeperSuite", "ProgressStoreSuite", "QueueSuite", "UserTransactions"]

_MODULES = {
    "KeeperSuite": "keepers",
    "ProgressStoreSuite": "stores",
    "QueueSuite": "queues",
    "UserTransactions": "keepers",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
