"""Progress as plain data: what it looks like, and how large it may be."""

import json
import logging

import pytest

from continuable import SerializationError
from continuable.core.continuation import LARGE, TOO_LARGE, Continuation
from continuable.serialization import Codec
from tests.core.executing import (
    execute,
    execute_with,
    execution_of,
    interrupting_at,
    new_record,
    progress_of,
    resumed,
)


def plain_of(progress, **options):
    return Continuation(progress, Codec(), **options).plain()


@pytest.mark.parametrize(
    "progress",
    [
        {},
        {"completed": ["a"]},
        {"completed": [], "current": ["b", 3]},
        {"completed": ["a"], "current": ["b", None]},
        {"completed": ["a"], "current": ["b", 3], "done": 2, "total": 9, "source": {"bytes": 1}},
        {"completed": ["a"], "values": {"a": {"$": "tuple", "v": [1]}}},
        {"completed": [], "state": {"at": {"$": "date", "v": "2026-08-01"}}},
    ],
)
def test_progress_that_nobody_has_moved_stays_as_it_is(progress):
    assert plain_of(progress) == progress


def test_progress_that_is_none_is_nothing_at_all():
    assert plain_of({"completed": []}) == {}
    assert plain_of({"completed": [], "state": {}}) == {}


def test_an_execution_that_only_waits_for_its_interrupt_changes_nothing(app):
    @app.job
    def work(job):
        job.interrupt("not yet")

    progress = {
        "completed": ["a"],
        "current": ["b", {"$": "tuple", "v": [1, 2]}],
        "done": 7,
        "total": 9,
        "source": "fingerprint",
        "values": {"a": 1},
        "state": {"note": "n"},
    }
    assert progress_of(execute_with(work, progress)) == progress


def test_progress_is_a_snapshot_of_its_moment(app):
    # What it was taken of goes on; what was written must not.
    @app.job
    def work(job):
        @job.step(start=[0])
        def go(step):
            job.state["list"] = [1]
            documents.append(json.loads(execution._continuation.to_json()))
            step.cursor.append(1)
            job.state["list"].append(2)
            documents.append(json.loads(execution._continuation.to_json()))

    documents = []
    execution = execution_of(work)
    execution.run()
    assert [document["current"][1] for document in documents] == [[0], [0, 1]]
    assert [document["state"]["list"] for document in documents] == [[1], [1, 2]]


def test_a_resume_has_what_was_kept_when_it_was_kept(app):
    # The value a step returned is the job's to change; what is remembered is what it was.
    seen = []

    @app.job
    def work(job):
        rows = job.step(lambda: [1, 2], name="rows")
        seen.append(list(rows))
        rows.append(3)
        job.step(lambda: None, name="next", isolated=True)

    record = new_record(work)
    execute(work, resumed(record, execute(work, record)))
    assert seen == [[1, 2], [1, 2]]


# --- size


def test_large_progress_is_kept_with_one_warning_for_an_execution(app, caplog):
    @app.job
    def work(job):
        for name in "abc":
            job.step(lambda: "x" * LARGE, name=name)

    outcome = execute(work)
    assert progress_of(outcome)["completed"] == ["a", "b", "c"]
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("grow", "largest"),
    [
        (lambda job, step: step.set("x" * TOO_LARGE), "the cursor"),
        (lambda job, step: job.state.update(rows="x" * TOO_LARGE), "job.state"),
    ],
)
def test_progress_that_is_too_large_is_an_error_that_names_step_and_what_is_large(
    app, grow, largest
):
    @app.job
    def work(job):
        job.step(lambda: "small", name="a")

        @job.step(start=0)
        def go(step):
            step.set(1)
            grow(job, step)
            job.interrupt("enough")

    outcome = execute(work)
    assert isinstance(outcome.error, SerializationError)
    message = str(outcome.error)
    assert "too large" in message
    assert "at 'go'" in message
    assert f"most of it {largest}" in message
    assert len(message) < 1000
    assert len(outcome.progress) < LARGE


def test_a_value_that_is_too_large_fails_its_step_which_mended_code_runs_again(app):
    @app.job(name="broken")
    def broken(job):
        job.step(lambda: "small", name="a")
        job.step(lambda: "x" * TOO_LARGE, name="collect")

    outcome = execute(broken)
    assert "after 'collect'" in str(outcome.error)
    assert "most of it the value of step 'collect'" in str(outcome.error)
    assert "keep=False" in str(outcome.error)
    assert progress_of(outcome) == {
        "completed": ["a"],
        "current": ["collect", None],
        "values": {"a": "small"},
    }

    @app.job(name="mended")
    def mended(job):
        job.step(lambda: "small", name="a")
        return job.step(lambda: "x" * TOO_LARGE, name="collect", keep=False)

    assert execute_with(mended, progress_of(outcome)).value is None


def test_many_small_values_can_be_too_large_together(app):
    @app.job
    def work(job):
        for number in range(40):
            job.step(lambda: "x" * (TOO_LARGE // 30), name=f"step {number}")

    outcome = execute(work)
    assert isinstance(outcome.error, SerializationError)
    completed = progress_of(outcome)["completed"]
    assert 20 < len(completed) < 30
    assert progress_of(outcome)["current"] == [f"step {len(completed)}", None]
    assert len(outcome.progress) <= TOO_LARGE


@pytest.mark.parametrize(("length", "fits"), [(TOO_LARGE, True), (TOO_LARGE + 1, False)])
def test_the_limit_is_what_may_just_be_kept(length, fits):
    around = len('{"completed":[""]}')
    continuation = Continuation({"completed": ["x" * (length - around)]}, Codec())
    if fits:
        assert len(continuation.to_json()) == TOO_LARGE
    else:
        with pytest.raises(SerializationError, match=f"{length} bytes"):
            continuation.to_json()


# --- sources


class Source:
    def __init__(self, items, fingerprint=None, total=None):
        self._items, self._fingerprint, self._total = items, fingerprint, total

    def items(self, cursor):
        return iter([(item, item) for item in self._items if item > (cursor or 0)])

    def total(self):
        return self._total

    def fingerprint(self):
        return self._fingerprint

    def __repr__(self):
        return "rows.csv"


def iterating(app, source):
    @app.job
    def work(job):
        @job.step
        def go(step):
            return [[item, step.total] for item in step.iterate(source)]

        return go

    return work


def test_the_iterator_of_a_source_need_not_be_a_generator(app):
    work = iterating(app, Source([1, 2, 3]))
    record = new_record(work)
    outcome = execute(work, record, attention=interrupting_at(2))
    assert execute(work, resumed(record, outcome)).value == [[3, None]]


def test_a_fingerprint_may_be_any_value_that_can_be_kept(app):
    work = iterating(app, Source([1, 2, 3], fingerprint=("etag", {1, 2})))
    record = new_record(work)
    outcome = execute(work, record, attention=interrupting_at(1))
    assert execute(work, resumed(record, outcome)).value == [[2, None], [3, None]]


def test_a_fingerprint_that_cannot_be_kept_fails_where_the_loop_begins(app):
    outcome = execute(iterating(app, Source([1], fingerprint=object())))
    assert isinstance(outcome.error, SerializationError)
    assert "The fingerprint of rows.csv" in str(outcome.error)


def test_another_fingerprint_is_other_data(app):
    work = iterating(app, Source([1, 2, 3], fingerprint="one"))
    record = new_record(work)
    outcome = execute(work, record, attention=interrupting_at(1))
    changed = iterating(app, Source([1, 2, 3], fingerprint="two"))
    outcome = execute(changed, resumed(record, outcome))
    assert "rows.csv is not what it was" in str(outcome.error)
    assert progress_of(outcome)["source"] == "one"


def test_a_source_that_knows_no_total_leaves_the_jobs_own(app):
    @app.job
    def work(job):
        @job.step
        def go(step):
            step.total = 500
            for _ in step.iterate(Source([1])):
                pass
            before = step.total
            for _ in step.iterate(Source([2], total=7)):
                pass
            return [before, step.total]

        return go

    assert execute(work).value == [500, 7]


def test_a_generator_cannot_resume_and_is_told_so(app):
    outcome = execute(iterating(app, (n for n in range(3))))
    assert "Cannot resume in the middle of a generator" in str(outcome.error)
