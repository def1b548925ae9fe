"""An RQ user with PostgreSQL: rows and the cursor are one transaction."""

import os
import signal
from functools import partial
from importlib import import_module

import pytest

from continuable.conformance.workers import Worker
from tests.queues import copied
from tests.waiting import DEADLINE

pytestmark = pytest.mark.slow


def test_each_row_is_there_once_whatever_is_killed(
    project, postgresql_beside, worker_command, worker_environment, tmp_path
):
    committing = import_module("tests.queues.rq.project_on_postgresql")
    copied.create(committing.engine)
    rows = partial(copied.rows, committing.engine)
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
    assert rows() == list(range(copied.ROWS))
    committing.app.queue.close()
    committing.engine.dispose()


def horse(handle):
    """The process that runs the job."""
    return int(handle.info().worker.rsplit("-", 2)[1])
