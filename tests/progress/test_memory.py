"""`MemoryProgress` is a progress store, for the threads of one process."""

from itertools import repeat
from multiprocessing.pool import ThreadPool

import pytest

from continuable.conformance import ProgressStoreSuite
from continuable.errors import JobStateError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Claim
from continuable.progress.memory import MemoryProgress

RECORD = JobRecord(id="import-42", name="app.import")


class TestMemory(ProgressStoreSuite):
    test_one_of_many_processes_gets_the_job = None  # they share no memory

    @pytest.fixture
    def open_store(self):
        return MemoryProgress


@pytest.fixture
def store():
    return MemoryProgress()


def test_one_of_many_threads_gets_the_job(store):
    with ThreadPool(8) as pool:
        workers = [f"worker-{number}" for number in range(64)]
        answers = pool.starmap(store.claim, zip(repeat(RECORD), workers))
    assert sum(isinstance(answer, Claim) for answer in answers) == 1


def test_a_change_that_raises_leaves_the_row_as_it_was(store):
    def change(row, _now, told):
        row.state = State.FAILED
        told.append("odd")
        raise ZeroDivisionError

    store.add([RECORD])
    before = store.find(RECORD.id)
    with pytest.raises(ZeroDivisionError):
        store._change(RECORD.id, change)
    with pytest.raises(JobStateError):
        store.request(RECORD.id, "resume")
    assert (store.find(RECORD.id), store.history(RECORD.id)) == (before, [])


def test_a_change_of_a_new_job_that_raises_leaves_no_row(store):
    def change(_row, _now, _told):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store._change(RECORD.id, change, record=RECORD)
    assert store.list() == []
