"""What a worker of the tests imports: apps on RQ, and their jobs."""

import os
import time
from pathlib import Path

from redis import Redis
from rq import get_current_job

from continuable import App, Job, Step
from continuable.conformance.jobs import LEASE, declare
from continuable.progress.redis import RedisProgress
from continuable.queues.rq import RQQueue

LONG_WAIT = 8.0
"""Seconds: time to kill a worker before the job's time has come."""
AT_ONCE = {"resume_options": {"wait": 0.0}, "save_every": 0.1}

# No default: tests empty it, and another one may be there.
connection = Redis.from_url(os.environ["CONTINUABLE_TEST_RQ"])
app = App(queue=RQQueue(connection), progress=RedisProgress(connection, lease=LEASE))
declare(app, globals())

without_store = App(queue=RQQueue(connection), progress=None, defaults=AT_ONCE)


def note(path: str, what: object) -> None:
    """Add a line to a file."""
    with Path(path).open("a") as file:
        file.write(f"{what}\n")


@app.job(resume_options={"wait": 0.0})
def come_back(job: Job, path: str, times: int) -> int:
    """Interrupt itself so many times, in a step that moves each time."""

    @job.step(start=0)
    def count(step: Step[int]) -> int:
        while step.cursor < times:
            note(path, step.cursor)
            step.set(step.cursor + 1)
            job.interrupt("on purpose")
        return step.cursor

    return count


@without_store.job
def come_back_without_store(job: Job, path: str, times: int) -> int:
    """The same, with progress in the message alone."""

    @job.step(start=0)
    def count(step: Step[int]) -> int:
        while step.cursor < times:
            note(path, step.cursor)
            step.set(step.cursor + 1)
            job.interrupt("on purpose")
        return step.cursor

    return count


@app.job(resume_options={"wait": 0.6})
def come_back_later(job: Job, path: str) -> None:
    """Interrupt itself once."""
    note(path, time.monotonic())
    if job.executions == 1:
        job.interrupt("on purpose")


@app.job(resume_options={"wait": LONG_WAIT})
def come_back_much_later(job: Job, path: str) -> None:
    """Interrupt itself once."""
    note(path, time.time())
    if job.executions == 1:
        job.interrupt("on purpose")


@app.job(resume_options={"wait": 0.0})
def use_meta(job: Job, path: str) -> str:
    """Keep something in RQ's `meta`, and be interrupted."""
    current = get_current_job()
    if job.executions == 1:
        current.meta["mine"] = 42
        current.save_meta()
        job.interrupt("on purpose")
    return str(current.meta["mine"])


@app.job
def give_up(job: Job, path: str) -> None:
    """Cancel itself."""
    job.cancel("on purpose")


@app.job
def fail_to_import(job: Job) -> None:
    """Fail as a job does whose code is not here."""
    raise ModuleNotFoundError("no such module")


def follow(path: str) -> None:
    """A job of RQ's own, which depends on another."""
    note(path, "followed")


def succeeded(job, connection, result) -> None:
    """A callback of RQ's."""
    note(job.args[0], f"succeeded with {result}")


def failed(job, connection, *error) -> None:
    """A callback of RQ's."""
    note(job.args[0], "failed")


def copied(job, connection, result) -> None:
    """A callback of RQ's, for `copy_rows`."""
    note(f"{job.args[0]}/notes", f"succeeded with {result}")


def not_copied(job, connection, *error) -> None:
    """A callback of RQ's, for `copy_rows`."""
    note(f"{job.args[0]}/notes", "failed")
