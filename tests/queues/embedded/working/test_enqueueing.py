"""What an application does with its jobs, from `enqueue` to the end, and a worker after it."""

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest

from continuable.errors import DuplicateJobError, JobNotFoundError, SerializationError
from continuable.model.states import State
from continuable.queues.embedded.worker import Worker, WorkerOptions
from tests.waiting import DEADLINE


@pytest.fixture
def add(own):
    @own.job(name="add")
    def add(job, a, b=0):
        return a + b

    return add


@pytest.fixture
def count(own):
    return lambda: sum(own.queue.board.counts().values())


# --- all or nothing


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((object(),), SerializationError, "An argument of job 'add' .*object"),
        ((1, 2, 3), TypeError, "too many positional arguments"),
        ((), TypeError, "missing a required argument: 'a'"),
    ],
)
def test_arguments_that_cannot_be_kept_or_do_not_fit_put_nothing_on_the_queue(
    add, count, arguments, error, words
):
    with pytest.raises(error, match=words):
        add.enqueue(*arguments)
    with pytest.raises(error, match=words):
        add.enqueue_many([(1,), (2,), arguments, (3,)])
    assert count() == 0


def test_many_jobs_run_in_the_order_they_were_given(own, work):
    ran = []

    @own.job
    def noting(job, n):
        ran.append(n)

    handles = noting.enqueue_many([(n,) for n in range(1000)])
    assert len({handle.id for handle in handles}) == 1000
    assert work(own) == 0
    assert ran == list(range(1000))


def test_no_jobs_are_as_many_as_any(add, count):
    assert add.enqueue_many([]) == []
    assert count() == 0


def test_an_id_is_taken_for_as_long_as_its_job_is_known(own, add, work):
    handle = add.using(id="import-42").enqueue(1)
    with pytest.raises(DuplicateJobError, match=r"'import-42' already exists \(waiting\)"):
        add.using(id="import-42").enqueue(2)
    work(own)
    with pytest.raises(DuplicateJobError, match=r"\(completed\)"):
        add.using(id="import-42").enqueue(2)
    assert own.handle("import-42").result() == 1
    own.queue.table.discard(handle.id)
    assert add.using(id="import-42").enqueue(2).is_new


# --- when it starts


AT = datetime(2040, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9)), None])
def test_a_moment_is_the_same_in_every_zone_and_local_without_one(add, zone):
    moment = AT.astimezone(zone) if zone else AT.astimezone().replace(tzinfo=None)
    assert add.using(at=moment).enqueue(1).info().run_at == AT


def test_a_wait_counts_from_now(own, add, work):
    before = time.time()
    handle = add.using(wait=3600).enqueue(1)
    waits = handle.info().run_at.timestamp() - before
    assert 3600 <= waits < 3660
    assert work(own) == 0  # and does not wait for it
    assert handle.state() is State.WAITING


def test_a_moment_that_has_passed_is_now(own, add, work):
    handle = add.using(at=datetime(2001, 1, 1, tzinfo=UTC)).enqueue(1)
    assert work(own) == 0
    assert handle.result() == 1


def test_a_job_starts_when_its_time_has_come_and_not_before(own, beside):
    @own.job
    def timed(job):
        return time.time()

    now = time.time()
    late = timed.using(at=datetime.fromtimestamp(now + 0.6, UTC)).enqueue()
    soon = timed.using(wait=0.3).enqueue()

    def wait():
        assert soon.result(timeout=DEADLINE) >= now + 0.3
        assert late.result(timeout=DEADLINE) >= now + 0.6

    beside(wait, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert Worker(own.queue, WorkerOptions()).run() == 0


# --- once at a time


def test_a_unique_key_is_kept_through_every_interruption(own, execute):
    @own.job(max_retries=1)
    def import_rows(job):
        if job.executions == 2:
            raise ValueError("before any progress")

        @job.step(start=0)
        def turn(step):
            if not step.resumed:
                step.set(1)
                job.interrupt("later")

    def again():
        return import_rows.using(unique="upload:42").enqueue()

    handle = again()
    for state, reason in [(State.INTERRUPTED, "later"), (State.INTERRUPTED, "retry")]:
        execute(own, handle.id)
        assert (handle.state(), handle.info().reason) == (state, reason)
        assert (again().id, again().is_new) == (handle.id, False)
    handle.pause()
    assert (again().id, again().is_new) == (handle.id, False)
    execute(own, handle.id)
    assert handle.state() is State.COMPLETED, "its own key has not kept it from resuming"
    assert again().is_new


def test_a_unique_key_outlives_the_death_of_a_worker(own, add):
    handle = add.using(unique="key").enqueue(1)
    own.queue.table.claim_next("dead")
    own.queue.table.reclaim(["dead"])
    assert not add.using(unique="key").enqueue(2).is_new
    assert own.queue.table.claim_next("next").id == handle.id


@pytest.mark.parametrize("end", ["cancel", "discard"])
def test_a_unique_key_is_free_again_at_any_end(own, add, end):
    handle = add.using(unique="key").enqueue(1)
    handle.cancel() if end == "cancel" else own.queue.table.discard(handle.id)
    assert add.using(unique="key").enqueue(2).is_new


# --- where it goes, and goes again


def test_an_interrupted_job_comes_back_on_the_queue_it_was_on(own, work):
    @own.job(queue="declared", priority=1)
    def moving(job):
        if job.executions == 1:
            job.interrupt("once")
        return job.queue

    handle = moving.using(queue="chosen", priority=7).enqueue()
    assert work(own, queues=("declared",)) == 0
    assert handle.state() is State.WAITING
    assert work(own, queues=("chosen",)) == 0
    assert (handle.result(), handle.info().priority) == ("chosen", 7)


def test_a_resumed_job_keeps_its_place_before_what_came_in_later(own, work):
    ran = []

    @own.job
    def noting(job, name):
        ran.append(name)
        if name == "first" and job.executions == 1:
            job.interrupt("once")

    for name in ("first", "second", "third"):
        noting.enqueue(name)
    work(own)
    assert ran == ["first", "first", "second", "third"]


# --- failed jobs stay


@pytest.fixture
def failed(own, work):
    """A job that has failed in its second step, at a cursor; and whether it is mended."""
    mended = []

    @own.job(resume_errors_after_advancing=False)
    def importing(job):
        job.step(lambda: "checked", name="validate")

        @job.step(start=0)
        def process(step):
            begun = step.cursor
            step.set(51)
            if not mended:
                raise ValueError("bad row")
            return begun

        return process

    handle = importing.enqueue()
    work(own)
    assert handle.state() is State.FAILED
    handle.mended = mended
    return handle


def test_a_failed_job_stays_with_step_cursor_and_traceback(failed):
    info = failed.info()
    assert (info.step, info.cursor, info.completed) == ("process", 51, ["validate"])
    assert info.error == "ValueError: bad row"
    assert 'raise ValueError("bad row")' in info.traceback


def test_a_failed_job_is_retried_from_where_it_was(own, work, failed):
    failed.mended.append(True)
    failed.retry()
    work(own)
    assert (failed.result(), failed.info().executions) == (51, 2)


def test_a_failed_job_is_restarted_from_the_beginning(own, work, failed):
    failed.mended.append(True)
    failed.restart()
    assert failed.info().progress == {}
    work(own)
    assert failed.result() == 0


def test_a_failed_job_that_is_discarded_is_gone(own, failed):
    own.queue.table.discard(failed.id)
    with pytest.raises(JobNotFoundError):
        failed.info()


# --- in the user's own transaction


@pytest.fixture
def connection(own, path):
    """As most people open one, with a table of theirs."""
    own.queue.database.open()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
        yield connection


def orders(path):
    with closing(sqlite3.connect(path)) as other:
        return [row[0] for row in other.execute("SELECT id FROM orders")]


def test_a_job_is_there_with_the_rows_it_is_for(own, add, work, connection, path):
    with connection:
        connection.execute("INSERT INTO orders VALUES (1)")
        handle = add.using(connection=connection).enqueue(1)
        with pytest.raises(JobNotFoundError):
            handle.state()
    assert orders(path) == [1]
    work(own)
    assert handle.result() == 1


def test_a_job_is_gone_with_the_rows_it_was_for(add, count, connection, path):
    with pytest.raises(ZeroDivisionError), connection:  # noqa: PT012 - what is rolled back
        connection.execute("INSERT INTO orders VALUES (1)")
        add.using(connection=connection).enqueue_many([(1,), (2,)])
        1 / 0  # noqa: B018
    assert (orders(path), count()) == ([], 0)


def test_arguments_that_cannot_be_kept_leave_the_users_transaction_open(
    add, count, connection, path
):
    with connection:
        connection.execute("INSERT INTO orders VALUES (1)")
        with pytest.raises(SerializationError):
            add.using(connection=connection).enqueue(object())
    assert (orders(path), count()) == ([1], 0)


def test_a_transaction_that_has_not_begun_is_told_to(add, connection):
    with pytest.raises(ValueError, match="BEGIN IMMEDIATE"):
        add.using(connection=connection).enqueue(1)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`autocommit` came with Python 3.12")
@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_a_connection_that_is_always_in_a_transaction_will_do(own, add, count, path, ending):
    own.queue.database.open()
    with closing(sqlite3.connect(path, autocommit=False)) as connection:
        add.using(connection=connection).enqueue(1)
        assert count() == 0
        getattr(connection, ending)()
    assert count() == (1 if ending == "commit" else 0)
