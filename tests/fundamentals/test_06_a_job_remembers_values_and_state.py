"""Local variables end with an execution. What a step returned, and `job.state`, do not."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from continuable import App, SerializationError, Serializer
from continuable.testing import TestQueue, interrupt_after_step


@pytest.fixture
def app():
    return App(queue=TestQueue())


def test_what_a_step_returned_is_remembered(app):
    counted = []

    @app.job
    def invoice(job, prices):
        def total():
            counted.append("counted")
            return sum(prices)

        amount = job.step(total)
        job.step(lambda: None, name="mail")
        return amount

    handle = invoice.enqueue([Decimal("1.10"), Decimal("2.20")])
    with interrupt_after_step(invoice, "total"):
        app.queue.run_enqueued()
    app.queue.drain()
    assert handle.result() == Decimal("3.30")  # as the type it was
    assert counted == ["counted"]


def test_state_is_kept_with_the_cursor(app):
    @app.job
    def tally(job, words):
        counts = job.state.setdefault("counts", {})

        @job.step
        def count(step):
            for word in step.iterate(words):
                counts[word] = counts.get(word, 0) + 1

        job.step(lambda: None, name="publish", isolated=True)
        return counts

    handle = tally.enqueue(["a", "b", "a"])
    app.queue.stopping = lambda job: job.executions < 3 and bool(job.cursor)
    app.queue.drain()
    assert handle.result() == {"a": 2, "b": 1}


@dataclass
class Point:
    x: int
    y: int


class Money:
    def __init__(self, cents):
        self.cents = cents


def test_types_of_ones_own_are_remembered_as_well():
    """Dataclasses as they are, others by a serializer. Nothing is ever pickled."""
    money = Serializer(Money, "money", dump=lambda money: money.cents, load=Money)
    app = App(queue=TestQueue(), serializers=[money])

    @app.job
    def pay(job):
        where = job.step(lambda: Point(1, 2), name="where")
        amount = job.step(lambda: Money(250), name="amount")
        job.step(lambda: None, name="next", isolated=True)
        return where, amount.cents

    handle = pay.enqueue()
    app.queue.drain()
    assert handle.result() == (Point(1, 2), 250)


def test_what_cannot_be_remembered_fails_when_the_step_ends(app):
    @app.job
    def careless(job):
        job.step(lambda: (row for row in "abc"), name="read")

    @app.job
    def careful(job):
        job.step(lambda: (row for row in "abc"), name="read", keep=False)  # is None, always

    with pytest.raises(SerializationError, match=r"step 'read'.*keep=False.*generator"):
        careless()
    careful()


def test_a_deploy_may_rename_and_remove_steps(app):
    """Progress names the steps of the code that made it. New code says what became of them."""
    ran = []

    @app.job(name="import")
    def before(job):
        for name in ("fetch", "unzip", "load"):
            job.step(lambda name=name: ran.append(name), name=name)

    handle = before.enqueue()
    with interrupt_after_step(before, "unzip"):
        app.queue.run_enqueued()

    new_release = App(queue=app.queue)

    @new_release.job(name="import", removed_steps=["unzip"])
    def after(job):
        job.step(lambda: ran.append("download"), name="download", formerly="fetch")
        job.step(lambda: ran.append("load"), name="load")

    app.queue.drain()
    assert handle.state() == "completed"
    assert ran == ["fetch", "unzip", "load"]
