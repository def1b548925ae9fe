"""Messages that Celery has lost on Redis, and messages that only take their time."""

import signal
import time

import pytest
from redis import Redis

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import LEASE, ROWS
from continuable.conformance.journal import Journal
from continuable.model.states import State
from tests.queues.celery.conftest import await_hold
from tests.waiting import DEADLINE

pytestmark = pytest.mark.slow


@pytest.fixture
def lose_messages(redis_server):
    """As a worker does that dies between taking a message and noting that it has it."""

    def lose():
        with Redis.from_url(redis_server.url) as client:
            assert client.delete(*client.keys("celery*"))

    return lose


def test_a_waiting_job_whose_message_is_lost_is_sent_again(
    project, start_worker, lose_messages, folder
):
    handle = project.note_that_it_ran.enqueue(folder, "ran")
    lose_messages()
    start_worker()
    assert handle.result(timeout=DEADLINE) == "ran"


def test_an_interrupted_job_whose_message_is_lost_goes_on(
    project, start_worker, lose_messages, journal, folder
):
    handle = project.copy_rows.enqueue(folder)
    first = start_worker()
    await_hold(journal)
    first.signal_main(signal.SIGTERM)
    first.wait()
    lose_messages()
    journal.release()
    start_worker()
    assert handle.result(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))


def test_jobs_that_wait_for_their_turn_are_not_sent_again(
    project, start_worker, journal, folder, tmp_path
):
    running = project.copy_rows.enqueue(folder)
    folders = [str(folder_of(tmp_path, f"behind-{number}")) for number in range(3)]
    behind = [project.note_that_it_ran.enqueue(there, "ran") for there in folders]
    delayed = project.note_that_it_ran.using(wait=2 * LEASE).enqueue(
        str(folder_of(tmp_path, "delayed")), "ran"
    )
    start_worker()
    await_hold(journal)
    time.sleep(1.5 * LEASE)  # some looks
    journal.release()
    for handle in [running, *behind, delayed]:
        handle.result(timeout=DEADLINE)
        assert handle.state() is State.COMPLETED
        told = project.app.queue.board.history(handle.id)
        assert "job.restarted" not in [entry.event for entry in told]
    assert [len(Journal(there).begins) for there in folders] == [1, 1, 1]
