"""A deploy: SIGTERM or SIGINT, again and again, at moments that nobody chose."""

import contextlib
import os
import random
import signal
from collections import Counter

import pytest

from continuable.model.states import State
from tests.queues.embedded.working.jobs import make_table, rows_in
from tests.queues.embedded.working.process import is_alive
from tests.waiting import until

SIGNALS = [signal.SIGTERM, signal.SIGINT]


def deploy_over(start, handle, target, count, chooses, *, by=SIGNALS, share=0.2):
    """Start and stop workers until the job is through; how often that was."""
    stops, done = 0, 0
    while True:
        worker = start(drain=True)
        # A job whose worker is killed three times in a row without progress fails: see to some.
        # More than there are: this worker is left to finish.
        wanted = done + 10 + int(chooses.random() * count * share)
        until(lambda n=wanted: imported(target) >= n or handle.state().is_finished)
        if handle.state().is_finished:
            assert worker.wait() == 0
            return stops
        number = chooses.choice(by)
        code = worker.stop(number)
        assert code == (-number if number == signal.SIGKILL else 0), worker.log
        stops += number != signal.SIGKILL or handle.state() is State.RUNNING
        done = imported(target)


def imported(target):
    """How many rows have come in, those that came twice counted once."""
    return len(set(rows_in(target)))


@pytest.mark.parametrize("mode", ["commit", "transaction"])
def test_every_row_is_there_once_however_often_the_worker_is_stopped(
    app, work_elsewhere, target, mode
):
    count = 600
    handle = app.jobs["import"].enqueue(mode, str(target), count)
    deploy_over(work_elsewhere, handle, target, count, random.Random(mode), share=0.6)
    assert rows_in(target) == list(range(count))
    assert handle.result() == count


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["commit", "transaction"])
@pytest.mark.parametrize(
    "by",
    [
        SIGNALS,
        [signal.SIGKILL],
        pytest.param([*SIGNALS, signal.SIGKILL], marks=pytest.mark.sample),
    ],
)
def test_every_row_is_there_once_at_any_kind_of_stop(app, work_elsewhere, target, mode, by):
    count = 2000
    handle = app.jobs["import"].enqueue(mode, str(target), count)
    deploy_over(work_elsewhere, handle, target, count, random.Random(5), by=by, share=0.2)
    assert rows_in(target) == list(range(count))
    assert handle.result() == count


def test_signals_redo_nothing_without_commit_either(app, work_elsewhere, tmp_path):
    target, count = tmp_path / "rows.db", 400
    make_table(target)
    handle = app.jobs["import"].enqueue("autocommit", str(target), count)
    stops = deploy_over(work_elsewhere, handle, target, count, random.Random(1), share=0.8)
    rows = Counter(rows_in(target))
    assert sorted(rows) == list(range(count))
    assert not [n for n, times in rows.items() if times > 1], stops


@pytest.mark.slow
def test_kills_redo_what_came_after_the_last_save(app, work_elsewhere, tmp_path):
    target, count = tmp_path / "rows.db", 1500
    make_table(target)
    # About 1 ms a row, saved every 50 ms and written by the heartbeat's next look.
    handle = app.jobs["import"].enqueue("autocommit", str(target), count, 1)
    by = [signal.SIGKILL]
    stops = deploy_over(work_elsewhere, handle, target, count, random.Random(2), by=by, share=0.4)
    rows = Counter(rows_in(target))
    assert sorted(rows) == list(range(count))
    redone = sum(rows.values()) - count
    assert 0 <= redone <= stops * 500
    assert handle.info().resumptions == stops


@pytest.mark.parametrize("name", ["loop", "async loop", "group"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_stopped_job_is_handed_back_and_resumes(app, work_elsewhere, marks, name, number):
    handle = app.jobs[name].enqueue()
    worker = work_elsewhere()
    marks_one = f"{handle.id}-1"
    until(lambda: marks.is_left(marks_one))
    assert worker.stop(number) == 0
    info = handle.info()
    assert (info.state, info.reason, info.worker) == (State.INTERRUPTED, "stopping", None)
    assert info.progress["current"][0] == "turn"
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    assert (handle.state(), handle.info().executions) == (State.COMPLETED, 2)


def test_a_swallowed_interrupt_is_raised_again_at_the_end_of_the_step(app, work_elsewhere, marks):
    handle = app.jobs["swallow"].enqueue()
    worker = work_elsewhere()
    until(lambda: marks.is_left(f"{handle.id}-1"))
    assert worker.stop() == 0
    assert marks.is_left("swallowed")
    assert not marks.is_left("second step")
    info = handle.info()
    assert (info.state, info.progress["completed"]) == (State.INTERRUPTED, [])
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    assert handle.state() is State.COMPLETED


def test_a_job_that_reaches_no_checkpoint_is_given_up_at_the_end_of_the_grace(
    app, work_elsewhere, marks
):
    handle = app.jobs["deaf"].enqueue()
    worker = work_elsewhere(grace=0.3)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    assert worker.stop() == 1
    assert "has reached no checkpoint for" in worker.log  # by another thread: before or after
    assert "not handed back in time" in worker.log
    assert handle.info().cursor == 42
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    info = handle.info()
    assert (info.state, info.reason, info.resumptions) == (State.COMPLETED, "stopping", 1)
    assert info.deaths == 0
    assert [entry.event for entry in app.queue.board.history(handle.id)] == ["job.interrupted"]


def test_a_job_without_checkpoints_is_told_of_before_anybody_stops_it(app, work_elsewhere, marks):
    handle = app.jobs["deaf"].enqueue()
    worker = work_elsewhere(grace=0.1)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    worker.await_log("has reached no checkpoint for")
    assert handle.state() is State.RUNNING
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    assert handle.info().longest_gap >= 0.1
    assert worker.stop() == 0


def test_a_second_signal_waits_for_no_grace(app, work_elsewhere, marks):
    handle = app.jobs["deaf"].enqueue()
    worker = work_elsewhere(grace=600)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    worker.send(signal.SIGTERM)
    worker.await_log("stops; its jobs have 600 s")
    assert worker.stop(signal.SIGINT) == 1
    # What the job had handed over to be saved is written before it is given up.
    assert handle.info().cursor == 42


def test_a_job_that_is_given_up_runs_nowhere_else_before_its_process_has_ended(
    app, work_elsewhere, marks
):
    """Also where what the worker wants to say goes into a pipe that is full."""
    handle = app.jobs["deaf"].enqueue()
    reader, writer = os.pipe()
    worker = work_elsewhere(grace=0.2, log_to=writer)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    other = work_elsewhere()
    other.await_start()
    fill(writer)
    worker.send(signal.SIGTERM)
    while is_alive(worker.pid):
        assert handle.info().executions == 1 or not is_alive(worker.pid)
    until(lambda: handle.info().executions == 2)
    assert (handle.info().reason, handle.info().deaths) == ("stopping", 0)
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    assert other.stop() == 0
    os.close(reader)
    os.close(writer)


def fill(pipe):
    """Write until it takes no more."""
    os.set_blocking(pipe, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(pipe, b"x"):
            pass
    os.set_blocking(pipe, True)


def test_two_signals_at_once_wait_for_no_grace(app, work_elsewhere, marks):
    handle = app.jobs["deaf"].enqueue()
    worker = work_elsewhere(grace=600)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    worker.send(signal.SIGSTOP)
    for number in SIGNALS:
        worker.send(number)
    worker.send(signal.SIGCONT)
    assert worker.wait() == 1
    assert handle.info().cursor == 42


def test_two_signals_to_an_idle_worker_are_as_good_as_one(app, work_elsewhere):
    worker = work_elsewhere(grace=600)
    worker.await_start()
    worker.send(signal.SIGSTOP)
    for each in SIGNALS:
        worker.send(each)
    worker.send(signal.SIGCONT)
    assert worker.wait() == 0
    assert "stopped" in worker.log


def test_an_idle_worker_stops_at_once(app, work_elsewhere, path):
    worker = work_elsewhere(grace=600)
    worker.await_start()
    assert worker.stop() == 0
    folder = path.with_name("jobs.db-workers")
    assert list(folder.iterdir()) == []


def test_all_threads_hand_back(app, work_elsewhere, marks):
    handles = [app.jobs[name].enqueue() for name in ("loop", "loop", "async loop", "group")]
    worker = work_elsewhere(threads=4)
    until(lambda: all(marks.is_left(f"{handle.id}-1") for handle in handles))
    assert worker.stop() == 0
    assert [handle.state() for handle in handles] == [State.INTERRUPTED] * 4
    marks.leave("go")
    assert work_elsewhere(drain=True, threads=2).wait() == 0
    assert [handle.state() for handle in handles] == [State.COMPLETED] * 4


def test_two_workers_share_the_work(app, work_elsewhere, path):
    handles = app.jobs["add"].enqueue_many([(n,) for n in range(400)])
    workers = [work_elsewhere(drain=True, threads=2) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert [handle.result() for handle in handles] == list(range(400))
    assert {handle.info().executions for handle in handles} == {1}
