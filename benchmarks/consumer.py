"""`python -m benchmarks.consumer ENGINE DATABASE JOBS`: prints the seconds that a worker took."""

from __future__ import annotations

import os
import sys
import time

from huey import SqliteHuey

from continuable import App, Job
from continuable.queues.embedded.worker import Worker, WorkerOptions

marks: list[float] = []


def ours(database: str, jobs: int) -> None:
    app = App(f"sqlite:///{database}")

    @app.job(name="noop")
    def noop(job: Job, number: int) -> None:
        mark(number, jobs)

    noop.enqueue_many([(number,) for number in range(jobs)])
    Worker(app.queue, WorkerOptions()).run()


def huey(database: str, jobs: int, **options: object) -> None:
    queue = SqliteHuey(filename=database, **options)

    @queue.task()
    def noop(number: int) -> None:
        mark(number, jobs)

    for number in range(jobs):
        noop(number)
    queue.create_consumer().run()


def unsafe_huey(database: str, jobs: int) -> None:
    huey(database, jobs, fsync=False)


def mark(number: int, jobs: int) -> None:
    if number in (0, jobs - 1):
        marks.append(time.perf_counter())
    if number == jobs - 1:
        print(marks[1] - marks[0], flush=True)
        os._exit(0)


if __name__ == "__main__":
    engine, database, jobs = sys.argv[1:]
    {"ours": ours, "huey": huey, "unsafe_huey": unsafe_huey}[engine](database, int(jobs))
