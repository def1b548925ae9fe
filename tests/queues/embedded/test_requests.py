import math

import pytest

from continuable.errors import JobNotFoundError, JobStateError, QueueError
from continuable.model.states import REQUESTS, State
from continuable.progress import Save
from continuable.queues.embedded.liveness import WorkerLock
from tests.queues.embedded.dead import dead_worker

ARROWS = [
    (verb, before, after) for verb, arrows in REQUESTS.items() for before, after in arrows.items()
]
REFUSED = [
    (verb, state) for verb, arrows in REQUESTS.items() for state in State if state not in arrows
]


@pytest.fixture
def in_state(table, enqueue, raw, path):
    """A job that has run before and is in a state, its worker alive."""
    lock = WorkerLock(path, "alive")
    lock.acquire()

    def in_state(state):
        job_id = enqueue(unique="key")
        raw.execute(
            "UPDATE continuable_jobs SET state = :state, fence = 4, executions = 4, failures = 2,"
            ' deaths = 2, resumptions = 3, progress = \'{"current":["a",1]}\', worker = :worker,'
            " lease_until = :lease_until,"
            " finished_at = :finished_at, error = 'E' WHERE id = :id",
            {
                "id": job_id,
                "state": state.value,
                "worker": "alive" if state.is_running else None,
                "lease_until": math.inf if state.is_running else None,
                "finished_at": 1.0 if state.is_finished else None,
            },
        )
        return job_id

    yield in_state
    lock.release()


@pytest.mark.parametrize(("verb", "before", "after"), ARROWS)
def test_every_arrow_is_taken(table, in_state, verb, before, after):
    job_id = in_state(before)
    info = table.request(job_id, verb).info
    assert info.state is after
    assert (info.finished_at is not None) is after.is_finished
    assert (info.worker is not None) is after.is_running
    is_ready = after in {State.WAITING, State.INTERRUPTED}
    assert (table.claim_next("me") is not None) is is_ready


@pytest.mark.parametrize(("verb", "state"), REFUSED)
def test_every_other_request_is_refused(table, in_state, verb, state):
    with pytest.raises(JobStateError):
        table.request(in_state(state), verb)


def test_a_job_that_is_not_there_is_not_found(table):
    with pytest.raises(JobNotFoundError):
        table.request("nobody", "pause")


def test_a_retry_carries_on_with_fresh_counts(table, in_state):
    info = table.request(in_state(State.FAILED), "retry").info
    assert (info.cursor, info.deaths, info.resumptions, info.executions) == (1, 0, 0, 4)
    assert table.claim_next("me").failures == 0


def test_a_restart_begins_anew_and_fences_out_the_old_execution(table, in_state):
    job_id = in_state(State.RUNNING)
    info = table.request(job_id, "restart").info
    assert (info.progress, info.error, info.resumptions, info.executions) == ({}, None, 0, 4)
    assert table.save([Save(job_id, 4, "worker", 9, '{"current":["a",2]}')]) == [job_id]
    assert table.claim_next("me").fence == 6


def test_a_resume_does_not_wait_any_longer(table, enqueue):
    job_id = enqueue(wait=60)
    table.request(job_id, "pause")
    table.request(job_id, "resume")
    assert table.claim_next("me").id == job_id


def test_a_restart_does_not_wait_either(table, enqueue):
    job_id = enqueue(wait=60)
    table.request(job_id, "restart")
    assert table.claim_next("me").id == job_id


def test_requests_are_told_once(table, running_elsewhere):
    job_id = running_elsewhere().id
    for verb in ("pause", "pause", "resume", "cancel", "cancel"):
        table.request(job_id, verb)
    told = [entry.event for entry in table.history(job_id)]
    assert told == ["job.pausing", "job.resumed", "job.cancelling"]


@pytest.mark.parametrize("verb", ["retry", "restart"])
def test_a_job_whose_unique_key_has_gone_to_another_stays_finished(table, make, in_state, verb):
    job_id = in_state(State.FAILED)
    table.enqueue([make("other", unique="key")])
    with pytest.raises(QueueError, match="'other' has its unique key"):
        table.request(job_id, verb)
    assert table.find(job_id).state is State.FAILED


@pytest.mark.parametrize(("verb", "state"), [("pause", State.PAUSED), ("cancel", State.CANCELLED)])
def test_a_request_to_a_dead_workers_job_takes_effect_at_once(table, claimed, verb, state):
    job = claimed(worker=dead_worker())
    assert table.request(job.id, verb).info.state is state
