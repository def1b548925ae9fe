"""`CapabilitySuite`: a queue can do what its flags say, and refuses what they deny."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from continuable.app import App
from continuable.conformance.engine import EngineSuite, StartWorker, await_hold, enqueue, job_of
from continuable.conformance.journal import Journal
from continuable.errors import QueueError
from continuable.model.info import JobInfo

Undone = Callable[[], AbstractContextManager[Any]]


class CapabilitySuite(EngineSuite):
    """Part of `QueueSuite`."""

    @pytest.fixture
    def own_store(self, app: App) -> Any:
        """The store that is used unless the app names one."""
        return app.queue.own_store()

    @pytest.fixture
    def undone_transaction(self) -> Undone:
        """Where the queue joins transactions: a connection of the user's that is rolled back."""
        raise NotImplementedError("Give the suite a fixture `undone_transaction`")

    def test_its_kinds_of_worker_are_those_it_names(self, app: App) -> None:
        assert set(self.kinds) <= set(app.queue.worker_kinds)
        assert app.queue.isolating_kinds <= set(app.queue.worker_kinds)
        assert app.queue.patient_kinds <= set(app.queue.worker_kinds)

    def test_a_job_has_a_process_of_its_own_where_its_queue_says_so(
        self, app: App, start_worker: StartWorker, kind: str, journal: Journal, folder: str
    ) -> None:
        enqueue(app, "copy_rows", folder)
        worker = start_worker(kind)
        await_hold(journal, worker)
        is_apart = journal.begins[0].pid != worker.pid
        assert is_apart is (kind in app.queue.isolating_kinds)

    def test_its_own_store_commits_where_its_queue_says_so(self, app: App, own_store: Any) -> None:
        assert own_store.can_commit is app.queue.commits_by_default

    def test_a_unique_job_is_there_once_or_is_refused(self, app: App, folder: str) -> None:
        unique = job_of(app, "note_that_it_ran").using(unique="key")
        if app.queue.supports_unique:
            assert unique.enqueue(folder, "ran").id == unique.enqueue(folder, "ran").id
            assert len(jobs_on(app, folder)) == 1
        else:
            with pytest.raises(QueueError, match="unique"):
                unique.enqueue(folder, "ran")
            assert jobs_on(app, folder) == []

    def test_a_job_joins_a_transaction_of_the_users_or_is_refused(
        self, app: App, folder: str, request: pytest.FixtureRequest
    ) -> None:
        job = job_of(app, "note_that_it_ran")
        if app.queue.joins_transactions:
            with request.getfixturevalue("undone_transaction")() as connection:
                job.using(connection=connection).enqueue(folder, "ran")
        else:
            with pytest.raises(QueueError, match="transaction"):
                job.using(connection=object()).enqueue(folder, "ran")
        assert jobs_on(app, folder) == []


def jobs_on(app: App, folder: str) -> list[JobInfo]:
    """The jobs that were enqueued for the folder of a test."""
    return [job for job in app.queue.board.list() if folder in job.arguments]
