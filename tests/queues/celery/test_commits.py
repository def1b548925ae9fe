"""A Celery user with PostgreSQL: rows and the cursor are one transaction."""

import os
import signal
from functools import partial
from importlib import import_module

import pytest

from tests.queues import copied
from tests.queues.celery.conftest import PROJECT
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow


def test_each_row_is_there_once_whatever_is_killed(project, postgresql_beside, start_worker):
    committing = import_module(f"{PROJECT}_on_postgresql")
    copied.create(committing.engine)
    rows = partial(copied.rows, committing.engine)
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
    assert rows() == list(range(copied.ROWS))
    committing.engine.dispose()
