"""A transaction of a user's may hold its job's row for long: nobody else has to wait for that."""

import contextlib
import gc
import threading
from contextlib import contextmanager

import pytest

from continuable.core.outcome import Completed
from continuable.errors import StoreError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.protocol import Claim, Leased, Save
from tests.progress.places import WITH_COMMIT
from tests.waiting import until

on_each = pytest.mark.parametrize("place", WITH_COMMIT, indirect=True)


@contextmanager
def holding(place, claim):
    """A transaction that has committed a cursor, but not itself."""
    with place.connected() as connection, place.begun(connection):
        assert place.store.commit(
            connection, Save(claim.id, claim.fence, claim.worker, 1, '{"state":{}}')
        )
        yield


def claimed(store, job_id, worker):
    claim = store.claim(JobRecord(id=job_id, name="jobs.import"), worker)
    assert isinstance(claim, Claim)
    return claim


@on_each
def test_the_leases_of_a_worker_are_renewed_but_for_the_one_that_is_locked(place):
    held, free = (claimed(place.store, job_id, "worker") for job_id in ("held", "free"))
    with holding(place, held):
        until(lambda: left_of(place.store, free) < place.store.lease - 0.1)
        before = left_of(place.store, free)
        place.store.renew("worker")
        assert left_of(place.store, free) > before


@on_each
def test_the_jobs_of_the_dead_are_recovered_but_for_the_one_that_is_locked(place):
    place.store.lease = 0.1
    held, _ = (claimed(place.store, job_id, "dead") for job_id in ("held", "free"))
    with holding(place, held):
        assert until(lambda: recovered(place.store)) == {"free"}
    until(lambda: "held" in recovered(place.store))


@on_each
def test_a_worker_that_is_frozen_within_a_write_is_not_in_the_way_of_its_successor(
    place, monkeypatch
):
    """As by SIGSTOP, by a snapshot of its machine, or with its network cut."""
    monkeypatch.setattr("continuable.progress.sql.store.SHORTEST_IDLE", 0.5)
    place.store.lease = 0.1
    claimed(place.store, "held", "frozen")
    in_time = []

    def recover():
        in_time.append(until(lambda: "held" in recovered(place.store)))

    # Its transaction is gone when it thaws.
    with contextlib.suppress(StoreError), place.store._writing() as session:
        place.store._run(session, "row_to_change", id="held")
        thread = threading.Thread(target=recover)
        thread.start()
        thread.join()
    assert in_time == [True]
    assert isinstance(claimed(place.store, "held", "successor"), Claim)


@pytest.fixture
def no_collections():
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("place", ["sqlalchemy-postgresql", "sqlalchemy-mariadb"], indirect=True)
@pytest.mark.usefixtures("no_collections")
def test_a_transaction_that_a_job_has_forgotten_is_not_in_the_way_of_its_end(place):
    claim = claimed(place.store, "job", "worker")

    def forget():
        connection = place.connected()
        place.begun(connection)
        place.store.commit(connection, Save(claim.id, claim.fence, claim.worker, 1, '{"state":{}}'))
        circle = [connection]
        circle.append(circle)

    forget()
    completed = Completed(result="1", progress=None)
    assert place.store.settle(claim, completed).state is State.COMPLETED


def left_of(store, claim):
    answer = store.claim(claim.record(), "other")
    assert isinstance(answer, Leased)
    return answer.seconds


def recovered(store):
    return {found.info.id for found in store.recover()}
