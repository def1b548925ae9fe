"""Jobs of a team that keeps its rows where Procrastinate is, and what its workers import."""

import asyncio
import os
import signal
import time
from pathlib import Path

import psycopg
import sqlalchemy as sa
from procrastinate import App as Procrastinate
from procrastinate import PsycopgConnector

from continuable import App
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.procrastinate import ProcrastinateQueue
from tests.queues.copied import copy_row

LEASE = 4.0
place = os.environ["CONTINUABLE_TEST_PROCRASTINATE"]
engine = sa.create_engine(place.replace("://", "+psycopg://"), pool_pre_ping=True)
procrastinate_app = Procrastinate(connector=PsycopgConnector(conninfo=place))
app = App(
    queue=ProcrastinateQueue(procrastinate_app),
    progress=SQLAlchemyProgress(engine, lease=LEASE),
    defaults={"resume_options": {"wait": 0.0}, "save_every": 0.05, "max_deaths": 2},
)


@app.job
def copy(job, folder, rows):
    """Copy rows into a table, each with its cursor; wait at every third for the file `go`."""

    @job.step(start=0)
    def process(step):
        for row in range(step.cursor, rows):
            copy_row(engine, step, row)
            if row % 3 == 2:
                wait_for(step, Path(folder, "go"))

    return rows


@app.job
def copy_with_psycopg(job, folder, rows):
    """The same, without SQLAlchemy."""

    @job.step(start=0)
    def process(step):
        with psycopg.connect(place, autocommit=True) as connection:
            for row in range(step.cursor, rows):
                with step.transaction(connection) as tx:
                    connection.execute("INSERT INTO copied VALUES (%s)", [row])
                    tx.save(row + 1)
                if row % 3 == 2:
                    wait_for(step, Path(folder, "go"))

    return rows


@app.job
async def acopy_with_psycopg(job, folder, rows):
    """The same, in the event loop of the worker."""

    @job.step(start=0)
    async def process(step):
        connected = psycopg.AsyncConnection.connect(place, autocommit=True)
        async with await connected as connection:
            for row in range(step.cursor, rows):
                async with step.transaction(connection) as tx:
                    await connection.execute("INSERT INTO copied VALUES (%s)", [row])
                    await tx.save(row + 1)
                if row % 3 == 2:
                    await await_for(step, Path(folder, "go"))

    await process
    return rows


def wait_for(step, path):
    while not path.exists():
        step.checkpoint()
        time.sleep(0.005)


async def await_for(step, path):
    is_there = path.exists
    while not is_there():
        step.checkpoint()
        await asyncio.sleep(0.005)


@app.job
def hold(job, folder):
    """Say that it runs, and wait for the file `go`."""

    @job.step(start=0)
    def process(step):
        step.set(1)
        begin(job, folder)
        wait_for(step, Path(folder, "go"))

    return job.executions


@app.job
async def ahold(job, folder):
    """Wait, once, where nothing but a cancellation can end it."""

    @job.step(start=0)
    async def process(step):
        step.set(step.cursor + 1)
        begin(job, folder)
        if step.cursor == 1:
            await asyncio.Event().wait()

    await process
    return job.executions


@app.job
def sleep(job, folder):
    """Come to no checkpoint before the file `go` is there."""

    @job.step(start=0)
    def process(step):
        step.set(1)
        begin(job, folder)
        while not Path(folder, "go").exists():
            time.sleep(0.005)

    return job.executions


@app.job
def isolated(job):
    """Three executions."""
    job.step(lambda: None, name="first")
    job.step(lambda: None, name="second", isolated=True)
    job.step(lambda: None, name="third", isolated=True)
    return job.executions


@app.job
def kill(job, folder):
    """Kill the worker."""
    begin(job, folder)
    os.kill(os.getpid(), signal.SIGKILL)


def begin(job, folder):
    with Path(folder, "begins").open("a") as file:
        file.write(f"{job.executions} {os.getpid()}\n")
