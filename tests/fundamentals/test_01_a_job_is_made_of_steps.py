"""A job is a function that is handed a `Job`; what it wants done once, it does in steps.

Read these files from 01 to 08: each builds on those before it.
"""

import pytest

from continuable import App, InvalidStepError, Job
from continuable.testing import TestQueue, interrupt_after_step

# An app is a registry of jobs on one queue. This queue runs its jobs when a test says so.
app = App(queue=TestQueue())

baked = []


@app.job
def bake(job: Job, flour: str) -> str:
    """Steps are functions: named ones, lambdas with a name, or blocks right here."""

    def knead() -> None:
        baked.append(f"{flour} dough")

    job.step(knead)  # runs now; its name in the progress is `knead`
    job.step(lambda: baked.append("risen"), name="rise")

    @job.step
    def cool() -> str:
        """A decorated block runs at once, too."""
        baked.append("bread")
        return "fresh"

    return f"{cool} {flour} bread"  # the name is bound to what the block returned


@pytest.fixture(autouse=True)
def clean_kitchen():
    baked.clear()


def test_a_job_can_be_called_like_a_function():
    assert bake("rye") == "fresh rye bread"
    assert baked == ["rye dough", "risen", "bread"]


def test_a_job_can_be_put_on_a_queue_where_a_worker_runs_it():
    handle = bake.enqueue("rye")
    assert handle.state() == "waiting"
    app.queue.drain()  # what a worker does all day
    assert handle.state() == "completed"
    assert handle.result() == "fresh rye bread"


def test_a_completed_step_is_skipped_when_the_job_resumes():
    handle = bake.enqueue("rye")
    with interrupt_after_step(bake, "rise"):  # as if the worker had been told to stop there
        app.queue.run_enqueued()
    assert handle.state() == "interrupted"
    assert handle.info().completed == ["knead", "rise"]

    app.queue.drain()
    assert handle.result() == "fresh rye bread"
    assert baked == ["rye dough", "risen", "bread"]  # each of them once


def test_what_stands_outside_of_steps_runs_at_every_start():
    starts = []

    @app.job(name="outside")
    def outside(job):
        starts.append(job.executions)
        job.step(lambda: None, name="first")
        job.step(lambda: None, name="second")

    outside.enqueue()
    with interrupt_after_step(outside, "first"):
        app.queue.run_enqueued()
    app.queue.drain()
    assert starts == [1, 2]


def test_each_step_has_a_name_of_its_own():
    @app.job(name="twins")
    def twins(job):
        for _ in range(2):
            job.step(lambda: None, name="same")

    with pytest.raises(InvalidStepError, match="already been encountered"):
        twins()
