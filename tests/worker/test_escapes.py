"""Whatever a user's code raises, wherever it is called: the worker goes on with its next job."""

import asyncio
import json
import logging
import os
import threading
import time

import pytest

from continuable import App, Serializer
from continuable.core.outcome import Completed, Failed, Suspended
from continuable.errors import StoreError
from continuable.model.payload import JobRecord
from continuable.progress.sqlite import SQLiteProgress
from continuable.worker.eventloop import EventLoop, LoopEndedError
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.periodic import PeriodicTask
from continuable.worker.runner import LOOP_ENDED, Runner
from tests.waiting import DEADLINE, until

ESCAPES = [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError]


class Money:
    """A type of the user's, whose serializer goes wrong when it is told to."""

    def __init__(self, error=None):
        self.error = error


def dump(money):
    if money.error is not None:
        raise money.error
    return 0


class Endless:
    """A source of which one method raises."""

    def __init__(self, broken, error):
        self.broken, self.error = broken, error

    def _do(self, name, value):
        if name == self.broken:
            raise self.error
        return value

    def items(self, cursor):
        return self._do("items", iter([("a", 1), ("b", 2)]))

    def total(self):
        return self._do("total", 2)

    def fingerprint(self):
        return self._do("fingerprint", None)


class Cursor:
    """A cursor whose successor cannot be made."""

    def __init__(self, error):
        self.error = error

    def succ(self):
        raise self.error


@pytest.fixture
def app():
    return App(serializers=[Serializer(Money, "money", dump=dump, load=lambda _: Money())])


@pytest.fixture
def store(tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")
    yield store
    store.close()


@pytest.fixture
def heartbeat(store):
    heartbeat = Heartbeat(store, "w", 30.0)
    heartbeat.start()
    yield heartbeat
    heartbeat.stop()


@pytest.fixture
def worker(app, store, heartbeat):
    runner = Runner(app.jobs, store, heartbeat)
    yield Worker(runner, store)
    runner.close()


class Worker:
    """Runs one job after the other, as a thread of a worker does."""

    def __init__(self, runner, store):
        self.runner, self.store = runner, store

    def run(self, job):
        record = JobRecord(id=os.urandom(4).hex(), name=job.name)
        return self.runner.run(self.store.claim(record, "w"))

    def outcome(self, job):
        return self.run(job).outcome


@pytest.mark.parametrize("error", ESCAPES)
def test_a_retry_rule(app, worker, caplog, error):
    def wait(failures):
        raise error("wait")

    @app.job(max_retries=1, retry_wait=wait)
    def work(job):
        raise ValueError("bad row")

    ran = worker.run(work)

    assert isinstance(ran.outcome, Failed)
    assert ran.retry_in > 0
    assert "retry_wait of job" in caplog.text


@pytest.mark.parametrize("error", ESCAPES)
def test_a_subscriber(app, worker, caplog, error):
    def subscriber(event):
        raise error("subscriber")

    app.subscribe(subscriber)

    @app.job
    def work(job):
        job.step(lambda: 1, name="one")

    assert isinstance(worker.outcome(work), Completed)
    assert "A subscriber of job.started failed" in caplog.text


def test_a_handler_of_the_log(app, worker):
    class Broken(logging.Handler):
        def handle(self, record):
            raise SystemExit("handler")

    handler, logger = Broken(), logging.getLogger("continuable")
    logger.addHandler(handler)
    try:

        @app.job(max_retries=1, retry_wait=lambda failures: 1 / 0)
        def work(job):
            raise ValueError("bad row")

        assert isinstance(worker.outcome(work), Failed)
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("error", ESCAPES)
@pytest.mark.parametrize("place", ["cursor", "state", "result", "value"])
def test_a_serializer(app, worker, place, error):
    @app.job
    def work(job):
        broken = Money(error("dump"))
        if place == "state":
            job.state["money"] = broken
            job.step(lambda: 1, name="one")
        if place == "value":
            job.step(lambda: broken, name="one")
        if place == "cursor":
            job.step(lambda step: step.set(broken), name="one")
        return broken

    assert isinstance(worker.outcome(work), Failed)


@pytest.mark.parametrize("error", ESCAPES)
def test_a_serializer_that_breaks_once_the_job_has_failed(app, worker, error):
    @app.job
    def work(job):
        job.step(lambda: 1, name="one")
        money = job.state["money"] = Money()

        @job.step(start=Money())
        def two(step):
            money.error = error("dump")
            raise ValueError("bad row")

    outcome = worker.outcome(work)

    assert isinstance(outcome, Failed)
    assert json.loads(outcome.progress)["completed"] == ["one"]


@pytest.mark.parametrize("error", ESCAPES)
@pytest.mark.parametrize("broken", ["items", "total", "fingerprint"])
def test_a_source(app, worker, broken, error):
    @app.job
    def work(job):
        @job.step(start=None)
        def rows(step):
            for _row in step.iterate(Endless(broken, error("source"))):
                pass

    assert isinstance(worker.outcome(work), Failed)


@pytest.mark.parametrize("error", ESCAPES)
def test_a_successor(app, worker, error):
    @app.job
    def work(job):
        @job.step(start=0)
        def one(step):
            step.advance(past=Cursor(error("succ")))

    assert isinstance(worker.outcome(work), Failed)


class CauseError(Exception):
    @property
    def __cause__(self):
        raise LookupError("cause")


class ContextError(Exception):
    @property
    def __context__(self):
        raise SystemExit("context")


class TracebackError(Exception):
    @property
    def __traceback__(self):
        raise SystemExit("traceback")


class NotesError(Exception):
    @property
    def __notes__(self):
        raise SystemExit("notes")


class KindError(Exception):
    @property
    def __class__(self):
        raise SystemExit("class")


class TextError(Exception):
    def __str__(self):
        raise SystemExit("str")

    __repr__ = __str__


class SplitError(BaseExceptionGroup):
    def split(self, condition):
        raise SystemExit("split")

    subgroup = split


UNREADABLE = [
    *(CauseError, ContextError, TracebackError, NotesError, KindError, TextError),
    lambda text: SplitError(text, [ValueError(text)]),
]


@pytest.mark.parametrize("make", UNREADABLE)
@pytest.mark.parametrize("advanced", [False, True])
def test_an_exception_that_cannot_be_read(app, worker, make, advanced):
    @app.job
    def work(job):
        if advanced:
            job.step(lambda: 1, name="one")
        raise make("bad row")

    outcome = worker.outcome(work)

    assert isinstance(outcome, Failed | Suspended)
    report = outcome.report if isinstance(outcome, Failed) else outcome.error
    assert "bad row" in report.summary or "str()" in report.summary


@pytest.mark.parametrize("error", ESCAPES)
def test_a_cursor_that_cannot_be_shown(app, worker, error):
    class Shy(Money):
        def __repr__(self):
            raise error("repr")

    app.codec._register(Serializer(Shy, "shy", dump=lambda _: 0, load=lambda _: Shy()))

    @app.job
    def work(job):
        @job.step(start=Shy())
        def one(step):
            raise ValueError("bad row")

    outcome = worker.outcome(work)
    assert outcome.report.summary == "ValueError: bad row"


# --- the event loop of the async jobs


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, ValueError])
def test_a_child_task_ends_no_other_job(app, worker, error):
    began, go_on = threading.Event(), asyncio.Event()

    async def child():
        raise error("child")

    @app.job
    async def bad(job):
        await asyncio.gather(asyncio.create_task(child()))

    @app.job
    async def forgets(job):
        task = asyncio.create_task(child())
        await asyncio.wait([task])

    @app.job
    async def good(job):
        loops.append(asyncio.get_running_loop())
        began.set()
        await go_on.wait()
        return "done"

    outcomes, loops = [], []
    beside = threading.Thread(target=lambda: outcomes.append(worker.outcome(good)))
    beside.start()
    assert began.wait(DEADLINE)

    assert isinstance(worker.outcome(bad), Failed)
    assert isinstance(worker.outcome(forgets), Completed)
    loops[0].call_soon_threadsafe(go_on.set)
    beside.join(DEADLINE)
    assert [outcome.value for outcome in outcomes] == ["done"]


def test_a_job_that_stops_its_loop(app, worker):
    @app.job
    async def work(job):
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        return "done"

    assert worker.outcome(work).value == "done"


def test_a_loop_that_has_ended_is_replaced_and_its_jobs_are_suspended(app, worker):
    loops = []
    began = threading.Event()

    @app.job
    async def work(job):
        loops.append(asyncio.get_running_loop())
        job.step(lambda: None, name="one")
        if len(loops) == 1:
            began.set()
            await asyncio.sleep(DEADLINE)
        return "done"

    @app.job
    async def closes(job):
        loop = asyncio.get_running_loop()
        loop.run_forever = loop.close  # as close as one comes to ending it for good
        loop.stop()

    outcomes = []
    beside = threading.Thread(target=lambda: outcomes.append(worker.outcome(work)))
    beside.start()
    assert began.wait(DEADLINE)
    worker.run(closes)
    beside.join(DEADLINE)

    assert [type(outcome) for outcome in outcomes] == [Suspended]
    assert outcomes[0].reason == LOOP_ENDED
    assert worker.outcome(work).value == "done"
    assert loops[0] is not loops[1]


def test_a_loop_can_be_stopped_after_it_has_ended():
    loop = EventLoop()

    async def close():
        running = asyncio.get_running_loop()
        running.run_forever = running.close
        running.stop()
        await asyncio.sleep(DEADLINE)

    with pytest.raises(LoopEndedError):
        loop.run(close())
    loop.stop()


def test_the_loop_that_is_closed_waits_for_no_task_that_exits():
    loop = EventLoop()

    async def exits():
        try:
            await asyncio.sleep(DEADLINE)
        finally:
            raise SystemExit("left over")

    async def leaves():
        task = asyncio.create_task(exits())
        await asyncio.sleep(0)
        return task

    loop.run(leaves())
    began = time.monotonic()
    loop.stop()
    assert time.monotonic() - began < DEADLINE / 2


# --- the heartbeat


@pytest.mark.parametrize("error", [*ESCAPES, StoreError, ValueError])
def test_what_is_done_now_and_then(store, caplog, error):
    calls = []

    def work():
        calls.append(1)
        raise error("work")

    heartbeat = Heartbeat(store, "w", 30.0, [PeriodicTask("work", 0.01, work)])
    heartbeat.start()
    try:
        until(lambda: len(calls) > 2)
    finally:
        heartbeat.stop()
    assert "work" in caplog.text


def test_the_heartbeat_goes_on_when_its_log_is_broken(store, monkeypatch):
    calls = []

    def work():
        calls.append(1)
        raise ValueError("work")

    def broken(*_args, **_kwargs):
        raise SystemExit("handler")

    logger = logging.getLogger("continuable")
    monkeypatch.setattr(logger, "handle", broken)
    heartbeat = Heartbeat(store, "w", 30.0, [PeriodicTask("work", 0.01, work)])
    heartbeat.start()
    try:
        until(lambda: len(calls) > 2)
    finally:
        heartbeat.stop()
