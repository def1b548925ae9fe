"""What happens to jobs, as structured events."""

import dataclasses
import logging
from datetime import UTC, datetime, timedelta

import pytest

from continuable import events
from continuable.core.attention import Attention
from continuable.core.execution import Execution
from continuable.events import EVENTS, Event
from tests.core.executing import (
    Saves,
    asking,
    execute,
    execute_with,
    execution_of,
    interrupting_at,
    new_record,
    resumed,
)


@pytest.fixture
def told(app):
    """The events of the test, as they come."""
    told = []
    app.subscribe(told.append)
    return told


def names(told):
    return [event.name for event in told]


def fields(event):
    own = {field.name for field in dataclasses.fields(event) if field.compare}
    common = {field.name for field in dataclasses.fields(Event)}
    return {name: getattr(event, name) for name in own - common}


@pytest.fixture
def work(app):
    @app.job(queue="imports")
    def work(job):
        job.step(lambda: None, name="validate")

        @job.step(start=0)
        def process_records(step):
            while step.cursor < 3:
                step.advance()

    return work


def test_every_kind_has_a_dotted_name_of_its_own():
    assert set(EVENTS) == {
        *("job.enqueued", "job.started", "job.resumed", "job.notified", "job.interrupted"),
        *("job.completed", "job.failed", "job.cancelled", "job.retried"),
        *("job.died", "job.paused", "job.restarted"),
        *("step.started", "step.skipped", "step.completed", "step.interrupted"),
        *("progress.saved", "checkpoint.overdue"),
    }
    assert all(kind.name == name for name, kind in EVENTS.items())


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_an_event_is_frozen_and_has_what_all_have(kind):
    data = {field.name: None for field in dataclasses.fields(kind)}
    event = kind(**data)
    assert {"at", "job_id", "job_name", "queue"} <= data.keys()
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.job_id = "other"


def test_an_event_tells_of_which_job_it_is_and_when(work, told):
    before = datetime.now(UTC)
    execute(work)
    for event in told:
        assert (event.job_id, event.job_name, event.queue) == ("1", work.name, "imports")
        assert before <= event.at <= datetime.now(UTC)
        assert event.at.utcoffset() == timedelta(0)


def test_a_job_without_a_queue_tells_the_default_one(app, told):
    @app.job
    def work(job): ...

    execute(work)
    assert {event.queue for event in told} == {"default"}


def test_an_undisturbed_run(work, told):
    execute(work)
    assert names(told) == [
        "job.started",
        "step.started",
        "step.completed",
        "step.started",
        "step.completed",
        "job.completed",
    ]
    started, begun, done, *_, ended = told
    assert fields(started) == {"execution": 1}
    assert fields(begun) == {"step": "validate", "cursor": None, "resumed": False}
    assert done.step == "validate"
    assert 0 <= done.duration <= ended.duration


def test_an_interruption_and_the_resume(work, told):
    record = new_record(work)
    outcome = execute(work, record, attention=interrupting_at(3))
    assert names(told)[-2:] == ["step.interrupted", "job.interrupted"]
    assert fields(told[-2]) == {"step": "process_records", "cursor": 2}
    assert fields(told[-1]) == {
        "reason": "stopping",
        "description": "at 'process_records', cursor 2",
        "error": None,
    }
    told.clear()
    execute(work, resumed(record, outcome))
    assert names(told) == [
        "job.resumed",
        "step.skipped",
        "step.started",
        "step.completed",
        "job.completed",
    ]
    assert fields(told[0]) == {
        "execution": 2,
        "resumptions": 1,
        "description": "at 'process_records', cursor 2",
    }
    assert fields(told[1]) == {"step": "validate"}
    assert fields(told[2]) == {"step": "process_records", "cursor": 2, "resumed": True}


@pytest.mark.parametrize(
    ("progress", "first"),
    [
        ({}, "job.started"),
        ({"completed": []}, "job.started"),
        ({"completed": ["validate"]}, "job.resumed"),
        ({"completed": ["validate"], "current": ["process_records", 1]}, "job.resumed"),
    ],
)
def test_an_execution_begins_with_exactly_one_of_started_and_resumed(work, told, progress, first):
    execute_with(work, progress)
    assert [name for name in names(told) if name in ("job.started", "job.resumed")] == [first]
    assert names(told)[0] == first


@pytest.mark.parametrize(
    ("progress", "description"),
    [
        ({}, "not started"),
        ({"completed": ["validate"]}, "after 'validate'"),
        ({"completed": ["a", "b"]}, "after 'b'"),
        ({"completed": [], "current": ["go", 51001]}, "at 'go', cursor 51001"),
        ({"completed": [], "current": ["go", None]}, "at 'go'"),
        ({"completed": ["a"], "current": ["go", "x"]}, "at 'go', cursor 'x'"),
        (
            {"completed": [], "current": ["go", {"$": "date", "v": "2026-08-01"}]},
            "at 'go', cursor datetime.date(2026, 8, 1)",
        ),
        (
            {"completed": [], "current": ["go", {"$": "unheard of", "v": 1}]},
            "at 'go', cursor {'$': 'unheard of', 'v': 1}",
        ),
    ],
)
def test_a_description_reads_like_this(app, progress, description):
    @app.job
    def work(job):
        nonlocal seen
        seen = execution.description
        job.cancel("enough")

    seen = None
    execution = execution_of(work, new_record(work, progress=progress))
    execution.run()
    assert (seen, execution.description) == (description, description)


def test_a_description_is_short_and_never_fails(app):
    class Odd:
        def __repr__(self):
            raise LookupError

    @app.job
    def work(job):
        @job.step(start="x" * 1000)
        def go(step):
            described.append(execution.description)
            step._cursor = Odd()
            described.append(execution.description)
            step._cursor = None

    described = []
    execution = execution_of(work)
    execution.run()
    assert len(described[0]) < 120
    assert described[1].startswith("at 'go', cursor <Odd")


def test_a_notification(app, told):
    @app.job
    def work(job):
        job.notify("import.skipped", row=7, why=["empty"])

    saves = Saves()
    execute(work, recorder=saves)
    [event] = [event for event in told if isinstance(event, events.JobNotified)]
    assert fields(event) == {"notification": "import.skipped", "data": {"row": 7, "why": ["empty"]}}
    assert saves.notes == [("import.skipped", {"row": 7, "why": ["empty"]})]


def test_a_notification_reaches_the_history(app, queue):
    @app.job
    def work(job):
        job.notify("import.skipped", row=7)

    handle = work.enqueue()
    queue.drain()
    assert "import.skipped" in [entry.event for entry in queue.board.history(handle.id)]


def test_an_error_after_progress(app, told):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        raise LookupError("no such row")

    execute(work)
    assert fields(told[-1]) == {
        "reason": "error",
        "description": "after 'a'",
        "error": "LookupError: no such row",
    }


def test_a_step_that_raises_is_not_interrupted(app, told):
    @app.job
    def work(job):
        @job.step
        def fails():
            raise LookupError

    execute(work)
    assert names(told) == ["job.started", "step.started"]


def test_a_failure(app, told, queue):
    @app.job(max_retries=1, retry_wait=7)
    def work(job):
        raise LookupError("no such row")

    work.enqueue()
    with pytest.raises(LookupError):
        queue.drain()
    assert names(told) == [
        "job.enqueued",
        "job.started",
        "job.retried",
        "job.started",
        "job.failed",
    ]
    assert fields(told[2]) == {"error": "LookupError: no such row", "wait": 7}
    assert fields(told[4]) == {"error": "LookupError: no such row", "description": "not started"}
    assert [type(told[at].exception) for at in (2, 4)] == [LookupError, LookupError]


def test_a_failure_where_nothing_can_be_read(work, told, queue):
    handle = work.enqueue()
    progress = '{"completed":[],"current":["validate",{"$":"unheard of","v":1}]}'
    queue.store._change(handle.id, lambda row, *_: setattr(row, "progress", progress))
    with pytest.raises(ValueError, match="unheard of"):
        queue.drain()
    assert names(told) == ["job.enqueued", "job.resumed", "job.failed"]
    assert told[-1].description == "at 'validate', cursor {'$': 'unheard of', 'v': 1}"


def test_a_cancel(app, told):
    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        job.cancel("the customer is gone")

    execute(work)
    assert fields(told[-1]) == {"reason": "the customer is gone", "description": "after 'a'"}
    assert told[-1].name == "job.cancelled"


def test_what_was_taken_over_tells_no_end(work, told):
    attention = Attention()
    attention.supersede()
    execute(work, attention=attention)
    assert {"job.interrupted", "job.completed", "job.failed"}.isdisjoint(names(told))


def test_an_event_is_made_only_if_somebody_wants_it(work, monkeypatch, app):
    logging.getLogger("continuable").setLevel(logging.ERROR)
    try:
        made = []
        monkeypatch.setattr(
            "continuable.events.stream.EventStream.emit", lambda self, event: made.append(event)
        )
        execute(work)
        assert made == []
        app.subscribe(print, events.StepStarted)
        execute(work)
        assert {type(event) for event in made} == {events.StepStarted}
    finally:
        logging.getLogger("continuable").setLevel(logging.NOTSET)


def test_a_subscriber_that_raises_is_logged_and_breaks_nothing(app, caplog):
    told = []

    def broken(event):
        raise LookupError("subscriber")

    app.subscribe(broken)
    app.subscribe(told.append)

    @app.job
    def work(job):
        job.step(lambda: None, name="a")
        return "fine"

    assert execute(work).value == "fine"
    assert len(told) == 4
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in failures] == [
        f"A subscriber of {event.name} failed" for event in told
    ]
    assert all(record.exc_info[0] is LookupError for record in failures)


def test_a_subscriber_is_called_in_the_jobs_own_thread_at_that_moment(app):
    import threading

    threads = []
    app.subscribe(lambda event: threads.append(threading.current_thread()))

    @app.job
    def work(job):
        threads.append("in the job")

    execute(work)
    assert threads == [threading.current_thread(), "in the job", threading.current_thread()]


def test_the_events_of_an_app_are_its_own(app):
    from continuable import App

    told = []
    App().subscribe(told.append)

    @app.job
    def work(job): ...

    execute(work)
    assert told == []


def test_a_poll_sees_the_step_that_is_running(work):
    seen = []

    def question():
        seen.append(execution.step)

    execution = Execution(work, new_record(work), attention=asking(question))
    execution.run()
    assert seen == [None, *["process_records"] * 3]
