"""The stores that a suite opens, and the jobs that it holds there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from continuable.conformance.keepers import KeeperSuite
from continuable.conformance.stores.terms import a_record, granted
from continuable.model.payload import JobRecord
from continuable.progress import Claim, ProgressStore

OpenStore = Callable[..., ProgressStore]


class StoreFixtures(KeeperSuite):
    """What is common to the parts of the suite."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        """A picklable callable that opens one and the same store at each call.

        It takes `lease`, in seconds. What it returns may have a method `close`.
        """
        raise NotImplementedError("Give the suite a fixture `open_store`")

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[ProgressStore]:
        """A store whose leases outlast a test."""
        yield from opened(open_store, 60.0)

    @pytest.fixture
    def keeper(self, store: ProgressStore) -> ProgressStore:
        """The same."""
        return store

    @pytest.fixture
    def hold(self, store: ProgressStore) -> Callable[[str], Claim]:
        """Makes a new job, which the worker `one` runs from now on."""
        return lambda job_id: granted(store.claim(a_record(job_id), "one"))

    @pytest.fixture
    def hasty(self, open_store: OpenStore) -> Iterator[ProgressStore]:
        """The same store, with leases that a test can wait for."""
        yield from opened(open_store, 0.3)

    @pytest.fixture
    def record(self) -> JobRecord:
        """A message."""
        return a_record()

    @pytest.fixture
    def claim(self, store: ProgressStore, record: JobRecord) -> Claim:
        """A job that worker `one` runs."""
        return granted(store.claim(record, "one"))


def opened(open_store: OpenStore, lease: float) -> Iterator[ProgressStore]:
    """A store, closed after the test."""
    store = open_store(lease=lease)
    yield store
    close = getattr(store, "close", None)
    if close is not None:
        close()
