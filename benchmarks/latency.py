"""How fast a worker hears: of a job, of a signal, of the death of another one."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.table import Figure
from continuable import App, Job, Step
from continuable.model.states import State
from continuable.queues.embedded.worker import Worker, WorkerOptions

ROUNDS = 7
ENQUEUES = 60
CHECKPOINT_GAP = 0.001
PATIENCE = 20.0


def app_at(database: str) -> App:
    app = App(f"sqlite:///{database}")

    @app.job(name="when")
    def when(job: Job) -> float:
        return time.time()

    @app.job(name="long", save_every=0.1)
    def long(job: Job) -> None:
        @job.step(start=0)
        def rows(step: Step[int]) -> None:
            while True:
                time.sleep(CHECKPOINT_GAP)
                step.advance()

    return app


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        app = app_at(str(Path(folder) / "jobs.db"))
        app.queue.database.open()
        with worker(app):
            taken = [enqueue_to_started(app) for _ in range(ENQUEUES)]
        yield Figure("enqueue to started, idle worker", statistics.median(taken), "ms", "<= 20")
        taken = [term_to_enqueued(app) for _ in range(ROUNDS)]
        yield Figure("SIGTERM to re-enqueued", statistics.median(taken), "ms", "<= 50")
        taken = [kill_to_resumed(app) for _ in range(ROUNDS)]
        yield Figure("SIGKILL to resumed elsewhere", statistics.median(taken), "ms", "<= 1000")
        app.queue.close()


def enqueue_to_started(app: App) -> float:
    before = time.time()
    handle = app.jobs["when"].enqueue()
    started = handle.result(timeout=PATIENCE)
    return (started - before) * 1000


def term_to_enqueued(app: App) -> float:
    handle = app.jobs["long"].enqueue()
    with worker(app) as process:
        until(lambda: handle.info().saved_at is not None)
        sent = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        until(lambda: handle.state() is State.INTERRUPTED)
        taken = time.perf_counter() - sent
    handle.cancel()
    return (taken - CHECKPOINT_GAP) * 1000


def kill_to_resumed(app: App) -> float:
    handle = app.jobs["long"].enqueue()
    with worker(app) as first:
        until(lambda: handle.info().saved_at is not None)
        with worker(app):
            app.jobs["when"].enqueue().result(timeout=PATIENCE)  # the second one works
            first.kill()
            killed = time.perf_counter()
            until(lambda: handle.info().executions > 1)
            taken = time.perf_counter() - killed
            handle.cancel()
            until(lambda: handle.state() is State.CANCELLED)
    return taken * 1000


@contextmanager
def worker(app: App) -> Iterator[subprocess.Popen[bytes]]:
    database = str(app.queue.database.path)
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.latency", database])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker has not come that far")
        time.sleep(0.0005)


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.exit(Worker(app_at(sys.argv[1]).queue, WorkerOptions(grace=5)).run())
