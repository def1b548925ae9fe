"""Messages that a queue delivers, against a store of progress."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import closing

import pytest

from continuable import App
from continuable.core.execution import Execution
from continuable.core.interrupt import Interrupt
from continuable.core.outcome import Completed, Failed
from continuable.errors import CheckpointError, StoreError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Claim, Leased, Save
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.consumer import Consumer, Discard, Finished, Requeue, Snooze
from continuable.worker.periodic import PeriodicTask
from tests.core.executing import Saves
from tests.waiting import DEADLINE, until
from tests.worker.test_identity import on_linux

LEASE = 60.0


@pytest.fixture
def app():
    return App(defaults={"resume_options": {"wait": 0.0}})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.db"


@pytest.fixture
def store(path):
    store = SQLiteProgress(path, lease=LEASE)
    yield store
    store.close()


@pytest.fixture
def sent():
    """The messages that workers have sent."""
    return deque()


@pytest.fixture
def worker(app, sent):
    """What one worker process has; here, several in one."""
    started = []

    def worker(store, **options):
        consumer = Consumer(app.jobs, store, lambda record, wait: sent.append(record), **options)
        consumer.start()
        started.append(consumer)
        return consumer

    yield worker
    for consumer in started:
        consumer.close()


def message(job, *args, job_id="job-1"):
    return JobRecord(id=job_id, name=job.name, arguments=job.plain_arguments(args, {}))


def run_to_the_end(consumer, record):
    """As a queue would: each message after the other."""
    ran = 0
    while True:
        delivered = consumer.run(record)
        ran += 1
        if not isinstance(delivered, Requeue):
            return delivered, ran
        consumer.sent(delivered.record)
        record = delivered.record


def test_a_job_runs_to_its_end(app, store, worker):
    @app.job
    def double(job, n):
        return job.step(lambda: n * 2, name="double")

    delivered = worker(store).run(message(double, 21))
    assert isinstance(delivered, Finished)
    assert isinstance(delivered.outcome, Completed)
    assert store.result("job-1").result == "42"
    assert store.find("job-1").completed == ["double"]


def test_an_async_job_runs_to_its_end(app, store, worker):
    @app.job
    async def double(job, n):
        @job.step
        async def doubled():
            return n * 2

        return await doubled

    worker(store).run(message(double, 21))
    assert store.result("job-1").result == "42"


def test_a_job_that_is_interrupted_goes_on_with_the_next_message(app, store, worker):
    rows = []

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            for n in range(step.cursor, 6):
                rows.append(n)
                if n == 3 and not step.resumed:
                    consumer.interrupt()
                step.advance()

    consumer = worker(store)
    delivered = consumer.run(message(import_rows))
    assert isinstance(delivered, Requeue)
    assert delivered.record.progress["current"] == ["process", 4]
    assert isinstance(worker(store).run(delivered.record), Finished)
    assert rows == [0, 1, 2, 3, 4, 5]
    info = store.find("job-1")
    assert (info.state, info.executions, info.resumptions) == (State.COMPLETED, 2, 1)


def test_a_job_is_interrupted_before_its_queue_would_end_it(app, store, worker):
    @app.job
    def import_rows(job):
        while job.executions == 1:
            job.checkpoint()

    consumer = worker(store)
    delivered = consumer.run(message(import_rows), time_limit=0.05)
    assert isinstance(delivered, Requeue)
    info = store.find("job-1")
    assert (info.reason, info.resumptions) == ("max_runtime", 0)
    assert isinstance(consumer.run(delivered.record, time_limit=None), Finished)


def test_isolated_steps_and_retries_are_messages_of_their_own(app, store, worker):
    failures = []

    @app.job(max_retries=1, retry_wait=7.5)
    def report(job):
        job.step(lambda: None, name="collect")
        job.step(lambda: None, name="render", isolated=True)
        if not failures:
            failures.append(1)
            raise ValueError("no luck")

    consumer = worker(store)
    delivered, ran = run_to_the_end(consumer, message(report))
    assert isinstance(delivered, Finished)
    assert ran == 3
    assert store.find("job-1").error == "ValueError: no luck"


def test_a_failure_is_the_queues_to_handle(app, store, worker):
    @app.job
    def failing(job):
        raise ValueError("no luck")

    delivered = worker(store).run(message(failing))
    assert isinstance(delivered.outcome, Failed)
    assert str(delivered.outcome.error) == "no luck"
    assert store.find("job-1").state is State.FAILED


def test_a_second_delivery_is_put_off_while_the_job_runs_and_dropped_when_it_has_ended(
    app, store, worker
):
    answers = []

    @app.job
    def import_rows(job):
        answers.append(worker(store).run(message(import_rows)))

    worker(store).run(message(import_rows))
    (put_off,) = answers
    assert isinstance(put_off, Snooze)
    assert 0 < put_off.seconds <= LEASE
    assert worker(store).run(message(import_rows)) == Discard(State.COMPLETED)


def test_a_second_delivery_to_the_same_worker_does_not_run_beside_the_first(app, store, worker):
    answers = []

    @app.job
    def slow(job):
        answers.append(consumer.run(message(slow)))

    @app.job
    async def aslow(job):
        answers.append(await consumer.arun(message(aslow, job_id="job-2")))

    consumer = worker(store)
    assert isinstance(consumer.run(message(slow)), Finished)
    assert isinstance(asyncio.run(consumer.arun(message(aslow, job_id="job-2"))), Finished)
    assert answers == [Snooze(LEASE)] * 2
    assert store.find("job-1").executions == 1


def test_a_restarted_job_runs_beside_its_old_execution_in_the_same_worker(app, store, worker):
    answers = []

    @app.job
    def restarts(job):
        if job.executions == 1:
            answers.append(consumer.run(store.request(job.id, "restart").record))

    consumer = worker(store)
    assert consumer.run(message(restarts)) == Discard(None)
    assert [type(answer) for answer in answers] == [Finished]


@pytest.mark.parametrize("method", ["claim", "settle"])
def test_an_answer_of_the_store_that_is_lost_is_asked_for_again(
    app, store, worker, monkeypatch, method
):
    ran = []

    @app.job
    def once(job):
        ran.append(job.executions)

    written, lost = getattr(store, method), []

    def write(*args, **options):
        answer = written(*args, **options)
        if not lost:
            lost.append(answer)
            raise StoreError("the connection was cut")
        return answer

    monkeypatch.setattr(store, method, write)
    consumer = worker(store)
    delivered = consumer.run(message(once))
    if isinstance(delivered, Snooze):
        delivered = consumer.run(message(once))
    assert isinstance(delivered, Finished)
    assert ran == [1]


def test_a_worker_that_stops_takes_nothing_and_counts_nothing(app, store, worker):
    @app.job
    def never(job):
        raise AssertionError("it must not run")

    consumer = worker(store)
    consumer.interrupt()
    assert consumer.run(message(never)) == Snooze(0.0)
    assert store.list() == []


def test_running_jobs_can_be_interrupted_alone(app, store, worker):
    @app.job
    def import_rows(job):
        job.step(lambda: consumer.interrupt_running("leaving"), name="first")
        job.step(lambda: None, name="second")

    consumer = worker(store)
    delivered = consumer.run(message(import_rows))
    assert isinstance(delivered, Requeue)
    assert store.find("job-1").reason == "leaving"
    assert isinstance(consumer.run(message(import_rows, job_id="job-2")), Requeue)


def test_a_paused_job_waits_for_another_message(app, store, worker):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            for n in range(step.cursor, 10_000_000):
                step.advance()
                if n == 5 and not step.resumed:
                    store.request(job.id, "pause")
                if step.resumed:
                    return

    consumer = worker(store)
    assert consumer.run(message(import_rows)) == Discard(State.PAUSED)
    assert consumer.run(message(import_rows)) == Discard(State.PAUSED)
    resumed = store.request("job-1", "resume").record
    assert isinstance(consumer.run(resumed), Finished)


def test_a_restarted_job_fences_its_old_execution_out(app, store, worker):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            if job.executions == 1:
                store.request(job.id, "restart")
                while True:
                    step.advance()

    consumer = worker(store)
    assert consumer.run(message(import_rows)) == Discard(None)
    assert store.find("job-1").state is State.WAITING


def test_the_jobs_of_a_dead_worker_are_sent_again_by_another(app, path, worker, sent):
    @app.job
    def import_rows(job):
        return job.resumptions

    hasty = SQLiteProgress(path, lease=0.2)
    hasty.claim(message(import_rows), "dead")
    consumer = worker(hasty)
    record = until(lambda: sent.popleft() if sent else None)
    delivered = consumer.run(record)
    assert delivered.outcome.value == 1
    assert hasty.find("job-1").reason == "died"
    hasty.close()


def test_a_lease_is_renewed_while_a_job_comes_to_no_checkpoint(app, path, worker, monkeypatch):
    hasty = SQLiteProgress(path, lease=1.0)
    renewed, renew = [], hasty.renew
    monkeypatch.setattr(hasty, "renew", lambda worker: renewed.append(renew(worker)))

    @app.job
    def slow(job):
        until(lambda: len(renewed) > 2)
        assert isinstance(hasty.claim(message(slow), "other"), Leased)

    delivered = worker(hasty).run(message(slow))
    assert isinstance(delivered, Finished)
    assert isinstance(delivered.outcome, Completed)
    hasty.close()


class Flaky(SQLiteProgress):
    """A store that is away when the test says so."""

    away = frozenset()

    def _complete_at_once(self, *args):
        return "change" not in self.away and super()._complete_at_once(*args)

    def _change(self, job_id, transition, **options):
        if "change" in self.away:
            raise StoreError("the store is away")
        return super()._change(job_id, transition, **options)

    def save(self, saves, timeout=None):
        if "save" in self.away:
            raise StoreError("the store is away")
        return super().save(saves, timeout)


@pytest.fixture
def flaky(path):
    store = Flaky(path, lease=LEASE)
    yield store
    store.close()


def test_a_store_that_is_away_puts_a_delivery_off(app, flaky, worker):
    @app.job
    def never(job):
        raise AssertionError("it must not run")

    flaky.away = {"change"}
    assert isinstance(worker(flaky).run(message(never)), Snooze)


def test_a_save_that_fails_does_not_stop_the_job_and_is_made_up_for(app, flaky, worker, caplog):
    @app.job(save_every=0.02)
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            flaky.away = {"save"}
            n = 0
            while "the store is away" not in caplog.text:
                step.set(n := n + 1)
            flaky.away = frozenset()
            until(lambda: not step.set(n) and flaky.find(job.id).cursor == n)
            return n

    delivered = worker(flaky).run(message(import_rows))
    assert isinstance(delivered, Finished)
    assert caplog.text.count("the store is away") == 1


def test_an_end_that_cannot_be_written_is_tried_until_it_can(app, flaky, worker, caplog):
    @app.job
    def import_rows(job):
        flaky.away = {"change"}
        threading.Thread(target=come_back).start()

    def come_back():
        until(lambda: "cannot be written yet" in caplog.text)
        flaky.away = frozenset()

    assert isinstance(worker(flaky).run(message(import_rows)), Finished)
    assert flaky.find("job-1").state is State.COMPLETED


def test_a_message_does_not_end_when_the_grace_is_over_and_nothing_could_be_written(
    app, flaky, worker
):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            flaky.away = {"change", "save"}
            consumer.interrupt()
            step.advance()

    consumer = worker(flaky, grace=0.1)
    with pytest.raises(StoreError):
        consumer.run(message(import_rows))
    flaky.away = frozenset()
    assert flaky.find("job-1").state is State.RUNNING  # until its lease has ended


def test_a_worker_may_be_told_to_stop_while_the_end_of_its_job_cannot_be_written(
    app, flaky, worker, caplog
):
    @app.job
    def import_rows(job):
        flaky.away = {"change"}

    def deliver():
        try:
            consumer.run(message(import_rows))
        except StoreError as error:
            raised.append(error)

    # As on a queue where nobody calls `interrupt`.
    consumer = worker(flaky, grace=0.1, is_stopping=lambda: "cannot be written yet" in caplog.text)
    raised = []
    delivering = threading.Thread(target=deliver, daemon=True)
    delivering.start()
    delivering.join(DEADLINE)
    assert not delivering.is_alive()
    assert raised


def test_what_means_something_to_the_queue_goes_through_untouched(app, store, worker):
    class Ignore(Exception):
        pass

    @app.job
    def ignored(job):
        job.step(lambda: None, name="first")
        raise Ignore

    with pytest.raises(Ignore):
        worker(store, passes=(Ignore,)).run(message(ignored))
    info = store.find("job-1")
    assert (info.state, info.executions, info.completed) == (State.WAITING, 0, ["first"])


def test_a_job_whose_code_is_gone_stays_and_is_asked_for_again(app, store, worker):
    delivered = worker(store).run(JobRecord(id="job-1", name="app.gone"))
    assert isinstance(delivered, Requeue)
    assert delivered.wait == 30.0
    assert "No job is registered as 'app.gone'" in store.find("job-1").error


def test_a_job_that_kills_its_workers_has_failed(app, path, worker, sent):
    @app.job(max_deaths=2)
    def poison(job):
        raise AssertionError("it must not run again")

    hasty = SQLiteProgress(path, lease=0.2)
    worker(hasty)
    record = message(poison)
    for _ in range(2):
        hasty.claim(record, f"dead-{os.urandom(2).hex()}")
        until(lambda: hasty.find("job-1").state is not State.RUNNING)
        if sent:
            record = sent.popleft()
    assert hasty.find("job-1").state is State.FAILED
    hasty.close()


@pytest.mark.parametrize("moves", [False, True])
def test_a_change_of_the_state_alone_does_not_forgive_deaths(
    app, store, worker, monkeypatch, moves
):
    saves = []

    @app.job(save_every=0.001)
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            job.state["tries"] = job.executions
            step.set(int(moves))
            until(lambda: step.checkpoint() or saves)

    claim = store.claim(message(import_rows), "gone")
    document = '{"completed":[],"current":["process",0],"state":{"tries":1}}'
    store.save([Save(claim.id, claim.fence, claim.worker, 1, document)])
    monkeypatch.setattr(store, "save", lambda written, timeout=None: saves.extend(written) or [])
    store.expire("job-1", "gone")
    (found,) = store.recover()
    assert isinstance(worker(store).run(found.record), Finished)
    assert saves[0].made_progress is moves


def test_a_job_that_dies_more_often_than_it_may_resume_has_failed(app, store, worker, sent):
    @app.job(max_resumptions=1)
    def import_rows(job):
        raise AssertionError("it must not run")

    record = message(import_rows)
    for number in range(2):
        store.claim(record, f"gone-{number}")
        store.expire("job-1", f"gone-{number}")
        worker(store).recover()
        record = sent.pop() if sent else record
    info = store.find("job-1")
    assert (info.state, info.deaths) == (State.FAILED, 2)
    assert "Job was resumed a maximum of 1 times" in info.error


def test_commit_without_a_transaction_fails_the_job_and_nothing_is_lost(app, store, worker, path):
    import sqlite3
    from contextlib import closing

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            step.set(3)
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                step.commit(5, connection)

    delivered = worker(store).run(message(import_rows))
    assert isinstance(delivered.outcome.error, CheckpointError)
    assert not isinstance(delivered.outcome.error, Interrupt)
    assert store.find("job-1").cursor == 3


def test_an_async_job_runs_on_the_event_loop_of_its_caller(app, store, worker):
    @app.job
    async def double(job, n):
        @job.step
        async def doubled():
            await asyncio.sleep(0)
            return asyncio.get_running_loop() is loop and n * 2

        return await doubled

    async def main():
        nonlocal loop
        loop = asyncio.get_running_loop()
        return await worker(store).arun(message(double, 21))

    loop = None
    delivered = asyncio.run(main())
    assert isinstance(delivered, Finished)
    assert store.result("job-1").result == "42"


def test_an_async_job_is_interrupted_and_put_off_there_as_well(app, store, worker):
    @app.job
    async def import_rows(job):
        @job.step(start=0)
        async def process(step):
            for _ in range(step.cursor, 6):
                if step.cursor == 3 and not step.resumed:
                    consumer.interrupt()
                step.advance()

        await process

    consumer = worker(store)
    delivered = asyncio.run(consumer.arun(message(import_rows)))
    assert isinstance(delivered, Requeue)
    assert delivered.record.progress["current"] == ["process", 4]
    assert asyncio.run(consumer.arun(delivered.record)) == Snooze(0.0)
    assert isinstance(asyncio.run(worker(store).arun(delivered.record)), Finished)


@pytest.fixture
def waits(app):
    """An async job that waits at cursor 5 until it is cancelled, and when it does."""
    has_come = asyncio.Event()

    @app.job(save_every=60.0)
    async def import_rows(job):
        @job.step(start=0)
        async def process(step):
            step.set(5)
            has_come.set()
            await asyncio.Event().wait()

        await process

    return import_rows, has_come


async def cancelled(consumer, waits, before=lambda: None):
    """Run the job of `waits`, and cancel it where it waits; `before` is called just before."""
    job, has_come = waits
    running = asyncio.create_task(consumer.arun(message(job)))
    await has_come.wait()
    before()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_cancellation_reaches_an_async_job_and_its_progress_is_kept(store, worker, waits):
    asyncio.run(cancelled(worker(store), waits))
    info = store.find("job-1")
    assert (info.state, info.cursor, info.executions) == (State.WAITING, 5, 0)


def test_an_async_job_that_is_cancelled_before_it_starts_is_given_back(app, store, worker):
    @app.job
    async def never(job):
        raise AssertionError("it must not run")

    async def main():
        running = asyncio.create_task(worker(store).arun(message(never)))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert store.find("job-1").state is State.WAITING


def test_an_end_is_written_although_the_caller_is_cancelled_meanwhile(app, flaky, worker, caplog):
    @app.job
    async def import_rows(job):
        flaky.away = {"change"}

    async def main():
        running = asyncio.create_task(worker(flaky).arun(message(import_rows)))
        await asyncio.to_thread(until, lambda: "cannot be written yet" in caplog.text)
        running.cancel()
        await asyncio.sleep(0)
        flaky.away = frozenset()
        assert isinstance(await running, Finished)

    asyncio.run(main())
    assert flaky.find("job-1").state is State.COMPLETED


@pytest.fixture
def saves_with_the_loop(store, monkeypatch):
    """Whether the event loop went on during each save."""

    class Waited(list):
        loop = None

    waited, save = Waited(), store.save

    def save_slowly(saves, timeout=None):
        goes_on = threading.Event()
        waited.loop.call_soon_threadsafe(goes_on.set)
        waited.append(goes_on.wait(5.0))
        return save(saves, timeout)

    monkeypatch.setattr(store, "save", save_slowly)
    return waited


def test_a_save_between_steps_does_not_hold_up_the_event_loop(
    app, store, worker, saves_with_the_loop
):
    """Other jobs share the loop: one of them may be what the store waits for."""

    @app.job
    async def work(job):
        await job.step(_nothing, name="a")
        await job.step(_nothing, name="b")

    async def main():
        saves_with_the_loop.loop = asyncio.get_running_loop()
        return await worker(store).arun(message(work))

    assert isinstance(asyncio.run(main()), Finished)
    assert saves_with_the_loop
    assert all(saves_with_the_loop)
    assert store.find("job-1").completed == ["a", "b"]


def test_what_a_cancelled_job_saves_does_not_hold_up_the_event_loop(
    store, worker, waits, saves_with_the_loop
):
    async def main():
        saves_with_the_loop.loop = asyncio.get_running_loop()
        await cancelled(worker(store), waits, before=saves_with_the_loop.clear)

    asyncio.run(main())
    assert saves_with_the_loop
    assert all(saves_with_the_loop)
    assert store.find("job-1").cursor == 5


def test_what_a_job_saves_that_is_closed_needs_no_event_loop(app, waits):
    job, _ = waits
    record, saved = message(job), Saves()
    running = Execution(app.jobs[job.name], record, recorder=saved).arun()
    asyncio.run(_begin(running))
    running.close()
    assert saved.documents[-1]["current"] == ["process", 5]


async def _begin(coroutine):
    """Run it to where it waits first."""
    coroutine.send(None)


async def _nothing():
    pass


def test_a_queue_gives_its_workers_tasks_of_its_own(store, worker):
    done = threading.Event()
    worker(store, maintenance=[PeriodicTask("sweeping", 60.0, done.set)])
    assert done.wait(30.0)


@pytest.fixture
def dead():
    """The id of a worker of this machine whose process is gone."""
    program = "from continuable.worker.identity import new_worker_id as new; print(new())"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@on_linux
def test_a_job_of_a_process_that_is_gone_runs_at_once_when_it_is_delivered(
    app, store, worker, dead
):
    @app.job
    def count(job):
        return job.executions

    idle = worker(store, grace=1.0)
    until(lambda: not store.holders(), "the first look")
    assert isinstance(store.claim(message(count), dead), Claim)
    delivered = idle.run(message(count))
    assert isinstance(delivered, Finished)
    assert delivered.outcome.value == 2
    assert store.find("job-1").reason == "died"


@on_linux
def test_a_job_of_a_process_that_is_gone_is_recovered_before_its_lease_ends(
    app, store, worker, sent, dead
):
    @app.job
    def count(job):
        return job.executions

    assert isinstance(store.claim(message(count), dead), Claim)
    worker(store)
    until(lambda: sent, "its message")
    assert [record.id for record in sent] == ["job-1"]


def test_a_job_of_a_worker_that_nothing_is_known_of_waits_for_its_lease(app, store, worker, sent):
    @app.job
    def count(job):
        return job.executions

    assert isinstance(store.claim(message(count), "elsewhere-12-0123456789abcdef"), Claim)
    delivered = worker(store).run(message(count))
    assert isinstance(delivered, Snooze)
    assert delivered.seconds > LEASE / 2
    assert not sent


@pytest.fixture
def told(app):
    """The events that are not of an execution."""
    told = []
    names = {"job.died", "job.paused", "job.cancelled", "job.failed"}
    app.subscribe(lambda event: told.append(event) if event.name in names else None)
    return told


def names_of(told):
    return [event.name for event in told]


def test_a_death_is_told_by_the_one_that_brings_the_job_back(app, path, worker, sent, told):
    @app.job
    def work(job): ...

    hasty = SQLiteProgress(path, lease=0.2)
    hasty.claim(message(work), "dead")
    claim = hasty.claim(message(work, job_id="job-2"), "dead")
    hasty.save(
        [Save(claim.id, claim.fence, claim.worker, 1, '{"completed":["a"],"current":["b",7]}')]
    )
    worker(hasty)
    until(lambda: len(sent) >= 2)
    assert {(event.job_id, event.name, event.worker, event.description) for event in told} == {
        ("job-1", "job.died", "dead", "not started"),
        ("job-2", "job.died", "dead", "at 'b', cursor 7"),
    }
    assert len(told) == 2
    hasty.close()


def test_a_message_that_was_lost_is_no_death(app, path, worker, sent, told):
    @app.job
    def work(job):
        if job.executions == 1:
            job.interrupt("later")

    hasty = SQLiteProgress(path, lease=0.2)
    consumer = worker(hasty)
    assert isinstance(consumer.run(message(work)), Requeue)  # which nobody sends
    until(lambda: sent)
    assert told == []
    hasty.close()


def test_a_job_whose_message_is_gone_is_told_as_failed(app, path, worker, told):
    @app.job
    def work(job): ...

    hasty = SQLiteProgress(path, lease=0.2)
    others = JobRecord(id="elsewhere", name="of another app, on another queue")
    hasty.add([message(work), message(work, job_id="job-2"), others])
    worker(hasty, missing=lambda jobs: {job.id for job in jobs} - {"job-2"})
    until(lambda: told)
    assert [(event.name, event.job_id) for event in told] == [("job.failed", "job-1")]
    assert hasty.find("job-2").state is State.WAITING
    assert hasty.find("elsewhere").state is State.WAITING
    hasty.close()


def test_a_worker_of_any_queue_forgets_what_has_long_finished(app, path, worker):
    @app.job
    def work(job): ...

    store = SQLiteProgress(path)
    for job_id in ("old", "young"):
        assert isinstance(worker(store).run(message(work, job_id=job_id)), Finished)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE continuable_progress SET finished_at = 0 WHERE id = 'old'")
    worker(store, keep_finished=3600.0)
    until(lambda: [job.id for job in store.list()] == ["young"])
    store.close()


def test_a_death_of_a_job_without_code_is_told_too(app, path, worker, sent, told):
    @app.job
    def other(job): ...

    hasty = SQLiteProgress(path, lease=0.2)
    hasty.claim(JobRecord(id="job-1", name="gone"), "dead")
    worker(hasty)
    until(lambda: sent)
    assert [(event.name, event.job_name) for event in told] == [("job.died", "gone")]
    hasty.close()


@on_linux
@pytest.mark.parametrize("max_deaths", [1, 2])
def test_a_death_that_a_second_delivery_finds_is_told(
    app, store, worker, told, monkeypatch, max_deaths
):
    @app.job(max_deaths=max_deaths)
    def work(job): ...

    consumer = worker(store, begins_at_once=False)
    store.claim(message(work), "dead")
    monkeypatch.setattr("continuable.queues.consumer.has_died", lambda name: name == "dead")
    consumer.run(message(work))
    expected = ["job.died", "job.failed"] if max_deaths == 1 else ["job.died"]
    assert names_of(told) == expected
    if max_deaths == 1:
        assert told[1].error.startswith("Killed its worker once")


@pytest.mark.parametrize("max_deaths", [1, 2])
def test_a_death_that_recovery_finds_is_told(app, store, worker, told, sent, max_deaths):
    @app.job(max_deaths=max_deaths)
    def work(job): ...

    store.claim(message(work), "dead")
    store.expire("job-1", "dead")
    worker(store, begins_at_once=False).recover()
    expected = ["job.died", "job.failed"] if max_deaths == 1 else ["job.died"]
    assert names_of(told) == expected
    assert told[0].worker == "dead"
    assert len(sent) == (max_deaths == 2)


@pytest.mark.parametrize(("verb", "name"), [("pause", "job.paused"), ("cancel", "job.cancelled")])
def test_a_request_that_wins_over_an_interrupt_is_told(app, store, worker, told, verb, name):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        store.request(job.id, verb)
        job.interrupt("for a reason of its own")

    worker(store).run(message(work))
    assert [(event.name, event.description) for event in told] == [(name, "after 'a'")]


@pytest.mark.parametrize("error", [TypeError, SystemExit])
def test_a_job_that_cannot_be_sent_keeps_no_other_from_being_sent(app, path, sent, caplog, error):
    @app.job
    def work(job): ...

    def send(record, wait):
        if record.id == "job-1":
            raise error("unexpected keyword argument")
        sent.append(record)

    hasty = SQLiteProgress(path, lease=0.2)
    for job_id in ("job-1", "job-2"):
        hasty.claim(message(work, job_id=job_id), "dead")
    consumer = Consumer(app.jobs, hasty, send)
    until(lambda: consumer.recover() or sent)
    time.sleep(0.3)
    consumer.recover()
    assert {record.id for record in sent} == {"job-2"}
    assert caplog.text.count("Job job-1 cannot be put on its queue") == 1
    hasty.close()
