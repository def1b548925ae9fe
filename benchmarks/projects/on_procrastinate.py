"""Procrastinate, with tasks that are plain, and others that are not."""

import os

import procrastinate

from benchmarks.projects import tasks
from benchmarks.projects.jobs import declare, lease
from continuable import App, Job
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.procrastinate import ProcrastinateQueue

url = os.environ[tasks.SERVER]
conninfo = url.replace("+psycopg", "")
procrastinate_app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
store = {"progress": SQLAlchemyProgress(url, **lease())} if lease() else {}
app = App(queue=ProcrastinateQueue(procrastinate_app), **store)
declare(app, globals())


@app.job
async def anoop(job: Job, batch: str, number: int, count: int) -> None:
    tasks.noop(batch, number, count)


@procrastinate_app.task
def plain_noop(batch: str, number: int, count: int) -> None:
    tasks.noop(batch, number, count)


@procrastinate_app.task
def plain_rows(batch: str, turns: int) -> None:
    tasks.rows(batch, turns)


@procrastinate_app.task
def calibrate(batch: str) -> None:
    tasks.calibrate(batch)


@procrastinate_app.task
async def plain_anoop(batch: str, number: int, count: int) -> None:
    tasks.noop(batch, number, count)


def send_noop(batch: str, number: int, count: int) -> None:
    plain_noop.defer(batch=batch, number=number, count=count)


def send_rows(batch: str, turns: int) -> None:
    plain_rows.defer(batch=batch, turns=turns)


def send_calibrate(batch: str) -> None:
    calibrate.defer(batch=batch)


def send_anoop(batch: str, number: int, count: int) -> None:
    plain_anoop.defer(batch=batch, number=number, count=count)
