"""Putting jobs on a queue, and the handle that this gives."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from continuable import (
    App,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    SerializationError,
    Serializer,
)
from continuable.errors import QueueError
from continuable.events import JobEnqueued
from continuable.testing import TestQueue
from tests.waiting import DEADLINE


@pytest.fixture
def work(app):
    @app.job(queue="imports", priority=2)
    def work(job, import_id, *, note=""):
        return job.step(lambda: f"{import_id}{note}", name="a")

    return work


def test_a_handle_is_had_at_once_and_the_job_runs_later(work, queue):
    handle = work.enqueue(42, note="!")
    assert (handle.state(), handle.is_new) == ("waiting", True)
    queue.drain()
    assert (handle.state(), handle.result()) == ("completed", "42!")


def test_what_waits_has_the_options_of_the_job(work, queue):
    handle = work.enqueue(42)
    [waiting] = queue.enqueued
    assert (waiting.id, waiting.name) == (handle.id, work.name)
    assert (waiting.args, waiting.kwargs) == ((42,), {})
    assert (waiting.queue, waiting.priority, waiting.wait) == ("imports", 2, 0.0)
    assert (waiting.executions, waiting.resumptions, waiting.progress) == (0, 0, {})


def test_one_call_may_differ(work, queue):
    work.using(wait=5.0, queue="slow", priority=3).enqueue(42)
    work.using(priority=0).enqueue(42)
    [slow, low] = queue.enqueued
    assert (slow.wait, slow.queue, slow.priority) == (5.0, "slow", 3)
    assert (low.queue, low.priority) == ("imports", 0)


def test_a_job_may_start_at_a_time(work, queue):
    work.using(at=datetime.now(UTC) + timedelta(hours=1)).enqueue(1)
    work.using(at=datetime.now() + timedelta(hours=1)).enqueue(2)  # noqa: DTZ005 - local time
    work.using(at=datetime.now(UTC) - timedelta(hours=1)).enqueue(3)
    waits = [waiting.wait for waiting in queue.enqueued]
    assert waits == [pytest.approx(3600, abs=60), pytest.approx(3600, abs=60), 0]


def test_a_wait_is_not_negative_and_not_given_twice(work):
    with pytest.raises(ValueError, match="wait is a number of seconds"):
        work.using(wait=-1)
    with pytest.raises(ValueError, match="exclude each other"):
        work.using(wait=1, at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("args", "kwargs", "what"),
    [
        ((), {}, "missing a required argument: 'import_id'"),
        ((1, 2), {}, "too many positional arguments"),
        ((1,), {"notes": "x"}, "unexpected keyword argument 'notes'"),
    ],
)
def test_arguments_that_do_not_fit_fail_where_they_are_given(work, queue, args, kwargs, what):
    ways = [
        lambda: work.enqueue(*args, **kwargs),
        lambda: work.using(wait=1).enqueue(*args, **kwargs),
        lambda: asyncio.run(work.aenqueue(*args, **kwargs)),
    ]
    for enqueue in ways:
        with pytest.raises(TypeError, match=what) as error:
            enqueue()
        assert str(error.value).startswith(work.name)
    assert queue.enqueued == []


@pytest.mark.parametrize(
    "function",
    [
        lambda job: None,
        lambda job, a: None,
        lambda job, a, b=1: None,
        lambda job, a=1, *rest: None,
        lambda job, a, /, b: None,
        lambda job, a, *, b: None,
        lambda job, a, *, b=1, **rest: None,
        lambda *everything: None,
        lambda *, job: None,
        lambda: None,
    ],
)
@pytest.mark.parametrize("count", range(4))
def test_arguments_by_position_are_taken_as_python_takes_them(app, queue, function, count):
    job = app.job(function, name="job")
    arguments = range(count)
    try:
        function("job", *arguments)
    except TypeError:
        with pytest.raises(TypeError):
            job.enqueue(*arguments)
        assert queue.enqueued == []
    else:
        job.enqueue(*arguments)
        assert queue.enqueued[0].args == tuple(arguments)


def test_an_argument_that_cannot_be_kept_fails_where_it_is_given(work, queue):
    with pytest.raises(SerializationError, match=r"An argument of job '.*' cannot be kept"):
        work.enqueue(object())
    with pytest.raises(SerializationError, match=r"builtins\.object"):
        work.enqueue_many([(1,), ([{"deep": object()}],)])
    assert queue.enqueued == []


def test_arguments_come_as_the_types_they_were(app, queue):
    seen = []

    @app.job
    def work(job, *args, **kwargs):
        seen.append((args, kwargs))

    given = ((1, (2, 3), {4}, Decimal("1.50"), datetime.now(UTC), b"raw"), {"by": {"a": None}})
    work.enqueue(*given[0], **given[1])
    queue.drain()
    assert seen == [given]


def test_types_of_ones_own_travel_by_a_serializer():
    class Money:
        def __init__(self, cents):
            self.cents = cents

    money = Serializer(Money, "money", dump=lambda money: money.cents, load=Money)
    queue = TestQueue()
    app = App(queue=queue, serializers=[money])

    @app.job
    def work(job, amount):
        return amount

    handle = work.enqueue(Money(250))
    queue.drain()
    assert handle.result().cents == 250


def test_many_are_enqueued_at_once_in_their_order(work, queue):
    handles = work.enqueue_many((n,) for n in range(3))
    assert [waiting.args for waiting in queue.enqueued] == [(0,), (1,), (2,)]
    assert [waiting.id for waiting in queue.enqueued] == [handle.id for handle in handles]
    assert work.enqueue_many([]) == []


def test_many_are_enqueued_or_none(work, queue):
    with pytest.raises(TypeError, match="too many"):
        work.enqueue_many([(1,), (2, 2)])
    with pytest.raises(TypeError):
        work.enqueue_many([1, 2])
    assert queue.enqueued == []


def test_many_may_differ_from_the_job_but_each_needs_an_id_of_its_own(work, queue):
    work.using(queue="slow").enqueue_many([(1,), (2,)])
    assert {waiting.queue for waiting in queue.enqueued} == {"slow"}
    for options in ({"id": "import-42"}, {"unique": "upload:42"}):
        with pytest.raises(ValueError, match="no id= or unique="):
            work.using(**options).enqueue_many([(1,), (2,)])


def test_from_async_code(work, queue):
    async def enqueue():
        one = await work.aenqueue(1)
        two = await work.using(id="two").aenqueue(2)
        return [one.id, two.id]

    ids = asyncio.run(enqueue())
    assert [waiting.id for waiting in queue.enqueued] == ids
    assert ids[1] == "two"


def test_an_id_of_ones_choice(app, work, queue):
    work.using(id="import-42").enqueue(42)
    queue.drain()
    assert app.handle("import-42").result() == "42"


def test_a_unique_key_gives_the_handle_of_the_job_that_is_there(work, queue):
    one = work.using(unique="upload:42").enqueue(42)
    other = work.using(unique="upload:42").enqueue(42)
    assert (one.is_new, other.is_new, other.id) == (True, False, one.id)
    assert len(queue.enqueued) == 1


def test_the_event_of_a_job_that_was_there_already_is_not_told_again(app, work):
    events = []
    app.subscribe(events.append, JobEnqueued)
    for _ in range(2):
        work.using(unique="upload:42").enqueue(42)
    assert len(events) == 1
    assert (events[0].name, events[0].queue) == ("job.enqueued", "imports")


def test_a_handle_steers_its_job(work, queue):
    handle = work.enqueue(42)
    assert handle.pause().state == handle.state() == "paused"
    assert queue.drain() == 0
    assert handle.resume().state == "interrupted"
    assert handle.cancel().state == "cancelled"
    with pytest.raises(JobCancelledError):
        handle.result()
    assert handle.restart().state == "waiting"
    queue.drain()
    assert handle.info().state == "completed"


def test_a_failed_job_tells_why_and_is_retried_from_where_it_was(app, queue):
    ran = []

    @app.job(resume_errors_after_advancing=False)
    def work(job):
        job.step(lambda: ran.append("a"), name="a")
        if job.executions == 1:
            raise LookupError("no such row")

    handle = work.enqueue()
    with pytest.raises(LookupError):
        queue.drain()
    with pytest.raises(JobFailedError, match="failed: LookupError: no such row") as error:
        handle.result()
    assert "raise LookupError" in error.value.traceback
    assert handle.retry().state == "interrupted"
    queue.drain()
    assert (handle.state(), ran) == ("completed", ["a"])


def test_a_result_is_waited_for_so_long(work):
    handle = work.enqueue(42)
    with pytest.raises(TimeoutError, match=r"has not ended within 0\.01 s"):
        handle.result(timeout=0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(handle.aresult(timeout=0))


def test_a_result_is_had_from_async_code(work, queue):
    handle = work.enqueue(42)
    queue.drain()
    assert asyncio.run(handle.aresult(timeout=DEADLINE)) == "42"


def test_a_handle_of_no_job_says_so(app):
    handle = app.handle("nowhere")
    assert repr(handle) == "<Handle of job nowhere>"
    for look in (handle.state, handle.info, handle.result, handle.pause, handle.restart):
        with pytest.raises(JobNotFoundError, match="No job 'nowhere'"):
            look()


def test_a_queue_that_is_on_no_other_engine_has_no_tasks(app):
    @app.job
    def work(job):
        """Nothing."""

    with pytest.raises(QueueError, match=r"has no tasks: use work.enqueue\(\)"):
        _ = work.task
