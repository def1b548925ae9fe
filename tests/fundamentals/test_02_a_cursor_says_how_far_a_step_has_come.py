"""A long step moves a cursor: a resume starts there instead of at the beginning of the step."""

from datetime import date

import pytest

from continuable import App, Job, Step, UnadvanceableCursorError
from continuable.testing import TestQueue, interrupt_during_step

app = App(queue=TestQueue())

sent = []


def send(letter: int) -> None:
    sent.append(letter)


@pytest.fixture(autouse=True)
def empty_letterbox():
    sent.clear()


@app.job
def send_letters(job: Job, count: int) -> None:
    @job.step(start=0)
    def letters(step: Step[int]) -> None:
        """Asked for a parameter, a step's function is handed the `Step`."""
        while step.cursor < count:
            send(step.cursor)
            step.advance()  # cursor + 1, after the letter is sent: now it counts as done


def test_a_resume_goes_on_at_the_cursor():
    send_letters.enqueue(5)
    with interrupt_during_step(send_letters, "letters", cursor=3):
        app.queue.run_enqueued()
    assert sent == [0, 1, 2]
    assert app.queue.enqueued[0].progress["current"] == ["letters", 3]

    app.queue.drain()
    assert sent == [0, 1, 2, 3, 4]


def test_any_value_that_has_an_order_can_be_a_cursor():
    """With `set`, the cursor is the last key that is done: "give me those after it"."""
    names = ["Ada", "Grace", "Hedy", "Karen"]

    @app.job(name="greet")
    def greet(job):
        @job.step
        def everybody(step):
            for name in names:
                if step.cursor is None or name > step.cursor:
                    send(name)
                    step.set(name)

    greet.enqueue()
    with interrupt_during_step(greet, "everybody", cursor="Grace"):
        app.queue.run_enqueued()
    app.queue.drain()
    assert sent == names


def test_advance_knows_what_follows_a_number_and_a_day():
    @app.job(name="days")
    def days(job):
        @job.step(start=date(2028, 2, 28))
        def february(step):
            step.advance()
            send(step.cursor)
            step.advance(past=date(2028, 2, 29))  # behind this one, wherever the cursor is
            send(step.cursor)
            step.set("a word")
            step.advance()

    with pytest.raises(UnadvanceableCursorError, match=r"use step\.set"):
        days()
    assert sent == [date(2028, 2, 29), date(2028, 3, 1)]


def test_a_source_moves_the_cursor_by_itself():
    """`iterate` starts at the cursor, and moves it behind each item once its body is done."""

    @app.job(name="parcels")
    def parcels(job):
        @job.step
        def pack(step):
            for parcel in step.iterate(["books", "tea", "soap"]):
                send(parcel)
            return f"{step.done} of {step.total}"

        return pack

    handle = parcels.enqueue()
    with interrupt_during_step(parcels, "pack", cursor=2):
        app.queue.run_enqueued()
    app.queue.drain()
    assert sent == ["books", "tea", "soap"]
    assert handle.result() == "3 of 3"
