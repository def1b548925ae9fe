"""A Celery user with PostgreSQL: rows and the cursor are one transaction."""

import os
import signal
from importlib import import_module

import pytest
import sqlalchemy as sa

from tests.queues.celery.conftest import PROJECT
from tests.queues.embedded.working.process import DEADLINE, until
from tests.servers.postgresql import PostgreSQL

pytestmark = pytest.mark.slow


@pytest.fixture
def postgresql(monkeypatch):
    server = PostgreSQL()
    url = f"postgresql+psycopg://test@127.0.0.1:{server.port}/postgres"
    monkeypatch.setenv("CONTINUABLE_TEST_POSTGRESQL", url)
    yield server
    server.end()


def test_each_row_is_there_once_whatever_is_killed(project, postgresql, start_worker):
    committing = import_module(f"{PROJECT}_on_postgresql")
    with committing.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE copied (row integer)"))

    def rows():
        with committing.engine.begin() as connection:
            return list(connection.scalars(sa.text("SELECT row FROM copied ORDER BY row")))

    handle = committing.commit_rows.enqueue()
    for whom in ("stopped", "child", "main"):
        worker, before = start_worker("prefork", app=f"{PROJECT}_on_postgresql:celery_app"), rows()
        until(lambda: len(rows()) > len(before) + 20, "some rows")  # noqa: B023 - at once
        match whom:
            case "stopped":
                worker.signal_all(signal.SIGTERM)
                assert worker.wait() == 0, worker.log
            case "child":
                pid = int(handle.info().worker.rsplit("-", 2)[1])
                os.kill(pid, signal.SIGKILL)
                until(lambda: handle.info().deaths or handle.info().resumptions == 2, "its death")
                worker.signal_all(signal.SIGKILL)
            case "main":
                worker.signal_main(signal.SIGKILL)
    start_worker("prefork", app=f"{PROJECT}_on_postgresql:celery_app")
    assert handle.result(timeout=DEADLINE) is None
    assert rows() == list(range(committing.ROWS))
    committing.engine.dispose()
