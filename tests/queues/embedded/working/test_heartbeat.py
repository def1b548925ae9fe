"""The thread that minds the running jobs of a worker process."""

import threading
import time
from functools import partial
from itertools import pairwise

import pytest

from continuable.worker import heartbeat as heartbeats
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.periodic import SLACK, PeriodicTask
from continuable.worker.run import RunningJob
from tests.waiting import DEADLINE, until


@pytest.fixture
def heartbeat(table):
    heartbeat = Heartbeat(table, "alive", 600.0)
    yield heartbeat
    heartbeat.stop()


@pytest.fixture
def sleeper(table, monkeypatch):
    """Looks at nothing by itself."""
    monkeypatch.setattr(heartbeats, "IDLE_REST", 600.0)
    monkeypatch.setattr(heartbeats, "LONGEST_REST", 600.0)
    monkeypatch.setattr(type(table), "controls_every", 600.0)
    heartbeat = Heartbeat(table, "alive", 600.0)
    yield heartbeat
    heartbeat.stop()


@pytest.fixture
def minded(table):
    """Makes a job that hands over to a heartbeat."""

    def minded(heartbeat, claimed, *, save_every=600.0, max_runtime=None):
        return RunningJob(
            table, claimed, heartbeat.wake, save_every=save_every, max_runtime=max_runtime
        )

    return minded


@pytest.fixture
def running(minded, heartbeat):
    return partial(minded, heartbeat)


def test_a_job_that_comes_while_the_heartbeat_looks_is_minded_in_time(
    table, minded, running_elsewhere, monkeypatch
):
    monkeypatch.setattr(heartbeats, "IDLE_REST", 600.0)
    looking, go_on = threading.Event(), threading.Event()

    def look_slowly():
        looking.set()
        assert go_on.wait(DEADLINE)

    heartbeat = Heartbeat(table, "alive", 600.0, [PeriodicTask("slow", 0.0, look_slowly)])
    job = minded(heartbeat, running_elsewhere(), max_runtime=0.01)
    heartbeat.start()
    try:
        assert looking.wait(DEADLINE)
        heartbeat.add(job)
        go_on.set()
        until(lambda: job.attention.interrupt_reason == "max_runtime")
    finally:
        heartbeat.stop()


def test_the_end_of_an_old_execution_leaves_the_new_one_of_the_same_job_minded(
    heartbeat, running, running_elsewhere, table
):
    old = running(running_elsewhere())
    table.request(old.claimed.id, "restart")
    new = running(table.claim_job("alive", old.claimed.id))
    heartbeat.add(old)
    heartbeat.add(new)
    heartbeat.start()
    until(lambda: old.attention.is_superseded)
    heartbeat.remove(old)
    table.request(new.claimed.id, "pause")
    until(lambda: new.attention.interrupt_reason == "paused")
    assert not new.attention.is_superseded


def test_progress_that_cannot_be_written_is_reported_once_and_written_later(
    heartbeat, running, running_elsewhere, table, raw, log, monkeypatch
):
    monkeypatch.setattr(heartbeats, "WRITE_WAIT", 0.01)
    job, idle = running(running_elsewhere()), running(running_elsewhere())
    looks = []
    monkeypatch.setattr(idle, "write", lambda *_: looks.append(1))
    for told in (1, 2):
        raw.execute("BEGIN IMMEDIATE")
        job.save(f'{{"current":["a",{told}]}}', is_border=False)
        if told == 1:
            heartbeat.add(job)
            heartbeat.add(idle)
            heartbeat.start()
        looked = len(looks)
        until(lambda looked=looked: len(looks) > looked + 4)
        assert log.text.count("Jobs go on, and it is tried again") == told
        assert "locked by another connection" in log.text
        raw.execute("ROLLBACK")
        until(lambda told=told: table.find(job.claimed.id).cursor == told)


def test_the_trouble_of_one_job_does_not_keep_another_from_being_saved(
    heartbeat, running, running_elsewhere, table, monkeypatch
):
    bad, good = running(running_elsewhere()), running(running_elsewhere())

    def break_down(timeout, tell):
        raise RuntimeError("unexpected")

    monkeypatch.setattr(bad, "write", break_down)
    good.save('{"current":["a",5]}', is_border=False)
    heartbeat.add(bad)
    heartbeat.add(good)
    heartbeat.start()
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
    assert min(gaps) >= 0.05 - SLACK


def test_a_task_for_jobs_is_done_only_while_some_are_running(
    table, minded, running_elsewhere, monkeypatch
):
    monkeypatch.setattr(heartbeats, "IDLE_REST", 0.01)
    done, idle = [], []
    tasks = [
        PeriodicTask("for jobs", 0.01, lambda: done.append(1), is_for_jobs=True),
        PeriodicTask("always", 0.01, lambda: idle.append(1)),
    ]
    heartbeat = Heartbeat(table, "alive", 600.0, tasks)
    job = minded(heartbeat, running_elsewhere())
    heartbeat.start()
    try:
        until(lambda: len(idle) > 4)
        assert not done
        heartbeat.add(job)
        until(lambda: len(done) > 1)
    finally:
        heartbeat.stop()


def test_a_save_as_often_as_possible_leaves_time_for_the_job(table, running_elsewhere):
    job = RunningJob(table, running_elsewhere(), list, save_every=0.0, max_runtime=None)
    now = job.next_due()
    job.attend_to_time(now)
    assert job.attention.is_save_due
    assert job.next_due() > now
