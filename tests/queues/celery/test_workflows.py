"""Jobs in chains, chords and groups: they keep their places, and what depends on them runs once."""

import os
import signal
from pathlib import Path

import pytest
from celery import chain, chord, group

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.conformance.journal import Journal
from tests.queues.celery.conftest import await_hold
from tests.queues.embedded.working.process import is_alive
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(project):
    return project.app.queue.task(project.copy_rows)


def notes(folder):
    path = Path(folder) / "notes"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("how", ["stopped", "job killed", "main killed", "paused"])
def test_the_next_task_of_a_chain_runs_once_after_the_real_end(
    project, copy, start_worker, journal, folder, how
):
    first = start_worker()
    chained = chain(copy.s(folder), project.note.s(folder)).apply_async(
        priority=4, headers={"tenant": "acme"}
    )
    job_id = chained.parent.id
    await_hold(journal)
    handle = project.app.handle(job_id)
    until(lambda: handle.info().cursor == HELD_AT, "the save of where it waits")
    pid = journal.begins[0].pid
    match how:
        case "stopped":
            first.signal_main(signal.SIGTERM)
            assert first.wait() == 0, first.log
        case "job killed":
            os.kill(pid, signal.SIGKILL)
            until(lambda: not is_alive(pid), "its death")
        case "main killed":
            first.signal_main(signal.SIGKILL)
            until(lambda: not is_alive(pid), "the death of its pool")
        case "paused":
            handle.pause()
            until(lambda: handle.state() == "paused", "the pause")
            handle.resume()
    assert notes(folder) == []
    journal.release()
    start_worker()
    assert chained.get(timeout=DEADLINE) == ROWS
    assert notes(folder) == [str(ROWS)]
    assert journal.rows == list(range(ROWS))
    assert project.celery_app.AsyncResult(job_id).get(timeout=DEADLINE) == ROWS


def test_the_callback_of_a_chord_runs_once_when_all_its_jobs_have_ended(
    project, copy, start_worker, journal, folder, tmp_path
):
    other = Journal(folder_of(tmp_path, "other"))
    other.release()
    first = start_worker()
    jobs = [copy.s(folder), copy.s(str(tmp_path / "other"))]
    result = chord(jobs)(project.note.s(folder))
    await_hold(journal)
    first.signal_all(signal.SIGTERM)
    assert first.wait() == 0, first.log
    assert notes(folder) == []
    journal.release()
    start_worker()
    assert result.get(timeout=DEADLINE) == [ROWS, ROWS]
    assert notes(folder) == [f"[{ROWS}, {ROWS}]"]
    assert (journal.rows, other.rows) == (list(range(ROWS)), list(range(ROWS)))


def test_a_group_waits_for_the_real_ends(project, copy, start_worker, journal, folder, tmp_path):
    other = Journal(folder_of(tmp_path, "other"))
    other.release()
    first = start_worker()
    result = group([copy.s(folder), copy.s(str(tmp_path / "other"))]).apply_async()
    await_hold(journal)
    first.signal_main(signal.SIGTERM)
    assert first.wait() == 0, first.log
    assert not result.ready()
    journal.release()
    start_worker()
    assert result.get(timeout=DEADLINE) == [ROWS, ROWS]


def test_a_cancelled_job_ends_its_chord(project, copy, start_worker, journal, folder):
    start_worker()
    result = chord([copy.s(folder)])(project.note.s(folder))
    await_hold(journal)
    (job,) = result.parent.results
    project.app.handle(job.id).cancel()
    until(lambda: project.celery_app.AsyncResult(job.id).state == "REVOKED", "its state")
    until(lambda: result.state == "FAILURE", "the chord's")
    assert notes(folder) == []
