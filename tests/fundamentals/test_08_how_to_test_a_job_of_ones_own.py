"""What you need in your own tests: a queue in memory, and interruptions where you want them."""

import pytest

from continuable import App, Job
from continuable.testing import (
    TestQueue,
    check_resumable,
    interrupt_during_step,
    start_after,
    start_at,
)

app = App(queue=TestQueue())

shop: dict[int, str] = {}


@pytest.fixture(autouse=True)
def clean_shop():
    shop.clear()


@app.job
def stock(job: Job, books: list[str]) -> str:
    job.step(lambda: shop.clear(), name="clear")  # noqa: PLW0108 - a lambda, to have a name

    @job.step(start=0)
    def shelve(step):
        for number in range(step.cursor, len(books)):
            shop[number] = books[number]
            step.advance(past=number)

    job.step(lambda: shop.update({-1: "open"}), name="open")
    return f"{len(books)} books"


BOOKS = ["Emma", "Ulysses", "Solaris"]


def test_call_it_to_see_what_it_does():
    assert stock(BOOKS) == "3 books"
    assert shop == {0: "Emma", 1: "Ulysses", 2: "Solaris", -1: "open"}


def test_interrupt_it_and_look_at_the_world_in_between():
    stock.enqueue(BOOKS)
    with interrupt_during_step(stock, "shelve", cursor=2):
        app.queue.run_enqueued()
    assert shop == {0: "Emma", 1: "Ulysses"}
    app.queue.drain()
    assert shop[-1] == "open"


def test_start_it_in_its_middle():
    start_at(stock, "shelve", cursor=2, args=[BOOKS])
    app.queue.drain()
    assert shop == {2: "Solaris", -1: "open"}


def test_start_it_after_a_step():
    start_after(stock, "shelve", args=[BOOKS])
    app.queue.drain()
    assert shop == {-1: "open"}


def test_prove_that_it_resumes_wherever_it_is_interrupted_or_killed():
    check_resumable(stock, BOOKS, observe=lambda: dict(shop), reset=shop.clear)


def test_the_proof_finds_a_job_that_does_not():
    @app.job
    def careless(job, books):
        @job.step(start=0)
        def shelve(step):
            for number in range(step.cursor, len(books)):
                step.advance(past=number)  # too early: an interruption here loses the book
                shop[number] = books[number]

    with pytest.raises(AssertionError, match="interrupt at 'shelve', cursor 1"):
        check_resumable(careless, BOOKS, observe=lambda: dict(shop), reset=shop.clear)
