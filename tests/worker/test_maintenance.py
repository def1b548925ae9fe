"""Leases, saves and requests come in time, whatever recovery or a subscriber waits for."""

import threading
import time

import pytest

from continuable import App
from continuable.events.kinds import ProgressSaved
from continuable.model.payload import JobRecord
from continuable.progress import Leased
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.consumer import Consumer
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.maintenance import Maintenance
from continuable.worker.periodic import PeriodicTask
from continuable.worker.run import RunningJob
from tests.waiting import DEADLINE, until

LEASE = 0.4


@pytest.fixture
def store(tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db", lease=LEASE)
    yield store
    store.close()


class Stuck:
    """What waits until it is told to go on."""

    def __init__(self):
        self.began, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, *_args, **_kwargs):
        self.began.set()
        assert self.goes_on.wait(DEADLINE)
        return []


def test_a_save_and_a_request_do_not_wait_for_maintenance(store):
    stuck = Stuck()
    claim = store.claim(JobRecord(id="job", name="job"), "w")
    maintenance = Maintenance("w", [PeriodicTask("recovery", 60.0, stuck)])
    heartbeat = Heartbeat(store, "w", 30.0, maintenance=maintenance)
    job = RunningJob(store, claim, heartbeat.wake, save_every=60.0, max_runtime=None)
    heartbeat.add(job)
    heartbeat.start()
    try:
        assert stuck.began.wait(DEADLINE)
        job.save('{"current":["a",1]}', is_border=False)
        until(lambda: store.find("job").cursor == 1)
        store.request("job", "pause")
        until(lambda: job.attention.interrupt_reason == "paused")
    finally:
        stuck.goes_on.set()
        heartbeat.stop()


@pytest.mark.parametrize("what", ["recovery", "a subscriber"])
def test_a_lease_does_not_wait_for(store, what, monkeypatch):
    stuck, is_over, app = Stuck(), threading.Event(), App()

    @app.job(name="job", save_every=0.05)
    def work(job):
        @job.step(start=0)
        def rows(step):
            while not is_over.is_set():
                step.advance()
                time.sleep(0.01)

    renewed, renew = [], store.renew
    monkeypatch.setattr(store, "renew", lambda worker: renewed.append(renew(worker)))
    if what == "recovery":
        monkeypatch.setattr(store, "recover", stuck)
    else:
        app.subscribe(stuck, ProgressSaved)
    consumer = Consumer(app.jobs, store, lambda *_: None)
    consumer.start()
    record = JobRecord(id="job", name="job")
    running = threading.Thread(target=consumer.run, args=[record])
    running.start()
    try:
        assert stuck.began.wait(DEADLINE)
        until(store.holders)
        renewed.clear()
        until(lambda: len(renewed) > 2)
        assert isinstance(store.claim(record, "another"), Leased)
    finally:
        stuck.goes_on.set()
        is_over.set()
        running.join()
        consumer.close()


def test_what_was_handed_over_is_done_before_the_end():
    done = []
    maintenance = Maintenance("w", begins_at_once=False)
    for number in range(3):
        maintenance.hand_over(lambda number=number: done.append(number))
    maintenance.stop()
    assert done == [0, 1, 2]


def test_a_process_whose_jobs_are_short_starts_no_second_thread(store):
    stuck = Stuck()
    maintenance = Maintenance("w", [PeriodicTask("recovery", 60.0, stuck)], begins_at_once=False)
    heartbeat = Heartbeat(store, "w", 30.0, maintenance=maintenance)
    heartbeat.start()
    heartbeat.stop()
    assert not stuck.began.is_set()


def test_maintenance_that_is_due_later_begins_by_itself(store):
    done = threading.Event()
    maintenance = Maintenance("w", [PeriodicTask("recovery", 0.05, done.set)], begins_at_once=False)
    heartbeat = Heartbeat(store, "w", 30.0, maintenance=maintenance)
    heartbeat.start()
    assert done.wait(DEADLINE)
    heartbeat.stop()


def test_a_job_may_note_more_than_its_history_keeps(store):
    """And larger things than a server takes in one packet: nothing else waits for them."""
    claim = store.claim(JobRecord(id="job", name="job"), "w")
    job = RunningJob(store, claim, list, save_every=60.0, max_runtime=None)
    for number in range(300):
        job.note("told", {"number": number})
    job.note("large", {"text": "x" * 20_000_000})
    job.write(timeout=1.0)
    *told, large = store.history("job")
    assert [entry.data["number"] for entry in told] == list(range(101, 300))
    assert len(large.data["cut"]) < 20_000
