"""An RQ user with PostgreSQL: rows and the cursor are one transaction."""

import os
import signal
from importlib import import_module

import pytest
import sqlalchemy as sa

from continuable.conformance.workers import Worker
from tests.queues.embedded.working.process import DEADLINE
from tests.servers.postgresql import PostgreSQL

pytestmark = pytest.mark.slow


@pytest.fixture
def postgresql(monkeypatch):
    server = PostgreSQL()
    url = f"postgresql+psycopg://test@127.0.0.1:{server.port}/postgres"
    monkeypatch.setenv("CONTINUABLE_TEST_POSTGRESQL", url)
    yield server
    server.end()


def test_each_row_is_there_once_whatever_is_killed(
    project, postgresql, worker_command, worker_environment, tmp_path
):
    committing = import_module("tests.queues.rq.project_on_postgresql")
    with committing.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE copied (row integer)"))

    def rows():
        with committing.engine.begin() as connection:
            return list(connection.scalars(sa.text("SELECT row FROM copied ORDER BY row")))

    handle = committing.commit_rows.enqueue()
    for stop in ("stopped", "child", "main", None):
        worker = Worker(worker_command("Worker"), worker_environment, tmp_path / f"{stop}.log")
        try:
            many = len(rows()) + 20
            worker.until(lambda many=many: len(rows()) >= many, "some rows")
            match stop:
                case "stopped":
                    worker.signal_main(signal.SIGTERM)
                    assert worker.wait() == 0, worker.log
                    assert handle.info().reason == "stopping"
                case "child":
                    before, pid = handle.info().resumptions, horse(handle)
                    os.kill(pid, signal.SIGKILL)
                    worker.until(lambda: handle.info().resumptions > before, "its death")  # noqa: B023 - at once
                case "main":
                    worker.signal_main(signal.SIGKILL)
                    worker.wait()
                case None:
                    assert handle.result(timeout=DEADLINE) is None
        finally:
            worker.end()
    assert rows() == list(range(committing.ROWS))
    committing.app.queue.close()
    committing.engine.dispose()


def horse(handle):
    """The process that runs the job."""
    return int(handle.info().worker.rsplit("-", 2)[1])
