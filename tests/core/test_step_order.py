"""The rules that steps keep, and what is said of a job that breaks one."""

import contextlib

import pytest

from continuable import ContinuationError, InvalidStepError
from tests.core.executing import execute, execute_with, progress_of


def message_of(outcome):
    assert isinstance(outcome.error, InvalidStepError)
    return str(outcome.error)


def test_a_name_comes_once(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="x")
        job.step(lambda: None, name="x")

    message = message_of(execute(work))
    assert message.startswith("Step 'x' has already been encountered")
    assert "name=" in message


def test_a_name_comes_once_among_completed_steps_too(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="x")
        job.step(lambda: None, name="x")

    message = message_of(execute_with(work, {"completed": ["x"]}))
    assert message.startswith("Step 'x' has already been encountered")


def test_a_step_that_has_failed_is_not_begun_again_in_the_same_execution(app):
    @app.job
    def work(job):
        def fails():
            raise LookupError

        for _ in range(2):
            with contextlib.suppress(LookupError):
                job.step(fails)

    assert "'fails' has already been encountered" in message_of(execute(work))


def test_every_execution_may_come_by_the_same_names(app):
    # The original hands one job object to every attempt, which then knows the steps already.
    @app.job(max_retries=2, retry_wait=0)
    def work(job):
        job.step(lambda: None, name="x")
        if job.executions < 3:
            raise LookupError

    work.enqueue()
    app.queue.drain()
    assert app.queue.board.counts() == {"completed": 1}


def test_a_step_is_not_begun_inside_another(app):
    @app.job
    def work(job):
        @job.step
        def outer():
            job.step(lambda: None, name="inner")

    assert message_of(execute(work)) == "Step 'inner' is nested inside step 'outer'"


def test_a_completed_step_is_not_skipped_inside_another(app):
    @app.job
    def work(job):
        @job.step
        def outer():
            job.step(lambda: None, name="inner")

    outcome = execute_with(work, {"completed": ["inner"]})
    assert "expected to see 'inner'" in message_of(outcome)
    outcome = execute_with(work, {"completed": [], "current": ["outer", None]})
    assert message_of(outcome) == "Step 'inner' is nested inside step 'outer'"


def test_a_new_step_may_not_come_before_the_one_to_resume(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="b")
        job.step(lambda: None, name="a")

    outcome = execute_with(work, {"completed": [], "current": ["a", 3]})
    assert message_of(outcome) == "Step 'b' found, expected to resume from 'a'"


def test_a_job_may_not_go_on_without_a_step_that_has_failed(app):
    @app.job
    def work(job):
        def fails():
            raise LookupError

        try:
            job.step(fails)
        except LookupError:
            job.step(lambda: None, name="next")

    assert message_of(execute(work)) == "Step 'next' found, expected to resume from 'fails'"


def test_a_new_step_may_not_come_before_completed_ones(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")
        job.step(lambda: None, name="c")

    outcome = execute_with(work, {"completed": ["a", "c"]})
    assert message_of(outcome) == "Step 'b' found, expected to see 'c'"


def test_completed_steps_come_in_their_order(app):
    @app.job
    def work(job):
        job.step(lambda: None, name="b")
        job.step(lambda: None, name="a")

    assert message_of(execute_with(work, {"completed": ["a", "b"]})) == (
        "Step 'b' found, expected to see 'a'"
    )


def test_new_steps_may_come_behind(app):
    ran = []

    @app.job
    def work(job):
        for name in "abc":
            job.step(lambda name=name: ran.append(name), name=name)

    execute_with(work, {"completed": ["a"]})
    assert ran == ["b", "c"]


@pytest.mark.parametrize(
    ("progress", "lost"),
    [
        ({"completed": ["a", "gone"]}, "step 'gone'"),
        ({"completed": ["a"], "current": ["gone", 51001]}, "step 'gone'"),
        ({"completed": ["a", "also"], "current": ["gone", 1]}, "steps 'also', 'gone'"),
        ({"completed": [], "current": ["gone", 1]}, "step 'gone'"),
    ],
)
def test_a_step_that_is_no_longer_reached_is_no_silent_success(app, progress, lost):
    @app.job
    def work(job):
        if "a" in progress["completed"]:
            job.step(lambda: None, name="a")

    outcome = execute_with(work, progress)
    message = message_of(outcome)
    assert f"without reaching {lost} " in message
    for way_out in ("formerly='gone'", "removed_steps=", "job.cancel("):
        assert way_out in message
    assert progress_of(outcome) == progress


def test_a_job_that_gives_up_may_leave_its_steps_behind(app):
    @app.job
    def work(job):
        job.cancel("the upload was withdrawn")

    outcome = execute_with(work, {"completed": ["a"], "current": ["b", 3]})
    assert outcome.reason == "the upload was withdrawn"
    assert progress_of(outcome) == {"completed": ["a"], "current": ["b", 3]}


def test_a_step_that_failed_and_was_let_go_as_the_last_one_is_the_jobs_own_decision(app):
    @app.job
    def work(job):
        def fails():
            raise LookupError

        try:
            job.step(fails)
        except LookupError:
            return "good enough"

    assert execute(work).value == "good enough"


@pytest.mark.parametrize(
    "broken",
    [
        lambda job: job.step(lambda: None, name="a"),
        lambda job: job.step(lambda: job.step(lambda: 1, name="c"), name="b"),
        lambda job: job.step(lambda: 1),
    ],
)
def test_a_broken_rule_is_a_mistake_that_no_retry_mends(app, broken):
    @app.job(max_retries=5)
    def work(job):
        job.step(lambda: None, name="a")
        broken(job)

    outcome = execute(work)
    assert isinstance(outcome.error, ContinuationError)
    assert not outcome.may_retry
    assert progress_of(outcome)["completed"] == ["a"]
