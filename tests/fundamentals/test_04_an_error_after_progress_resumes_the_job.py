"""An error does not throw away what is done: the job is resumed, or retried, with its progress."""

import pytest

from continuable import App, InvalidStepError, JobFailedError
from continuable.testing import TestQueue


@pytest.fixture
def app():
    return App(queue=TestQueue())


def test_an_error_after_progress_resumes_the_job_where_it_was(app):
    imported = []

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def rows(step):
            while step.cursor < 4:
                if step.cursor == 2 and job.executions == 1:
                    raise ConnectionError("the line is dead")
                imported.append(step.cursor)
                step.advance()

    handle = import_rows.enqueue()
    app.queue.run_enqueued()
    assert (handle.state(), handle.info().cursor) == ("interrupted", 2)
    assert handle.info().error == "ConnectionError: the line is dead"  # not hidden

    app.queue.drain()
    assert imported == [0, 1, 2, 3]


def test_an_error_without_progress_is_retried_so_often(app):
    attempts = []

    @app.job(max_retries=2, retry_wait=60)
    def unlucky(job):
        attempts.append(job.executions)
        raise ConnectionError("the line is dead")

    handle = unlucky.enqueue()
    with pytest.raises(ConnectionError):
        app.queue.drain()
    assert attempts == [1, 2, 3]
    with pytest.raises(JobFailedError, match="the line is dead"):
        handle.result()


def test_a_failed_job_is_retried_by_hand_from_where_it_was(app):
    ran = []
    is_mended = False

    @app.job(resume_errors_after_advancing=False)
    def fragile(job):
        job.step(lambda: ran.append("first"), name="first")
        if not is_mended:
            raise LookupError
        job.step(lambda: ran.append("second"), name="second")

    handle = fragile.enqueue()
    with pytest.raises(LookupError):
        app.queue.drain()
    is_mended = True
    handle.retry()
    app.queue.drain()
    assert ran == ["first", "second"]


def test_a_mistake_in_the_code_is_not_tried_again(app):
    """It would only be repeated. The progress is kept for the mended code."""

    @app.job(max_retries=10)
    def mistaken(job):
        job.step(lambda: None, name="first")
        job.step(lambda: None)  # has no name

    handle = mistaken.enqueue()
    with pytest.raises(InvalidStepError, match="give it one with name="):
        app.queue.drain()
    assert (handle.state(), handle.info().completed) == ("failed", ["first"])


def test_a_job_that_is_called_directly_lets_its_exceptions_out(app):
    @app.job(max_retries=10)
    def direct(job):
        job.step(lambda: None, name="first")
        raise LookupError("for the caller")

    with pytest.raises(LookupError, match="for the caller"):
        direct()
