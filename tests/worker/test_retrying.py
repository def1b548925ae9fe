"""The end of an execution is written until it is; what the job's own frames lock is freed."""

import sqlite3
import traceback

import pytest

from continuable import App
from continuable.core.outcome import Failed
from continuable.errors import StoreBusyError, StoreError
from continuable.events import JobFailed, JobInterrupted, JobRetried
from continuable.model.payload import JobRecord
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.consumer import Consumer, Finished, Requeue
from continuable.worker import retrying
from continuable.worker.retrying import until_written


def failed(row):
    """An exception with a local variable in its traceback, and another that caused it."""
    try:
        try:
            raise LookupError(row)
        except LookupError as cause:
            raise ValueError(row) from cause
    except ValueError as error:
        return error


def locals_of(error):
    frames = traceback.walk_tb(error.__traceback__)
    return {name: value for frame, _ in frames for name, value in frame.f_locals.items()}


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch):
    monkeypatch.setattr(retrying, "PAUSES", (0.0,))


def answering(*answers):
    left = list(answers)

    def write(_timeout):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return write


@pytest.mark.parametrize("answers", [["written"], [StoreError("away"), "written"]])
def test_a_traceback_keeps_its_locals_where_nothing_is_locked(answers):
    error = failed("row 7")
    assert until_written(answering(*answers), "1", error=error) == "written"
    assert locals_of(error)["row"] == "row 7"


def test_a_traceback_loses_its_locals_where_the_database_is_locked():
    error = failed("row 7")
    write = answering(StoreBusyError("locked"), "written")
    assert until_written(write, "1", error=error) == "written"
    assert "row" not in locals_of(error)
    assert "row" not in locals_of(error.__cause__)


@pytest.fixture
def app():
    return App()


@pytest.fixture
def store(tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    yield store
    store.close()


@pytest.fixture
def consumer(app, store):
    consumer = Consumer(app.jobs, store, lambda record, wait: None)
    consumer.start()
    yield consumer
    consumer.close()


@pytest.fixture
def seen(app):
    """The events, and the locals that an error tracker finds in each one's exception."""
    seen = []
    for kind in (JobFailed, JobInterrupted, JobRetried):
        app.subscribe(lambda event: seen.append((event, locals_of(event.exception))), kind)
    return seen


def message(job):
    return JobRecord(id="1", name=job.name)


def test_an_engine_and_a_subscriber_get_the_traceback_with_its_locals(app, consumer, seen):
    @app.job
    def work(job):
        customer = "Ada"
        raise LookupError(customer.lower())

    delivered = consumer.run(message(work))

    assert isinstance(delivered, Finished)
    assert isinstance(delivered.outcome, Failed)
    assert locals_of(delivered.outcome.error)["customer"] == "Ada"
    [(event, found)] = seen
    assert event.exception is delivered.outcome.error
    assert found["customer"] == "Ada"


def test_so_they_do_where_the_job_goes_on(app, consumer, seen):
    @app.job(max_retries=1, retry_wait=0.0)
    def work(job):
        if job.executions == 2:
            job.step(lambda: None, name="a")
        customer = f"Ada {job.executions}"
        raise LookupError(customer)

    first = consumer.run(message(work))
    second = consumer.run(first.record)

    assert isinstance(second, Requeue)
    assert [type(event) for event, _ in seen] == [JobRetried, JobInterrupted]
    assert [found["customer"] for _, found in seen] == ["Ada 1", "Ada 2"]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the connection that is let go
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("advanced", [False, True])
def test_a_transaction_that_the_traceback_keeps_open_is_let_go(
    app, consumer, tmp_path, monkeypatch, advanced
):
    monkeypatch.setattr("continuable.progress.sql.store.LOCK_WAITS", (0.05, 0.05))
    events, found = [], set()
    for kind in (JobFailed, JobInterrupted):
        app.subscribe(events.append, kind)  # somebody keeps the exception
        app.subscribe(lambda event: found.update(locals_of(event.exception)), kind)

    @app.job
    def work(job):
        if advanced:
            job.step(lambda: None, name="a")
        connection = sqlite3.connect(tmp_path / "progress.db", check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        raise LookupError("x")

    delivered = consumer.run(message(work))

    assert isinstance(delivered, Requeue if advanced else Finished)
    assert "connection" in found
    [event] = events
    assert "connection" not in locals_of(event.exception)
