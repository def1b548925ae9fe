"""The log: lines by which a person can follow a job."""

import dataclasses
import logging
import re

import pytest

from continuable import events
from continuable.events import log as eventlog
from tests.core.executing import execute, execute_with, interrupting_at, new_record, progress_of

EVERY_KIND = [
    (events.JobEnqueued, {}, "enqueued on imports"),
    (events.JobStarted, {"execution": 1}, "started"),
    (
        events.JobResumed,
        {"execution": 2, "resumptions": 1, "description": "after 'a'"},
        "resumed after 'a'",
    ),
    (
        events.JobNotified,
        {"notification": "import.skipped", "data": {"row": 7}},
        "says import.skipped {'row': 7}",
    ),
    (
        events.JobInterrupted,
        {"reason": "stopping", "description": "at 'b', cursor 3"},
        "interrupted (stopping) at 'b', cursor 3",
    ),
    (
        events.JobInterrupted,
        {"reason": "error", "description": "after 'a'", "error": "LookupError: x"},
        "interrupted (error) after 'a': LookupError: x",
    ),
    (events.JobCompleted, {"duration": 1.2345}, "completed in 1234 ms"),
    (
        events.JobFailed,
        {"error": "LookupError: x", "description": "after 'a'"},
        "failed after 'a': LookupError: x",
    ),
    (
        events.JobCancelled,
        {"reason": "too late", "description": "after 'a'"},
        "cancelled (too late) after 'a'",
    ),
    (events.JobCancelled, {"reason": "", "description": "after 'a'"}, "cancelled after 'a'"),
    (
        events.JobRetried,
        {"error": "LookupError: x", "wait": 2.0},
        "failed and is retried in 2.0 s: LookupError: x",
    ),
    (
        events.JobDied,
        {"worker": "host-7-ab", "description": "after 'a'"},
        "was running after 'a' when its worker host-7-ab died",
    ),
    (events.JobPaused, {"description": "after 'a'"}, "paused after 'a'"),
    (events.JobRestarted, {}, "sent back to its beginning"),
    (events.StepStarted, {"step": "b", "cursor": 0, "resumed": False}, "step b started"),
    (
        events.StepStarted,
        {"step": "b", "cursor": 51001, "resumed": True},
        "step b resumed from cursor 51001",
    ),
    (events.StepSkipped, {"step": "a"}, "step a skipped"),
    (events.StepCompleted, {"step": "a", "duration": 0.25}, "step a completed in 250 ms"),
    (events.StepInterrupted, {"step": "b", "cursor": 3}, "step b interrupted at cursor 3"),
    (events.ProgressSaved, {"cursor": 3, "bytes": 40}, "progress saved at cursor 3, 40 bytes"),
    (
        events.CheckpointOverdue,
        {"step": "b", "seconds": 31.25},
        "has reached no checkpoint for 31.2 s, in step b",
    ),
]


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, logger="continuable")
    return caplog


def lines(log):
    return [record.getMessage() for record in log.records]


def event_of(kind, data):
    return kind(at=None, job_id="42", job_name="app.jobs.process", queue="imports", **data)


def test_every_kind_of_event_has_a_line():
    assert {kind for kind, *_ in EVERY_KIND} == set(events.EVENTS.values())


@pytest.mark.parametrize(("kind", "data", "line"), EVERY_KIND)
def test_a_line_says_of_which_job_it_is_and_what_happened(log, kind, data, line):
    eventlog.log(event_of(kind, data))
    assert lines(log) == [f"process[42] {line}"]


@pytest.mark.parametrize(("kind", "data", "line"), EVERY_KIND)
def test_the_message_is_constant_and_the_data_are_its_arguments_and_extra(log, kind, data, line):
    event = event_of(kind, data)
    eventlog.log(event)
    [record] = log.records
    assert record.msg.startswith("%s ")
    assert all(str(value) not in record.msg for value in data.values() if value)
    assert record.continuable_event == event.name
    for field in dataclasses.fields(event):
        if field.name == "exception":
            continue  # that is its exc_info
        assert getattr(record, f"continuable_{field.name}") == getattr(event, field.name)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (events.JobEnqueued, "DEBUG"),
        (events.ProgressSaved, "DEBUG"),
        (events.JobStarted, "INFO"),
        (events.JobInterrupted, "INFO"),
        (events.StepCompleted, "INFO"),
        (events.JobRetried, "WARNING"),
        (events.CheckpointOverdue, "WARNING"),
        (events.JobFailed, "ERROR"),
    ],
)
def test_the_level_tells_whether_somebody_should_look(log, kind, level):
    data = next(data for other, data, _ in EVERY_KIND if other is kind)
    eventlog.log(event_of(kind, data))
    assert log.records[0].levelname == level


def test_an_event_that_the_log_does_not_know_is_written_by_its_name(log):
    class Unknown(events.Event):
        name = "job.unknown"

    eventlog.log(Unknown(at=None, job_id="42", job_name="process", queue="imports"))
    assert lines(log) == ["process[42] job.unknown"]


def test_a_person_can_follow_a_job(app, log):
    @app.job(name="app.process_import")
    def work(job):
        job.step(lambda: None, name="validate")

        @job.step(start=0)
        def process_records(step):
            while step.cursor < 4:
                step.advance()

    outcome = execute(work, attention=interrupting_at(3))
    record = new_record(work, progress=progress_of(outcome))
    execute(work, record)
    told = [re.sub(r"\d+ ms", "N ms", line) for line in lines(log)]
    assert told == [
        "process_import[1] started",
        "process_import[1] step validate started",
        "process_import[1] step validate completed in N ms",
        "process_import[1] step process_records started",
        "process_import[1] step process_records interrupted at cursor 2",
        "process_import[1] interrupted (stopping) at 'process_records', cursor 2",
        "process_import[1] resumed at 'process_records', cursor 2",
        "process_import[1] step validate skipped",
        "process_import[1] step process_records resumed from cursor 2",
        "process_import[1] step process_records completed in N ms",
        "process_import[1] completed in N ms",
    ]


def test_nothing_is_printed_where_nobody_has_set_up_logging(app, capsys):
    @app.job
    def work(job):
        raise LookupError

    execute(work)
    assert capsys.readouterr() == ("", "")


def test_large_progress_is_warned_about_once(app, log):
    @app.job
    def work(job):
        job.step(lambda: "x" * 70_000, name="large")
        job.step(lambda: None, name="b")
        job.step(lambda: None, name="c")

    execute_with(work, {})
    [warning] = [record for record in log.records if record.levelname == "WARNING"]
    assert re.fullmatch(
        r"Progress is large: 7\d{4} bytes, most of it the value of step 'large'",
        warning.getMessage(),
    )


def test_a_failure_is_logged_with_its_traceback(app, caplog):
    @app.job
    def work(job):
        raise LookupError("caf\udce9.csv")

    with pytest.raises(LookupError):
        work()

    record = caplog.records[-1]
    assert record.continuable_event == "job.failed"
    assert record.exc_info[0] is LookupError
    assert not hasattr(record, "continuable_exception")
    assert "LookupError: caf\\udce9.csv" in record.exc_text
    caplog.text.encode()


@pytest.mark.parametrize("kind", [events.JobFailed, events.JobRetried, events.JobInterrupted])
def test_an_exception_is_neither_compared_nor_shown(kind):
    fields = {field.name: None for field in dataclasses.fields(kind)}
    event = kind(**{**fields, "exception": LookupError("secret")})
    assert event == kind(**fields)
    assert "secret" not in repr(event)
