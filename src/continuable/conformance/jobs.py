"""The jobs that `QueueSuite` runs.

An adapter declares them in a module that its workers import:

app = App(queue=MyQueue(os.environ["MY_BROKER"]), progress=MyStore(..., lease=LEASE))
declare(app, globals())
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

from continuable.app import App
from continuable.conformance.journal import Journal, Run
from continuable.core.job import Job
from continuable.core.step import Step

LEASE = float(os.environ.get("CONTINUABLE_CONFORMANCE_LEASE", "4.0"))
"""Seconds: the lease of the store. A test can wait for it, or have a worker with a longer one."""
ELSEWHERE = "elsewhere"
"""The queue that workers must serve beside the engine's default one."""
ROWS = 12
HELD_AT = 6
"""The row that is not copied before the test lets the job go on."""
PAUSE = 0.005
SAVE_EVERY = 0.1
WAIT = 1.5
HIGH = 7


def copy_rows(job: Job, folder: str) -> int:
    """Copy rows one by one, each before the cursor moves past it; wait in the middle."""
    journal = Journal(folder)
    run = journal.begin(job.executions)
    job.step(lambda: run.write("prepare"), name="prepare")

    @job.step(start=0)
    def copy(step: Step[int]) -> int:
        step.total = ROWS
        for row in range(step.cursor, ROWS):
            while row == HELD_AT and not journal.is_released:
                step.checkpoint()
                time.sleep(PAUSE)
            run.write(str(row))
            step.advance(past=row)
            time.sleep(PAUSE)
        return ROWS

    job.step(lambda: run.write("finish"), name="finish")
    return copy


async def acopy_rows(job: Job, folder: str) -> int:
    """The same, in an event loop."""
    journal = Journal(folder)
    run = journal.begin(job.executions)
    job.step(lambda: run.write("prepare"), name="prepare")

    async def copy(step: Step[int]) -> int:
        for row in range(step.cursor, ROWS):
            while row == HELD_AT and not journal.is_released:
                step.checkpoint()
                await asyncio.sleep(PAUSE)
            run.write(str(row))
            step.set(row + 1)
            await asyncio.sleep(PAUSE)
        return ROWS

    copied = await job.step(copy, start=0)
    job.step(lambda: run.write("finish"), name="finish")
    return copied


def go_without_checkpoint(job: Job, folder: str) -> int:
    """Copy rows; come to no checkpoint once there is a file `block`, until the test says so."""
    journal = Journal(folder)
    run = journal.begin(job.executions)

    @job.step(start=0)
    def copy(step: Step[int]) -> int:
        for row in range(step.cursor, HELD_AT):
            run.write(str(row))
            step.set(row + 1)
        while not Path(folder, "block").exists():
            step.checkpoint()
            time.sleep(PAUSE)
        run.write("blocked")
        while not journal.is_released:
            time.sleep(PAUSE)
        return HELD_AT

    return copy


def note_that_it_ran(job: Job, folder: str, what: str) -> str:
    """Leave a line in the journal."""
    Journal(folder).begin(job.executions).write(what)
    return what


def run_isolated_steps(job: Job, folder: str) -> None:
    """Four steps, the second and the third isolated."""
    run = Journal(folder).begin(job.executions)
    job.step(lambda: run.write("first"), name="first")
    job.step(lambda: run.write("second"), name="second", isolated=True)
    job.step(lambda: run.write("third"), name="third", isolated=True)
    job.step(lambda: run.write("fourth"), name="fourth")


def move_elsewhere(job: Job, folder: str) -> list[Any]:
    """Interrupt itself once; where it comes back is what its `resume_options` say."""
    run = Journal(folder).begin(job.executions)
    _interrupt_once(job, run)
    return [job.queue, job.executions]


def fail(job: Job, folder: str, times: int) -> str:
    """Raise before any progress is made, so many times."""
    Journal(folder).begin(job.executions)
    if len(Journal(folder).begins) <= times:
        raise ValueError("no luck")
    return "well"


def fail_halfway(job: Job, folder: str) -> int:
    """Copy rows; fail in the middle of the first execution, for somebody to retry."""
    journal = Journal(folder)
    run = journal.begin(job.executions)

    @job.step(start=0)
    def copy(step: Step[int]) -> int:
        for row in range(step.cursor, ROWS):
            if row == HELD_AT and len(journal.begins) == 1:
                raise ValueError("no luck")
            run.write(str(row))
            step.advance(past=row)
        return ROWS

    return copy


def fail_after_progress(job: Job, folder: str) -> str:
    """Raise once, after a step."""
    run = Journal(folder).begin(job.executions)
    job.step(lambda: run.write("progress"), name="progress")
    if len(Journal(folder).begins) == 1:
        raise ValueError("no luck")
    return "well"


def _interrupt_once(job: Job, run: Run) -> None:
    if not job.state.get("was_interrupted"):
        job.state["was_interrupted"] = True
        run.write("interrupt")
        job.interrupt("on purpose")


JOBS: dict[Callable[..., Any], dict[str, Any]] = {
    copy_rows: {},
    acopy_rows: {},
    go_without_checkpoint: {},
    note_that_it_ran: {},
    run_isolated_steps: {},
    move_elsewhere: {"resume_options": {"wait": WAIT, "queue": ELSEWHERE, "priority": HIGH}},
    fail: {},
    fail_halfway: {"resume_errors_after_advancing": False},
    fail_after_progress: {},
}
"""Each with the options that it is declared with."""
ASYNC = frozenset({acopy_rows})


def declare(app: App, namespace: dict[str, Any], *, runs_async_jobs: bool = True) -> None:
    """Declare the jobs as if they were written in the module whose `globals()` these are.

    Engines that find a job by the name of its module find it there.
    """
    for function, options in JOBS.items():
        if function in ASYNC and not runs_async_jobs:
            continue
        own = FunctionType(function.__code__, globals(), function.__name__)
        own.__module__, own.__doc__ = namespace["__name__"], function.__doc__
        at_once = {"resume_options": {"wait": 0.0}, "save_every": SAVE_EVERY}
        namespace[function.__name__] = app.job(**{**at_once, **options})(own)
