"""The example does what it says, with Celery's own worker command."""

import os
import signal
import subprocess
import sys

import pytest
from celery import Celery
from redis import Redis

from continuable import App
from continuable.conformance.workers import Worker
from continuable.queues.celery import CeleryQueue
from tests.queues.celery.conftest import ROOT

pytestmark = pytest.mark.slow

ROWS = 20_000
SOME = 300


def test_every_row_is_imported_although_workers_are_stopped_in_the_middle(
    project, redis_server, tmp_path
):
    lines = [f"A-{number},{number}.50\n" for number in range(ROWS)]
    (tmp_path / "orders.csv").write_text("order,amount\n" + "".join(lines))
    example = ROOT / "examples" / "celery_import.py"
    environment = {"REDIS_URL": redis_server.url, "PYTHONPATH": str(ROOT / "src")}
    enqueued = subprocess.run(
        [sys.executable, "-m", "continuable", "enqueue", example, "process_import", "orders.csv"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    celery_app = Celery("shop", broker=redis_server.url, set_as_current=False)
    job = App(queue=CeleryQueue(celery_app)).handle(enqueued.stdout.strip())
    environment["PYTHONPATH"] += f":{example.parent}"
    command = [sys.executable, "-m", "celery", "-A", "celery_import:celery_app", "worker"]
    client = Redis.from_url(redis_server.url)
    workers = []

    def start():
        log = tmp_path / f"worker-{len(workers)}.log"
        options = ["-c", "1", "-Q", "imports", "-l", "INFO"]
        workers.append(Worker([*command, *options], environment, log, folder=tmp_path))
        return workers[-1]

    try:
        for _ in range(2):
            before = client.hlen("orders")
            worker = start()
            worker.until(lambda: client.hlen("orders") > before + SOME, "some rows")  # noqa: B023 - at once
            worker.signal_main(signal.SIGTERM)
            assert worker.wait() == 0
            assert (job.info().step, job.info().reason) == ("process_records", "stopping")
        last = start()
        last.until(lambda: job.state().is_finished, "the end of the job")
        assert job.result(timeout=0) == client.hlen("orders") == ROWS
        assert job.info().executions == 3
    finally:
        for worker in workers:
            worker.end()
        client.close()
