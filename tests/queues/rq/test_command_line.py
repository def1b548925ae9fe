"""The command line while the Redis of RQ is away, and another store has the jobs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from continuable.conformance.workers import Worker
from tests.queues.rq.conftest import ROOT, RQ

pytestmark = pytest.mark.slow

PROJECT = """
import os
import time
from pathlib import Path

from redis import Redis

from continuable import App
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.rq import RQQueue

app = App(
    queue=RQQueue(Redis.from_url(os.environ["REDIS"])),
    progress=SQLiteProgress("progress.db", lease=1.0),
)


@app.job
def note(job):
    Path("noted").touch()


@app.job
def outlast_the_lease(job):
    time.sleep(2.0)
"""


@pytest.fixture
def server(redis_server):
    with redis_server.connected() as client:
        client.flushall()
    yield redis_server
    if not redis_server.accepts():
        redis_server.begin()


@pytest.fixture
def environment(server, tmp_path):
    places = [str(ROOT / "src"), str(tmp_path)]
    return os.environ | {"REDIS": server.url, "PYTHONPATH": os.pathsep.join(places)}


@pytest.fixture
def call(environment, tmp_path):
    (tmp_path / "project.py").write_text(PROJECT)

    def call(verb, *words):
        return subprocess.run(
            [sys.executable, "-m", "continuable", verb, "project:app", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return call


@pytest.fixture
def work(server, environment, tmp_path):
    workers = []

    def work(*options):
        command = [RQ, "worker", "--url", server.url, *options, "default"]
        log = tmp_path / f"worker-{len(workers)}.log"
        workers.append(Worker(command, environment, log, folder=tmp_path))
        return workers[-1]

    yield work
    for worker in workers:
        worker.end()


def test_a_job_that_could_not_be_sent_is_sent_by_the_next_worker(call, server, work, tmp_path):
    assert call("enqueue", "note", "--id", "x").returncode == 0
    assert call("pause", "x").returncode == 0
    work("--burst").wait()  # it drops the message of a job that is paused
    server.stop()
    resumed = call("resume", "x")
    assert resumed.returncode == 1
    (line,) = resumed.stderr.splitlines()
    assert line.startswith("Error: Job 'x' is interrupted, and could not be put on RQQueue(")
    assert line.endswith(": a worker does that once it can")
    server.begin()
    assert call("enqueue", "outlast_the_lease").returncode == 0
    work().until(Path(tmp_path, "noted").exists, "the job that was resumed")
