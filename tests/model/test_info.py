"""What people may know of a job, read from its progress."""

from datetime import UTC, datetime
from typing import Any

import pytest

from continuable.model.info import HistoryEntry, JobInfo
from continuable.model.states import State

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def info(**progress: Any) -> JobInfo:
    return JobInfo(
        id="1",
        name="job",
        queue="default",
        priority=0,
        state=State.RUNNING,
        arguments="[[],{}]",
        progress=progress,
        executions=1,
        resumptions=0,
        deaths=0,
        reason=None,
        error=None,
        traceback=None,
        longest_gap=0.0,
        worker=None,
        enqueued_at=NOW,
        run_at=None,
        started_at=NOW,
        finished_at=None,
        saved_at=None,
    )


def test_a_job_without_progress_is_in_no_step():
    new = info()
    assert (new.step, new.cursor, new.completed, new.done, new.total) == (None, None, [], 0, None)


def test_a_job_in_a_step_tells_step_and_cursor():
    at = info(completed=["validate"], current=["process_records", 433], done=12, total=100)
    assert (at.step, at.cursor, at.done, at.total) == ("process_records", 433, 12, 100)
    assert at.completed == ["validate"]


def test_a_job_between_two_steps_is_in_none():
    between = info(completed=["validate"], current=None)
    assert (between.step, between.cursor) == (None, None)


@pytest.mark.parametrize(
    "damaged",
    [
        {"completed": 5, "current": 7, "done": "x", "total": []},
        {"completed": None, "current": ["a"], "done": None, "total": "y"},
        {"current": {"a": 1}},
        {"current": [5, 6]},
    ],
)
def test_a_job_whose_progress_is_damaged_can_be_looked_at(damaged):
    job = info(**damaged)
    assert (job.step, job.cursor, job.completed, job.done, job.total) == (None, None, [], 0, None)


@pytest.mark.parametrize("cursor", [None, 0, "", {"$": "tuple", "v": [1, 2]}])
def test_the_cursor_stays_in_its_plain_form(cursor):
    assert info(current=["x", cursor]).cursor == cursor


def test_the_completed_steps_are_a_list_of_ones_own():
    job = info(completed=["validate"])
    job.completed.append("other")
    assert job.completed == ["validate"]


def test_entries_of_the_history_are_compared_by_what_they_tell():
    assert HistoryEntry(NOW, "job.started", {}) == HistoryEntry(NOW, "job.started", {})
    assert HistoryEntry(NOW, "job.started", {}) != HistoryEntry(NOW, "job.resumed", {})
