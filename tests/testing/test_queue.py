"""A queue in memory: what it shows of its jobs, and in which order it runs them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from continuable import App, InvalidStepError, ResumeLimitError, SerializationError, Serializer
from continuable.errors import QueueError
from continuable.testing import TestQueue


def test_nothing_runs_before_the_test_says_so(app, queue):
    ran = []

    @app.job
    def work(job, number):
        ran.append(number)

    work.enqueue(1)
    assert ran == []
    assert queue.run_enqueued() == 1
    assert (ran, queue.enqueued) == ([1], [])


def test_jobs_run_in_the_order_in_which_they_came(app, queue):
    ran = []

    @app.job
    def work(job, number):
        ran.append(number)

    work.enqueue_many([(1,), (2,), (3,)])
    assert queue.run_enqueued() == 3
    assert ran == [1, 2, 3]


def test_what_a_run_enqueues_waits_for_the_next_one(app, queue):
    ran = []

    @app.job
    def child(job):
        ran.append("child")

    @app.job
    def parent(job):
        ran.append("parent")
        child.enqueue()

    parent.enqueue()
    assert queue.run_enqueued() == 1
    assert (ran, [job.name for job in queue.enqueued]) == (["parent"], [child.name])
    assert queue.run_enqueued() == 1
    assert ran == ["parent", "child"]


def test_an_interrupted_job_waits_for_the_next_run(app, queue):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b")

    work.enqueue()
    queue.stopping = lambda job: True
    assert queue.run_enqueued() == 1
    [waiting] = queue.enqueued
    assert waiting.progress == {"completed": ["a"]}
    assert (waiting.executions, waiting.resumptions, waiting.reason) == (1, 1, "stopping")


def test_drain_runs_until_nothing_is_enqueued(app, queue):
    ran = []

    @app.job
    def countdown(job, number):
        ran.append(number)
        if number:
            countdown.enqueue(number - 1)

    countdown.enqueue(3)
    assert queue.drain() == 4
    assert ran == [3, 2, 1, 0]
    assert queue.drain() == 0


def test_drain_gives_up_on_a_job_that_never_ends(app, queue):
    @app.job(name="busy")
    def busy(job):
        job.interrupt("not yet")

    busy.enqueue()
    with pytest.raises(QueueError, match=r"'busy' was run 1000 times without .*not yet"):
        queue.drain()


def test_drain_does_not_mind_a_job_that_comes_on_slowly(app, queue):
    @app.job
    def patient(job):
        @job.step(start=0)
        def wait(step):
            if step.cursor < 1200:
                step.advance()
                job.interrupt("more tomorrow")

    patient.enqueue()
    assert queue.drain() == 1201


def test_what_waits_shows_all_that_was_given(app, queue):
    @app.job(name="report")
    def report(job, day, *, to):
        pass

    report.using(id="r-1", queue="slow", priority=3, wait=60.0).enqueue(date(2026, 8, 1), to={"a"})
    [waiting] = queue.enqueued
    assert (waiting.id, waiting.name) == ("r-1", "report")
    assert (waiting.args, waiting.kwargs) == ((date(2026, 8, 1),), {"to": {"a"}})
    assert (waiting.queue, waiting.priority, waiting.wait) == ("slow", 3, 60.0)
    assert (waiting.executions, waiting.resumptions, waiting.progress) == (0, 0, {})


def test_a_job_without_a_queue_is_on_the_default_one(app, queue):
    @app.job
    def work(job):
        assert job.queue == "default"

    work.enqueue()
    assert [job.queue for job in queue.enqueued] == ["default"]
    queue.run_enqueued()


def test_progress_is_plain_data(app, queue):
    @app.job
    def work(job):
        job.step(lambda: "3 rows", name="validate")

        @job.step(start=date(2026, 8, 1))
        def process_records(step):
            step.advance()

    work.enqueue()
    queue.stopping = lambda job: job.step == "process_records"
    queue.run_enqueued()
    progress = queue.enqueued[0].progress
    assert progress["completed"] == ["validate"]
    assert progress["current"] == ["process_records", {"$": "date", "v": "2026-08-02"}]
    assert progress["values"] == {"validate": "3 rows"}


def test_an_interrupted_job_comes_in_anew_behind_the_others(app, queue):
    @app.job
    def work(job, number):
        @job.step(start=0)
        def count(step):
            step.advance()

    work.enqueue_many([(1,), (2,)])
    queue.stopping = lambda job: job.args == (1,)
    queue.run_enqueued()
    work.enqueue(3)
    assert [job.args for job in queue.enqueued] == [(1,), (3,)]


def test_a_job_comes_back_by_its_resume_options(app, queue):
    @app.job(resume_options={"wait": 2.5, "queue": "later", "priority": -1})
    def work(job):
        job.interrupt("busy")

    work.enqueue()
    queue.run_enqueued()
    [waiting] = queue.enqueued
    assert (waiting.wait, waiting.queue, waiting.priority) == (2.5, "later", -1)


def test_an_isolated_step_waits_for_nothing_and_uses_up_no_resumption(app, queue):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="b", isolated=True)

    work.enqueue()
    queue.run_enqueued()
    [waiting] = queue.enqueued
    assert (waiting.reason, waiting.wait, waiting.resumptions) == ("isolating", 0.0, 0)


@pytest.mark.parametrize("wait", [0.001, 0.1, 1.1, 30.0, 86_400.7])
def test_a_wait_is_shown_as_it_was_given(app, queue, wait):
    @app.job(resume_options={"wait": wait})
    def work(job):
        job.interrupt("busy")

    handle = work.using(wait=wait).enqueue()
    assert queue.enqueued[0].wait == wait
    queue.run_enqueued()
    assert queue.enqueued[0].wait == wait
    handle.resume()
    assert queue.enqueued[0].wait == 0.0


def test_no_delay_is_waited_for(app, queue):
    @app.job
    def work(job):
        pass

    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    work.using(at=in_an_hour).enqueue()
    assert queue.enqueued[0].wait == pytest.approx(3600, abs=60)
    assert queue.run_enqueued() == 1


def test_the_exception_of_a_job_comes_out_and_the_others_stay(app, queue):
    ran = []

    @app.job
    def work(job, number):
        ran.append(number)
        if number == 2:
            raise LookupError("no such row")

    handles = work.enqueue_many([(1,), (2,), (3,)])
    with pytest.raises(LookupError, match="no such row"):
        queue.run_enqueued()
    assert (ran, [job.args for job in queue.enqueued]) == ([1, 2], [(3,)])
    assert [handle.state() for handle in handles] == ["completed", "failed", "waiting"]
    assert queue.drain() == 1


def test_an_exception_after_progress_resumes_the_job(app, queue):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        if job.executions == 1:
            raise LookupError("no such row")

    handle = work.enqueue()
    queue.run_enqueued()
    [waiting] = queue.enqueued
    assert (waiting.reason, waiting.progress) == ("error", {"completed": ["a"]})
    assert "no such row" in handle.info().error
    queue.run_enqueued()
    assert handle.state() == "completed"


def test_a_failure_that_is_retried_does_not_come_out(app, queue):
    @app.job(max_retries=2, retry_wait=30.0)
    def work(job):
        raise LookupError("no such row")

    handle = work.enqueue()
    for _ in range(2):
        queue.run_enqueued()
        [waiting] = queue.enqueued
        assert (waiting.reason, waiting.wait) == ("retry", 30.0)
    with pytest.raises(LookupError):
        queue.run_enqueued()
    assert handle.state() == "failed"


def test_a_mistake_in_the_code_is_not_retried(app, queue):
    @app.job(max_retries=2)
    def work(job):
        job.step(lambda: None, name="a")
        job.step(lambda: None, name="a")

    work.enqueue()
    with pytest.raises(InvalidStepError, match="already been encountered"):
        queue.run_enqueued()
    assert queue.enqueued == []


def test_max_resumptions_holds(app, queue):
    @app.job(max_resumptions=2)
    def work(job):
        job.interrupt("busy")

    work.enqueue()
    with pytest.raises(ResumeLimitError, match="Job was resumed a maximum of 2 times"):
        queue.drain()


def test_ctrl_c_in_a_job_leaves_it_where_it_was_before_all_others(app, queue):
    @app.job
    def work(job, number):
        @job.step(start=0)
        def count(step):
            step.advance()
            if job.executions == 1 and number == 1:
                raise KeyboardInterrupt

    work.enqueue_many([(1,), (2,)])
    with pytest.raises(KeyboardInterrupt):
        queue.run_enqueued()
    assert [job.args for job in queue.enqueued] == [(1,), (2,)]
    first = queue.enqueued[0]
    assert (first.progress["current"], first.reason) == (["count", 1], "stopping")
    assert queue.drain() == 2


def test_ctrl_c_in_a_job_that_is_to_be_paused_pauses_it(app, queue):
    @app.job
    def work(job):
        app.handle(job.id).pause()
        raise KeyboardInterrupt

    handle = work.enqueue()
    with pytest.raises(KeyboardInterrupt):
        queue.run_enqueued()
    assert (handle.state(), queue.enqueued) == ("paused", [])


def test_payloads_travel_as_json(app, queue):
    given = [1, 2]

    @app.job
    def work(job, numbers):
        assert numbers == [1, 2]
        assert numbers is not given

    work.enqueue(given)
    given.append(3)
    queue.run_enqueued()
    with pytest.raises(SerializationError):
        work.enqueue(object())


def test_a_wrong_argument_is_found_when_it_is_enqueued(app, queue):
    @app.job
    def work(job, number):
        pass

    with pytest.raises(TypeError, match="too many positional arguments"):
        work.enqueue(1, 2)
    with pytest.raises(TypeError, match="missing a required argument"):
        work.enqueue_many([(1,), ()])
    assert queue.enqueued == []


def test_arguments_are_of_the_apps_own_types():
    @dataclass
    class Money:
        cents: int

    serializer = Serializer(Money, "money", dump=lambda m: m.cents, load=Money)
    app = App(queue=TestQueue(), serializers=[serializer])

    @app.job
    def pay(job, amount):
        return amount

    handle = pay.enqueue(Money(5))
    assert app.queue.enqueued[0].args == (Money(5),)
    app.queue.run_enqueued()
    assert handle.result() == Money(5)


def test_an_async_job_runs_in_a_plain_test(app, queue):
    @app.job
    async def work(job):
        async def add():
            await asyncio.sleep(0)
            return 3

        return await job.step(add)

    handle = work.enqueue()
    queue.run_enqueued()
    assert handle.result() == 3


def test_both_kinds_of_job_run_in_an_async_test(app, queue):
    loops = []

    @app.job
    async def inner(job):
        loops.append(asyncio.get_running_loop())

    @app.job
    def outer(job):
        inner.enqueue()

    async def test():
        await outer.aenqueue()
        assert await queue.arun_enqueued() == 1
        assert loops == []
        assert await queue.adrain() == 1
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(test())


def test_an_async_job_in_a_running_loop_says_what_to_call(app, queue):
    @app.job
    async def work(job):
        pass

    async def test():
        work.enqueue()
        with pytest.raises(RuntimeError, match=r"await queue\.arun_enqueued"):
            queue.run_enqueued()
        assert await queue.arun_enqueued() == 1

    asyncio.run(test())


def test_the_exception_of_an_async_job_comes_out_of_adrain(app, queue):
    @app.job
    async def work(job, number):
        if number == 1:
            raise LookupError("no such row")

    async def test():
        work.enqueue_many([(1,), (2,)])
        with pytest.raises(LookupError):
            await queue.adrain()
        assert [job.args for job in queue.enqueued] == [(2,)]

    asyncio.run(test())


def test_a_job_that_no_app_on_the_queue_knows_is_named(app, queue):
    @app.job(name="known")
    def known(job):
        pass

    known.enqueue()
    app.registry.jobs["renamed"] = app.registry.jobs.pop("known")
    with pytest.raises(QueueError, match=r"'known' is registered\. There are renamed"):
        queue.run_enqueued()


def test_two_apps_may_share_a_queue(queue):
    ran = []
    shop, mail = App(queue=queue), App(queue=queue)

    @mail.job
    def send(job):
        ran.append("send")

    @shop.job
    def order(job):
        ran.append("order")
        send.enqueue()

    order.enqueue()
    assert queue.drain() == 2
    assert ran == ["order", "send"]


def test_its_repr_counts_what_waits(app, queue):
    @app.job
    def work(job):
        pass

    work.enqueue()
    assert repr(queue) == "<TestQueue: 1 enqueued>"


def test_pytest_takes_it_for_no_class_of_tests():
    assert TestQueue.__test__ is False
