"""Where each fault strikes, and what the job is resumed with.

The jobs here tell how often they were started, so that every strike leads to another result and
is listed in the report.
"""

import json
import sqlite3
from contextlib import closing

import pytest

SAVED = "with all progress saved"
BEFORE = "right before that was saved"
NOTHING = "with nothing saved since the last step or commit"


@pytest.fixture
def work(app, world):
    @app.job(name="work")
    def work(job):
        world.append(job.executions)
        job.step(lambda: None, name="collect")

        @job.step(start=0)
        def send(step):
            while step.cursor < 2:
                step.advance()

    return work


def strikes(found):
    """Each strike in words, with the progress that the job was resumed with."""
    progress = [failure.strike.progress for failure in found.error.failures]
    return [
        (words, json.loads(document) if document else None)
        for words, document in zip(found.strikes, progress, strict=True)
    ]


COLLECTED = {"completed": ["collect"]}
AT_1 = {"completed": ["collect"], "current": ["send", 1], "done": 1}
AT_2 = {"completed": ["collect"], "current": ["send", 2], "done": 2}
SENT = {"completed": ["collect", "send"]}


def test_an_interrupt_strikes_at_every_checkpoint(work, report):
    assert strikes(report(work, faults=["interrupt"])) == [
        ("interrupt after 'collect', before 'send'", COLLECTED),
        ("interrupt at 'send', cursor 1", AT_1),
        ("interrupt at 'send', cursor 2", AT_2),
    ]


def test_an_error_strikes_at_every_checkpoint(work, report):
    assert strikes(report(work, faults=["error"])) == [
        ("error after 'collect', before 'send'", COLLECTED),
        ("error at 'send', cursor 1", AT_1),
        ("error at 'send', cursor 2", AT_2),
    ]


def test_a_duplicate_strikes_at_every_checkpoint_and_behind_the_end(work, report):
    assert [words for words, _ in strikes(report(work, faults=["duplicate"]))] == [
        "duplicate after 'collect', before 'send'",
        "duplicate at 'send', cursor 1",
        "duplicate at 'send', cursor 2",
        "duplicate after 'send', before the job has ended",
    ]


def test_a_kill_strikes_at_ends_of_steps_too_with_each_progress_that_may_be_durable(work, report):
    assert strikes(report(work, faults=["kill"])) == [
        (f"kill at the end of 'collect', {SAVED}", COLLECTED),
        (f"kill at the end of 'collect', {NOTHING}", {}),
        (f"kill after 'collect', before 'send', {SAVED}", COLLECTED),
        (f"kill at 'send', cursor 1, {SAVED}", AT_1),
        (f"kill at 'send', cursor 1, {BEFORE}", COLLECTED),
        (f"kill at 'send', cursor 2, {SAVED}", AT_2),
        (f"kill at 'send', cursor 2, {BEFORE}", AT_1),
        (f"kill at 'send', cursor 2, {NOTHING}", COLLECTED),
        (f"kill at the end of 'send', {SAVED}", SENT),
        (f"kill at the end of 'send', {BEFORE}", AT_2),
        (f"kill at the end of 'send', {NOTHING}", COLLECTED),
        (f"kill after 'send', before the job has ended, {SAVED}", SENT),
    ]


def test_what_a_commit_has_kept_is_durable(app, world, report):
    @app.job
    def work(job):
        world.append(job.executions)
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:

            @job.step(start=0)
            def send(step):
                while step.cursor < 2:
                    with step.transaction(database) as transaction:
                        transaction.save(step.cursor + 1)

    at_1 = {"completed": [], "current": ["send", 1], "done": 1}
    inside = "inside the transaction of a commit at 'send'"
    assert strikes(report(work, faults=["kill"]))[:5] == [
        (f"kill {inside}, cursor 1, {NOTHING}", {}),
        (f"kill at 'send', cursor 1, {SAVED}", at_1),
        (f"kill {inside}, cursor 2, {BEFORE}", at_1),
        (f"kill at 'send', cursor 2, {SAVED}", at_1 | {"current": ["send", 2], "done": 2}),
        (f"kill at the end of 'send', {SAVED}", {"completed": ["send"]}),
    ]


def test_executions_are_told_what_befell_them(app, world, report):
    seen = []

    @app.job
    def work(job):
        world.append(job.executions)

        @job.step(start=0)
        def send(step):
            seen.append((job.executions, job.resumptions, step.cursor, step.resumed))
            while step.cursor < 1:
                step.advance()

    report(work, faults=["interrupt"])
    assert seen[:3] == [(1, 0, 0, False), (1, 0, 0, False), (2, 1, 1, True)]
    seen.clear()
    report(work, faults=["error"])
    assert seen[:3] == [(1, 0, 0, False), (1, 0, 0, False), (2, 0, 1, True)]
    seen.clear()
    report(work, faults=["duplicate"])
    assert seen[:3] == [(1, 0, 0, False), (1, 0, 0, False), (2, 0, 0, False)]


def test_nothing_of_a_killed_execution_comes_after_its_death(app, world, check):
    after = []

    @app.job
    def work(job):
        @job.step(start=0)
        def send(step):
            try:
                while step.cursor < 2:
                    step.advance()
            finally:
                if job.executions == 1 and step.cursor < 2:
                    step.checkpoint()
                    after.append(step.cursor)

    check(work, faults=["kill"])
    assert after == []


@pytest.mark.parametrize("faults", [["explode"], [], "kill", ["kill", "explode"]])
def test_faults_that_there_are_not_are_refused(work, check, faults):
    with pytest.raises(ValueError, match="faults is a list of interrupt, kill, error, duplicate"):
        check(work, faults=faults)


def test_arguments_that_do_not_fit_are_refused(work, check):
    with pytest.raises(TypeError, match="too many positional arguments"):
        check(work, 1)


def test_jobs_are_handed_their_arguments_anew_each_time(app, world, passes):
    @app.job
    def work(job, rows, *, note):
        job.step(lambda: world.append(note) if note not in world else None, name="a")
        rows.append("changed")
        job.step(rows.clear)

    rows = ["a"]
    passes(work, rows, note="n")
    assert rows == ["a"]


def test_no_queue_takes_part(app, world, passes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    @app.job
    def work(job):
        job.step(lambda: None, name="a")

    passes(work)
    assert app._queue is None
    assert [*tmp_path.iterdir()] == []
