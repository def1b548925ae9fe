"""The suite that all queues must pass, with `procrastinate worker`."""

import signal
from collections.abc import Callable
from contextlib import contextmanager

import psycopg
import pytest

from continuable.conformance.queues import QueueSuite
from continuable.queues.procrastinate import ProcrastinateQueue
from tests.queues.procrastinate.conftest import DATABASE, command, environment

pytestmark = pytest.mark.slow

RETRIED = "retried"
"""The lock of jobs that the project has Procrastinate try once more."""


class TestProcrastinateQueue(QueueSuite):
    kinds = ProcrastinateQueue.worker_kinds
    hurries = ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM))

    @pytest.fixture
    def app(self, project):
        return project.app

    @pytest.fixture
    def undone_transaction(self, postgresql):
        @contextmanager
        def undone():
            with psycopg.connect(postgresql.url_of(DATABASE).replace("+psycopg", "")) as connection:
                connection.execute("SELECT 1")
                yield connection
                connection.rollback()

        return undone

    @pytest.fixture
    def command(self, postgresql):
        return lambda _kind: command("tests.queues.procrastinate.project")

    @pytest.fixture
    def environment(self, postgresql):
        return environment(postgresql)

    @pytest.fixture
    def restart_server(self, postgresql):
        return postgresql.restart

    @pytest.fixture
    def enqueue_with_retry(self, app):
        def enqueue(job, folder: str, times: int) -> str:
            task = app.queue.task(job).configure(lock=RETRIED)
            return f"procrastinate-{task.defer(folder=folder, times=times)}"

        return enqueue

    @pytest.fixture
    def row(self, rows):
        """Of the job with an id, the latest."""

        def row(job_id: str) -> tuple[int, str]:
            own_id = "coalesce(args -> '_continuable' ->> 'id', 'procrastinate-' || id)"
            found = rows(own_id, "attempts", "status::text")
            return next((row[1], row[2]) for row in reversed(found) if row[0] == job_id)

        return row

    @pytest.fixture
    def retries_used(self, row) -> Callable[[str], int]:
        return lambda job_id: row(job_id)[0]

    @pytest.fixture
    def is_shown_as_failed(self, row) -> Callable[[str], bool]:
        return lambda job_id: row(job_id)[1] == "failed"
