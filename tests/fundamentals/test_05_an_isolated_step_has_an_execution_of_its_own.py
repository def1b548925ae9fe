"""A step that needs much time or memory can be had alone: nothing runs before or after it there."""

import pytest

from continuable import App
from continuable.testing import TestQueue


@pytest.fixture
def app():
    return App(queue=TestQueue())


def test_an_isolated_step_starts_an_execution_of_its_own_and_so_does_the_next(app):
    executions = {}

    @app.job
    def report(job):
        def runs_in(name):
            executions[name] = job.executions

        job.step(lambda: runs_in("collect"), name="collect")
        job.step(lambda: runs_in("sort"), name="sort")
        job.step(lambda: runs_in("render"), name="render", isolated=True)
        job.step(lambda: runs_in("mail"), name="mail")

    report.enqueue()
    app.queue.drain()
    assert executions == {"collect": 1, "sort": 1, "render": 2, "mail": 3}


def test_it_is_planned_so_it_waits_for_nothing_and_uses_up_no_resumption(app):
    @app.job(max_resumptions=0, resume_options={"wait": 3600})
    def report(job):
        job.step(lambda: None, name="collect")
        job.step(lambda: None, name="render", isolated=True)
        return job.resumptions

    handle = report.enqueue()
    app.queue.run_enqueued()
    [waiting] = app.queue.enqueued
    assert (waiting.reason, waiting.wait) == ("isolating", 0.0)
    app.queue.drain()
    assert handle.result() == 0


def test_a_job_may_end_its_executions_by_the_clock_as_well(app):
    """`max_runtime`: at the first checkpoint after so many seconds. Here, at every one."""

    @app.job(max_runtime=0)
    def patient(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                step.advance()

        return job.executions

    handle = patient.enqueue()
    app.queue.drain()
    assert handle.result() == 4
