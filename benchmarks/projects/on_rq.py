"""RQ, whose workers import the plain tasks from a module of their own."""

import os

from redis import Redis
from rq import Queue

from benchmarks.projects import tasks
from benchmarks.projects.jobs import declare, lease
from continuable import App
from continuable.progress.redis import RedisProgress
from continuable.queues.rq import RQQueue

connection = Redis.from_url(os.environ[tasks.SERVER])
store = {"progress": RedisProgress(connection, **lease())} if lease() else {}
app = App(queue=RQQueue(connection), **store)
declare(app, globals())


def send_noop(batch: str, number: int, count: int) -> None:
    Queue(connection=connection).enqueue(tasks.noop, batch, number, count)


def send_rows(batch: str, turns: int) -> None:
    Queue(connection=connection).enqueue(tasks.rows, batch, turns)


def send_calibrate(batch: str) -> None:
    Queue(connection=connection).enqueue(tasks.calibrate, batch)
