"""The thread that minds the running jobs of a worker process."""

import threading
import time
from functools import partial
from itertools import pairwise

import pytest

from continuable.events.stream import EventStream
from continuable.queues.embedded.sweeping import sweeping
from continuable.worker import watcher as watchers
from continuable.worker.run import RunningJob
from continuable.worker.watcher import Watcher
from tests.waiting import DEADLINE, until


@pytest.fixture
def watcher(table):
    watcher = Watcher(table, "alive", 600.0, [sweeping(table, "alive", EventStream())])
    yield watcher
    watcher.stop()


@pytest.fixture
def sleeper(table, monkeypatch):
    """Looks at nothing by itself."""
    monkeypatch.setattr(watchers, "IDLE_REST", 600.0)
    monkeypatch.setattr(watchers, "LONGEST_REST", 600.0)
    monkeypatch.setattr(type(table), "controls_every", 600.0)
    watcher = Watcher(table, "alive", 600.0)
    yield watcher
    watcher.stop()


@pytest.fixture
def minded(table):
    """Makes a job that hands over to a watcher."""

    def minded(watcher, claimed, *, save_every=600.0, max_runtime=None):
        return RunningJob(
            table, claimed, watcher.wake, save_every=save_every, max_runtime=max_runtime
        )

    return minded


@pytest.fixture
def running(minded, watcher):
    return partial(minded, watcher)


def test_a_job_that_comes_while_the_watcher_looks_is_minded_in_time(
    watcher, running, running_elsewhere, database, monkeypatch
):
    monkeypatch.setattr(watchers, "IDLE_REST", 600.0)
    job = running(running_elsewhere(), max_runtime=0.01)
    looking, go_on = threading.Event(), threading.Event()
    look = database.check

    def look_slowly():
        looking.set()
        assert go_on.wait(DEADLINE)
        look()

    monkeypatch.setattr(database, "check", look_slowly)
    watcher.start()
    assert looking.wait(DEADLINE)
    watcher.add(job)
    go_on.set()
    until(lambda: job.attention.interrupt_reason == "max_runtime")


def test_the_end_of_an_old_execution_leaves_the_new_one_of_the_same_job_minded(
    watcher, running, running_elsewhere, table
):
    old = running(running_elsewhere())
    table.request(old.claimed.id, "restart")
    new = running(table.claim_job("alive", old.claimed.id))
    watcher.add(old)
    watcher.add(new)
    watcher.start()
    until(lambda: old.attention.is_superseded)
    watcher.remove(old)
    table.request(new.claimed.id, "pause")
    until(lambda: new.attention.interrupt_reason == "paused")
    assert not new.attention.is_superseded


def test_progress_that_cannot_be_written_is_reported_once_and_written_later(
    watcher, running, running_elsewhere, table, raw, log, monkeypatch
):
    monkeypatch.setattr(watchers, "WRITE_WAIT", 0.01)
    job, idle = running(running_elsewhere()), running(running_elsewhere())
    looks = []
    monkeypatch.setattr(idle, "write", looks.append)
    for told in (1, 2):
        raw.execute("BEGIN IMMEDIATE")
        job.save(f'{{"current":["a",{told}]}}', is_border=False)
        if told == 1:
            watcher.add(job)
            watcher.add(idle)
            watcher.start()
        looked = len(looks)
        until(lambda looked=looked: len(looks) > looked + 4)
        assert log.text.count("Jobs go on, and it is tried again") == told
        assert "locked by another connection" in log.text
        raw.execute("ROLLBACK")
        until(lambda told=told: table.find(job.claimed.id).cursor == told)


def test_the_trouble_of_one_job_does_not_keep_another_from_being_saved(
    watcher, running, running_elsewhere, table, monkeypatch
):
    bad, good = running(running_elsewhere()), running(running_elsewhere())

    def break_down(timeout):
        raise RuntimeError("unexpected")

    monkeypatch.setattr(bad, "write", break_down)
    good.save('{"current":["a",5]}', is_border=False)
    watcher.add(bad)
    watcher.add(good)
    watcher.start()
    until(lambda: table.find(good.claimed.id).cursor == 5)


def test_what_a_job_hands_over_is_written_at_once(sleeper, minded, running_elsewhere, table):
    job = minded(sleeper, running_elsewhere())
    sleeper.add(job)
    sleeper.start()
    for number in range(1, 4):
        job.save(f'{{"current":["a",{number}]}}', is_border=False)
        until(lambda number=number: table.find(job.claimed.id).cursor == number)
        job.note("told", {"number": number})
        until(
            lambda number=number: (
                [entry.data["number"] for entry in table.history(job.claimed.id)]
                == list(range(1, number + 1))
            ),
            deadline=10,
        )


def test_it_rests_until_something_is_due(sleeper, minded, running_elsewhere, table, monkeypatch):
    looks = []
    monkeypatch.setattr(table, "version", lambda: looks.append(time.monotonic()))
    monkeypatch.setattr(type(table), "controls_every", 0.05)
    job = minded(sleeper, running_elsewhere())
    sleeper.add(job)
    sleeper.start()
    until(lambda: len(looks) > 4)
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert min(gaps) >= 0.05 - watchers.SLACK


def test_a_duty_for_jobs_is_done_only_while_some_are_running(
    table, minded, running_elsewhere, monkeypatch
):
    monkeypatch.setattr(watchers, "IDLE_REST", 0.01)
    done, idle = [], []
    duties = [
        watchers.Duty("for jobs", 0.01, lambda: done.append(1), is_for_jobs=True),
        watchers.Duty("always", 0.01, lambda: idle.append(1)),
    ]
    watcher = Watcher(table, "alive", 600.0, duties)
    job = minded(watcher, running_elsewhere())
    watcher.start()
    try:
        until(lambda: len(idle) > 4)
        assert not done
        watcher.add(job)
        until(lambda: len(done) > 1)
    finally:
        watcher.stop()


def test_a_save_as_often_as_possible_leaves_time_for_the_job(table, running_elsewhere):
    job = RunningJob(table, running_elsewhere(), list, save_every=0.0, max_runtime=None)
    now = job.next_due()
    job.attend_to_time(now)
    assert job.attention.is_save_due
    assert job.next_due() > now
