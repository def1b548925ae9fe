"""What the handle of a job on a test queue tells, and what may be asked of the job by it."""

import sqlite3
from contextlib import closing

import pytest

from continuable import Interrupt
from continuable.errors import (
    DuplicateJobError,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    JobStateError,
    QueueError,
)
from continuable.model.states import REQUESTS, State


@pytest.fixture
def work(app):
    @app.job(name="work")
    def work(job, number=0):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")
        if number < 0:
            raise ValueError("negative")
        return number * 2

    return work


def interrupted(work, queue, number=0):
    handle = work.enqueue(number)
    queue.stopping = lambda job: True
    queue.run_enqueued()
    queue.stopping = None
    assert handle.state() is State.INTERRUPTED
    return handle


def change(queue, handle, **fields):
    """Have the store say something else of a job."""

    def to_fields(row, _now, _told):
        for name, value in fields.items():
            setattr(row, name, value)

    queue.store._change(handle.id, to_fields)


def failed(app, queue):
    @app.job(name="failing", resume_errors_after_advancing=False)
    def failing(job):
        job.step(lambda: None, name="a")
        if job.executions < 2:
            raise ValueError("not yet")
        return job.executions

    handle = failing.enqueue()
    with pytest.raises(ValueError, match="not yet"):
        queue.run_enqueued()
    return handle


def test_a_result_is_there_once_the_job_has_run(work, queue):
    handle = work.enqueue(21)
    assert handle.state() is State.WAITING
    with pytest.raises(TimeoutError):
        handle.result(timeout=0)
    queue.run_enqueued()
    assert (handle.state(), handle.result(timeout=0)) == (State.COMPLETED, 42)


def test_a_handle_is_found_again_by_its_id(app, work, queue):
    work.using(id="w-1").enqueue(21)
    queue.run_enqueued()
    assert app.handle("w-1").result() == 42
    with pytest.raises(JobNotFoundError):
        app.handle("w-2").state()


def test_an_id_is_taken_once(work, queue):
    work.using(id="w-1").enqueue()
    with pytest.raises(DuplicateJobError, match=r"'w-1' already exists \(waiting\)"):
        work.using(id="w-1").enqueue()
    queue.run_enqueued()
    with pytest.raises(DuplicateJobError):
        work.using(id="w-1").enqueue()


def test_a_unique_key_is_free_again_when_its_job_has_ended(work, queue):
    one = work.using(unique="k").enqueue()
    two = work.using(unique="k").enqueue()
    assert (one.is_new, two.is_new, two.id) == (True, False, one.id)
    assert len(queue.enqueued) == 1
    queue.run_enqueued()
    three = work.using(unique="k").enqueue()
    assert three.is_new
    assert three.id != one.id


def test_an_interrupted_job_keeps_its_unique_key(work, queue):
    one = work.using(unique="k").enqueue()
    queue.stopping = lambda job: True
    queue.run_enqueued()
    assert work.using(unique="k").enqueue().id == one.id
    assert len(queue.enqueued) == 1


def test_a_failed_job_tells_its_error(app, queue):
    handle = failed(app, queue)
    assert handle.state() is State.FAILED
    with pytest.raises(JobFailedError, match="ValueError: not yet") as caught:
        handle.result()
    assert 'raise ValueError("not yet")' in caught.value.traceback


def test_a_failed_job_is_retried_from_its_last_checkpoint(app, queue):
    handle = failed(app, queue)
    handle.retry()
    [waiting] = queue.enqueued
    assert waiting.progress == {"completed": ["a"]}
    queue.run_enqueued()
    assert handle.result() == 2


def test_a_paused_job_is_passed_over_until_it_is_resumed(work, queue):
    handle = work.enqueue()
    assert handle.pause().state is State.PAUSED
    assert (queue.enqueued, queue.drain()) == ([], 0)
    handle.resume()
    assert queue.drain() == 1
    assert handle.state() is State.COMPLETED


def test_an_interrupted_job_is_paused_with_its_progress(work, queue):
    handle = interrupted(work, queue)
    handle.pause()
    assert queue.drain() == 0
    handle.resume()
    assert queue.enqueued[0].progress == {"completed": ["a"]}


def asking(app, verb):
    """A job that asks something of itself in its middle, as somebody else would."""
    reasons = []

    @app.job(name="asking")
    def work(job):
        @job.step(start=0)
        def go(step):
            if job.executions == 1:
                getattr(app.handle(job.id), verb)()
            try:
                step.set(7)
            except Interrupt as interrupt:
                reasons.append(interrupt.reason)
                raise

        return job.executions

    return work, reasons


def test_a_running_job_is_paused_at_its_next_checkpoint(app, queue):
    work, reasons = asking(app, "pause")
    handle = work.enqueue()
    queue.run_enqueued()
    assert (handle.state(), reasons, queue.enqueued) == (State.PAUSED, ["paused"], [])
    assert handle.info().cursor == 7
    assert handle.info().resumptions == 0, "a pause is no mishap"
    handle.resume()
    queue.run_enqueued()
    assert handle.result() == 2


def test_a_running_job_is_cancelled_at_its_next_checkpoint(app, queue):
    work, reasons = asking(app, "cancel")
    handle = work.enqueue()
    assert queue.drain() == 1
    assert (handle.state(), reasons) == (State.CANCELLED, ["cancelled"])
    with pytest.raises(JobCancelledError):
        handle.result()


def test_a_running_job_that_is_restarted_is_superseded(app, queue):
    work, reasons = asking(app, "restart")
    handle = work.enqueue()
    queue.run_enqueued()
    assert reasons == ["superseded"]
    [waiting] = queue.enqueued
    assert (waiting.progress, waiting.resumptions) == ({}, 0), "from the beginning"
    queue.run_enqueued()
    assert handle.result() == 2


def test_a_superseded_run_writes_nothing(app, queue):
    @app.job
    def work(job):
        app.handle(job.id).restart()
        job.notify("halfway")
        return "old"

    handle = work.enqueue()
    queue.run_enqueued()
    assert [entry.event for entry in queue.board.history(handle.id)] == ["job.restarted"]
    assert handle.state() is State.WAITING


def test_a_running_job_shows_its_worker(app, queue):
    @app.job
    def work(job):
        return app.handle(job.id).info().worker

    handle = work.enqueue()
    queue.run_enqueued()
    assert handle.result()
    assert handle.info().worker is None


def test_a_job_may_take_a_pause_back_before_its_checkpoint(app, queue):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            app.handle(job.id).pause()
            app.handle(job.id).resume()
            step.set(7)

    handle = work.enqueue()
    queue.run_enqueued()
    assert handle.state() is State.COMPLETED


def test_a_job_that_cancels_itself_keeps_its_reason_and_progress(app, queue):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.cancel("no longer wanted")

    handle = work.enqueue()
    queue.run_enqueued()
    with pytest.raises(JobCancelledError, match="no longer wanted"):
        handle.result()
    assert handle.info().completed == ["a"]
    handle.retry()
    assert queue.enqueued[0].progress == {"completed": ["a"]}


def test_a_cancelled_job_does_not_run(work, queue):
    one, two = work.enqueue_many([(1,), (2,)])
    one.cancel()
    assert queue.run_enqueued() == 1
    assert (one.state(), two.state()) == (State.CANCELLED, State.COMPLETED)


def test_a_job_cancelled_by_an_earlier_one_of_the_same_run_does_not_run(app, work, queue):
    @app.job
    def first(job, other):
        app.handle(other).cancel()

    first.enqueue("w-1")
    handle = work.using(id="w-1").enqueue()
    assert queue.run_enqueued() == 1
    assert handle.state() is State.CANCELLED


def test_a_job_that_has_ended_may_be_restarted(work, queue):
    handle = work.enqueue(21)
    queue.run_enqueued()
    handle.restart()
    assert handle.state() is State.WAITING
    queue.run_enqueued()
    assert handle.result() == 42


def test_a_restart_is_refused_while_another_job_has_the_unique_key(work, queue):
    one = work.using(unique="k").enqueue()
    queue.run_enqueued()
    two = work.using(unique="k").enqueue()
    with pytest.raises(QueueError, match=f"Cannot restart job '{one.id}'.*'{two.id}' has its"):
        one.restart()
    assert [job.id for job in queue.enqueued] == [two.id]


ARROWS = [(verb, state) for verb in REQUESTS for state in State if state not in REQUESTS[verb]]


@pytest.mark.parametrize(("verb", "state"), [arrow for arrow in ARROWS if not arrow[1].is_running])
def test_what_a_state_does_not_allow_is_refused(work, queue, verb, state):
    handle = work.enqueue()
    change(queue, handle, state=state)
    with pytest.raises(JobStateError):
        queue.board.request(handle.id, verb)


def test_the_history_tells_what_happened(work, queue):
    handle = interrupted(work, queue)
    handle.pause()
    handle.resume()
    handle.cancel()
    history = queue.board.history(handle.id)
    assert [entry.event for entry in history] == [
        "job.interrupted",
        "job.paused",
        "job.resumed",
        "job.cancelled",
    ]
    assert history[0].data == {
        "reason": "stopping",
        "description": "after 'a'",
        "wait": 5.0,
        "execution": 1,
    }


def test_what_a_job_notifies_is_in_its_history(app, queue):
    @app.job
    def work(job):
        job.notify("halfway", rows=7)

    handle = work.enqueue()
    queue.run_enqueued()
    [entry] = queue.board.history(handle.id)
    assert (entry.event, entry.data) == ("halfway", {"rows": 7})


def test_jobs_are_listed_counted_and_pruned(work, queue):
    work.enqueue_many([(1,), (2,)])
    queue.run_enqueued()
    work.using(queue="slow").enqueue(3)
    board = queue.board
    assert [info.state for info in board.list()] == ["waiting", "completed", "completed"]
    assert len(board.list(states={State.COMPLETED}, limit=1)) == 1
    assert len(board.list(queue="slow", name="work")) == 1
    assert board.counts() == {State.COMPLETED: 2, State.WAITING: 1}
    assert board.prune(older_than=3600) == 0
    assert board.prune(older_than=0) == 2
    assert board.counts() == {State.WAITING: 1}


def test_a_job_enqueued_in_a_transaction_is_there_once_that_commits(work, queue):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        handle = work.using(connection=connection).enqueue()
        assert queue.enqueued == []
        connection.execute("COMMIT")
        assert [job.id for job in queue.enqueued] == [handle.id]


def test_a_job_enqueued_in_a_transaction_that_rolls_back_never_was(work, queue):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        handle = work.using(connection=connection).enqueue()
        connection.execute("ROLLBACK")
        assert queue.drain() == 0
        with pytest.raises(JobNotFoundError):
            handle.state()


def test_a_job_that_is_there_stays_when_another_of_its_id_is_committed(work, queue):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("BEGIN")
        work.using(connection=connection, id="w-1").enqueue(1)
        handle = work.using(id="w-1").enqueue(2)
        queue.run_enqueued()
        connection.execute("COMMIT")
    assert (handle.result(), queue.enqueued) == (4, [])
