"""The one flag: raised by anybody, attended to by the job, and never lost in between."""

import sys
import threading

import pytest

from continuable.core.attention import Attention
from continuable.core.outcome import Completed
from tests.core.executing import Saves, execute, progress_of
from tests.waiting import DEADLINE


def test_nothing_is_wanted_at_first():
    attention = Attention()
    assert not attention.raised
    assert attention.attend() is None


def test_an_interrupt_stays_until_the_job_is_left():
    attention = Attention()
    attention.interrupt("stopping")
    assert attention.raised
    assert [attention.attend(), attention.attend()] == ["stopping", "stopping"]
    assert attention.raised


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (["stopping", "paused"], "stopping"),
        (["paused", "stopping"], "paused"),
        (["stopping", "cancelled"], "cancelled"),
        (["cancelled", "stopping"], "cancelled"),
        (["cancelled", "paused", "max_runtime"], "cancelled"),
    ],
)
def test_the_first_reason_stays_but_cancel_wins(asked, reason):
    attention = Attention()
    for one in asked:
        attention.interrupt(one)
    assert attention.attend() == reason


def test_a_pause_can_be_taken_back_and_nothing_else():
    attention = Attention()
    attention.interrupt("paused")
    attention.unpause()
    assert attention.attend() is None
    assert not attention.raised
    attention.interrupt("stopping")
    attention.unpause()
    assert attention.attend() == "stopping"


def test_a_save_is_asked_for_once():
    attention = Attention()
    attention.request_save()
    assert (attention.raised, attention.is_save_due) == (True, True)
    assert attention.attend() is None
    assert not attention.raised


@pytest.mark.parametrize(
    ("answer", "reason"), [(None, None), (False, False), (True, True), ("deploy", "deploy")]
)
def test_a_question_is_asked_at_every_checkpoint(answer, reason):
    attention, asked = Attention(), []
    attention.ask_at_every_checkpoint(lambda: asked.append(1) or answer)
    assert [attention.attend(), attention.attend()] == [reason, reason]
    assert attention.raised
    assert len(asked) == 2


def test_what_was_asked_for_goes_before_the_question():
    attention = Attention()
    attention.ask_at_every_checkpoint(lambda: "from the question")
    attention.interrupt("stopping")
    assert attention.attend() == "stopping"


def test_the_longest_wait_for_a_checkpoint_is_remembered(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("continuable.core.attention.time.monotonic", lambda: clock[0])
    attention = Attention()
    for gap in (3.0, 7.0, 2.0):
        attention.request_save()
        assert attention.raised_at == clock[0]
        clock[0] += gap - 1
        attention.request_save()  # again, and the wait goes on
        clock[0] += 1
        attention.attend()
        assert attention.raised_at is None
    assert attention.longest_gap == 7.0


def moving(app, moves):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            moves(step)

    return work


@pytest.mark.parametrize(
    "move",
    [
        lambda step, n: step.set(n),
        lambda step, n: step.advance(),
        lambda step, n: step.advance(past=n),
        lambda step, n: step.set(str(n)),
        lambda step, n: step.set([n]),
        lambda step, n: step.set(n if n % 2 else str(n)),
        lambda step, n: step.checkpoint(),
    ],
)
def test_whatever_the_move_an_interrupt_is_seen_at_the_next_one(app, move):
    made = []

    def moves(step):
        for n in range(1, 10):
            if n == 5:
                attention.interrupt("stopping")
            made.append(n)
            move(step, n)

    attention = Attention()
    assert execute(moving(app, moves), attention=attention).reason == "stopping"
    assert made[-1] == 5


def test_an_interrupt_asked_for_before_the_step_is_seen_at_its_first_move(app):
    made = []

    def moves(step):
        made.append(1)
        step.advance()
        made.append(2)

    attention = Attention()
    attention.interrupt("stopping")
    execute(moving(app, moves), attention=attention)
    assert made == [1]


def test_every_save_asked_for_is_made_with_the_cursor_of_its_checkpoint(app):
    def moves(step):
        for n in range(1, 7):
            if n % 2:
                attention.request_save()
            step.advance()

    attention, saves = Attention(), Saves()
    assert isinstance(execute(moving(app, moves), attention=attention, recorder=saves), Completed)
    cursors = [document["current"][1] for document in saves.documents if "current" in document]
    assert cursors == [1, 3, 5]
    assert saves.borders == [False, False, False, True]


def test_a_save_at_a_border_makes_one_that_was_due_unnecessary(app):
    @app.job
    def work(job):
        job.step(attention.request_save, name="a")
        job.step(lambda: None, name="b")

    attention, saves = Attention(), Saves()
    execute(work, attention=attention, recorder=saves)
    assert saves.borders == [True, True]


def test_a_request_that_comes_while_the_job_attends_is_not_lost(app):
    class Asking(Saves):
        def save(self, document, *, is_border):
            super().save(document, is_border=is_border)
            if not is_border and len(self.documents) == 1:
                attention.interrupt("stopping")  # as the heartbeat might, just now

    made = []

    def moves(step):
        for n in range(1, 10):
            if n == 3:
                attention.request_save()
            made.append(n)
            step.set(n)

    attention = Attention()
    outcome = execute(moving(app, moves), attention=attention, recorder=Asking())
    assert (outcome.reason, made[-1]) == ("stopping", 4)


def test_the_flag_is_lowered_before_anything_is_read():
    class Racing(Attention):
        """Somebody asks for a save just when the job looks why it is to be interrupted."""

        @property
        def interrupt_reason(self):
            self.request_save()

        @interrupt_reason.setter
        def interrupt_reason(self, reason): ...

    attention = Racing()
    assert attention.attend() is None
    assert attention.raised


@pytest.fixture
def busy_threads():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_no_request_from_another_thread_is_ever_lost(app, busy_threads):
    # The job and another thread race: each request must be answered by a save before the next.
    requests = 1000

    def moves(step):
        thread = threading.Thread(target=asks)
        thread.start()
        n = 0
        while thread.is_alive():
            step.set(n := n + 1)
        thread.join()

    answered = threading.Event()

    class Answering(Saves):
        def save(self, document, *, is_border):
            super().save(document, is_border=is_border)
            answered.set()

    lost = []

    def asks():
        for number in range(requests):
            answered.clear()
            attention.request_save()
            if not answered.wait(timeout=DEADLINE):
                lost.append(number)
                return

    attention, saves = Attention(), Answering()
    assert isinstance(execute(moving(app, moves), attention=attention, recorder=saves), Completed)
    assert lost == []
    assert len(saves.documents) == requests + 1


def test_an_interrupt_from_another_thread_ends_a_busy_loop(app):
    def moves(step):
        thread = threading.Thread(target=attention.interrupt, args=["stopping"])
        thread.start()
        while True:
            step.advance()

    attention = Attention()
    outcome = execute(moving(app, moves), attention=attention)
    assert outcome.reason == "stopping"
    assert progress_of(outcome)["current"][1] == progress_of(outcome)["done"]
