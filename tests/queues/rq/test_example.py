"""The example does what it says, with RQ's own worker command."""

import os
import signal
import subprocess
import sys

import pytest

from continuable import App
from continuable.conformance.workers import Worker
from continuable.queues.rq import RQQueue
from tests.queues.rq.conftest import ROOT, RQ

pytestmark = pytest.mark.slow

ROWS = 30_000


def test_every_row_is_imported_although_workers_are_stopped_in_the_middle(
    project, redis_server, tmp_path
):
    lines = [f"A-{number},{number}.50\n" for number in range(ROWS)]
    (tmp_path / "orders.csv").write_text("order,amount\n" + "".join(lines))
    example = ROOT / "examples" / "rq_import.py"
    environment = {"REDIS_URL": redis_server.url, "PYTHONPATH": str(ROOT / "src")}
    enqueued = subprocess.run(
        [sys.executable, "-m", "continuable", "enqueue", example, "process_import", "orders.csv"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    job = App(queue=RQQueue(project.connection)).handle(enqueued.stdout.strip())
    workers = []

    def imported():
        return project.connection.hlen("orders")

    def start():
        options = ["--url", redis_server.url, "--path", str(example.parent), "imports"]
        log = tmp_path / f"worker-{len(workers)}.log"
        workers.append(Worker([RQ, "worker", *options], environment, log, folder=tmp_path))
        return workers[-1]

    try:
        for _ in range(2):
            worker, before = start(), imported()
            worker.until(lambda: imported() > before, "some rows")  # noqa: B023 - at once
            worker.signal_main(signal.SIGTERM)
            assert worker.wait() == 0
            assert (job.info().step, job.info().reason) == ("process_records", "stopping")
        last = start()
        last.until(lambda: job.state().is_finished, "the end of the job")
        assert job.result(timeout=0) == imported() == ROWS
        assert job.info().executions == 3
    finally:
        for worker in workers:
            worker.end()
