"""`continuable check` knows Celery's workers, and the jobs that none of them will run."""

import json
import os
import subprocess
import sys

import pytest

from continuable.conformance.workers import DEADLINE
from continuable.model.states import State
from tests.queues.celery.conftest import PROJECT, await_hold
from tests.waiting import until

pytestmark = pytest.mark.slow

NO_WORKER = "No worker is alive, and 1 job waits: start one of the engine's"


@pytest.fixture
def found(project, worker_environment):
    """What `check` has to say of a subject."""

    def found(subject):
        done = subprocess.run(
            [sys.executable, "-m", "continuable", "check", f"{PROJECT}:app", "--json"],
            env={**os.environ, **worker_environment},
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return [f["sentence"] for f in json.loads(done.stdout) if f["subject"] == subject]

    return found


def test_jobs_that_no_worker_will_run_are_found(project, start_worker, found, folder):
    job = project.note_that_it_ran.using(queue="nowhere")
    purged = job.enqueue(folder, "ran")
    assert found("workers") == [NO_WORKER]
    start_worker()
    unserved = "Jobs wait on queue 'nowhere', and no worker that is alive serves it: start one"
    until(lambda: found("workers")[-1] == unserved)
    with project.celery_app.connection_for_write() as connection:
        assert connection.default_channel.queue_purge("nowhere") == 1
    (sentence,) = found("messages")
    assert sentence.startswith(f"The message of {purged.id!r} is gone from the queue")


def test_a_solo_worker_that_runs_a_job_is_not_taken_for_dead(
    project, start_worker, found, journal, folder, tmp_path
):
    running = project.copy_rows.enqueue(folder)
    start_worker("solo")
    await_hold(journal)
    waiting = project.note_that_it_ran.enqueue(str(tmp_path), "ran")
    assert found("workers") == []
    journal.release()
    assert waiting.result(timeout=DEADLINE) == "ran"
    assert running.state() is State.COMPLETED
