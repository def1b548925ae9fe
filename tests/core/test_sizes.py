"""What a store could not take is cut, or refused, before it is written."""

import pytest

from continuable import App
from continuable.core.outcome import LONGEST_ERROR, Completed, Failed
from continuable.errors import SerializationError
from tests.core.executing import execute, progress_of


@pytest.fixture
def app():
    return App()


@pytest.mark.parametrize("character", ["x", "ü", "\U0001f600"])
def test_a_long_error_keeps_its_end_and_says_that_it_was_cut(app, character):
    @app.job
    def fails(job):
        raise ValueError(character * 20_000_000 + " in row 7")

    report = execute(fails).report
    for text in (report.summary, report.traceback.rstrip()):
        assert len(text.encode()) <= LONGEST_ERROR + 100
        assert text.startswith("[... ")
        assert "bytes cut" in text.splitlines()[0]
        assert text.endswith(f"{character} in row 7")


def test_an_error_of_an_ordinary_length_is_kept_as_it_is(app):
    @app.job
    def fails(job):
        raise ValueError("x" * 1000)

    assert execute(fails).report.summary == f"ValueError: {'x' * 1000}"


def test_a_result_that_is_too_large_fails_the_job_and_keeps_its_progress(app):
    @app.job
    def returns_much(job):
        job.step(lambda: None, name="first")
        return "x" * 2_000_000

    outcome = execute(returns_much)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, SerializationError)
    assert "2,000,002 bytes" in str(outcome.error)
    assert "its key" in str(outcome.error)
    assert not outcome.may_retry
    assert progress_of(outcome)["completed"] == ["first"]


def test_a_large_result_is_kept(app):
    @app.job
    def returns_much(job):
        return "x" * 1_000_000

    assert isinstance(execute(returns_much), Completed)
