"""What a store does in one statement comes to the same as the long way: claim, and complete."""

import asyncio
import dataclasses

import pytest
import sqlalchemy as sa

from continuable import App
from continuable.core.outcome import Completed, Suspended
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.protocol import Claim, Save
from continuable.queues.consumer import Consumer, Finished
from tests.progress.places import PLACES

OF_ONE_STATEMENT = [name for name in PLACES if "mariadb" not in name]
TIMES = ("enqueued_at", "started_at", "saved_at", "finished_at")


def suspended(progress: str) -> Suspended:
    return Suspended(
        reason="stopping",
        description="not started",
        progress=progress,
        wait=0.0,
        queue="elsewhere",
        priority=3,
        is_counted=True,
    )


def claimed(store, record) -> Claim:
    answer = store.claim(record, "worker")
    assert isinstance(answer, Claim)
    return answer


def the_long_way(store, monkeypatch) -> None:
    monkeypatch.setattr(store, "_claim_at_once", lambda *_: None)
    monkeypatch.setattr(store, "_complete_at_once", lambda *_: False)


def enqueued(store, job_id) -> JobRecord:
    record = JobRecord(id=job_id, name="job", arguments='[["ü"],{}]', queue="here", priority=2)
    store.add([record])
    return record


def fresh(store, job_id):
    yield claimed(store, enqueued(store, job_id))


def never_added(store, job_id):
    yield claimed(store, JobRecord(id=job_id, name="job", progress={"completed": ["a"]}))


def with_envelope(store, job_id):
    record = enqueued(store, job_id)
    record.envelope = '{"options":{}}'
    yield claimed(store, record)


def resumed(store, job_id):
    first = claimed(store, enqueued(store, job_id))
    yield first
    store.save([Save(first.id, first.fence, first.worker, 1, '{"current":["a",1]}')])
    settled = store.settle(first, suspended('{"current":["a",2]}'))
    yield claimed(store, settled.record)


def resumed_by_an_older_release(store, job_id):
    first = claimed(store, enqueued(store, job_id))
    yield first
    store.settle(first, suspended('{"current":["a",2]}'))
    yield claimed(
        store,
        JobRecord(id=job_id, name="job", delivery=4, executions=7, progress={"current": ["a", 9]}),
    )


def died(store, job_id):
    first = claimed(store, enqueued(store, job_id))
    yield first
    store.expire(job_id, "worker")
    (found,) = store.recover()
    yield claimed(store, found.record)


def asked_to_pause(store, job_id):
    yield claimed(store, enqueued(store, job_id))
    store.request(job_id, "pause")


COURSES = [
    fresh,
    never_added,
    with_envelope,
    resumed,
    resumed_by_an_older_release,
    died,
    asked_to_pause,
]
ENDS = [
    Completed(result="null", progress=None),
    Completed(result='"ü"', progress='{"completed":["a","b"]}'),
]


def seen(store, course, end, job_id):
    """All that a job's course shows of itself, whatever its id."""

    def plain(info):
        unset = {name: getattr(info, name) is not None for name in TIMES}
        return dataclasses.replace(info, id="job", **unset)

    found = []
    for claim in course(store, job_id):
        found.append(dataclasses.replace(claim, id="job"))
        found.append(plain(store.find(job_id)))
        found.append([control[1:] for control in store.controls("worker")])
    found.append(store.settle(claim, end, longest_gap=0.5))
    found += [plain(store.find(job_id)), store.result(job_id), store.controls("worker")]
    found += [store.settle(claim, end), store.list(states=[State.RUNNING])]
    return found


each_course = pytest.mark.parametrize("course", COURSES)
each_end = pytest.mark.parametrize("end", ENDS, ids=["without progress", "with progress"])


@pytest.mark.parametrize("place", OF_ONE_STATEMENT, indirect=True)
@each_end
@each_course
def test_both_ways_come_to_the_same(place, course, end, monkeypatch):
    at_once = seen(place.store, course, end, "at once")
    the_long_way(place.store, monkeypatch)
    assert at_once == seen(place.store, course, end, "the long way")


@pytest.mark.parametrize("place", OF_ONE_STATEMENT, indirect=True)
def test_an_ordinary_job_is_claimed_and_completed_at_once(place, monkeypatch):
    store = place.store
    record = enqueued(store, "job")

    def change(*_args, **_options):
        raise AssertionError

    monkeypatch.setattr(store, "_change", change)
    claim = claimed(store, record)
    assert store.settle(claim, ENDS[0]).state is State.COMPLETED


@pytest.mark.parametrize("place", ["sqlalchemy-postgresql"], indirect=True)
def test_a_connection_that_is_cut_is_opened_again(place):
    store = place.store
    first = claimed(store, enqueued(store, "first"))
    store.settle(first, ENDS[0])
    record = enqueued(store, "job")
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    with place.connected() as connection:
        connection.execute(sa.text(cut))
    claim = claimed(store, record)
    with place.connected() as connection:
        connection.execute(sa.text(cut))
    assert store.settle(claim, ENDS[0]).state is State.COMPLETED


@pytest.mark.parametrize("place", ["sqlalchemy-postgresql"], indirect=True)
def test_an_async_job_that_is_cancelled_while_it_is_claimed_is_given_back(place):
    app = App()
    ran = []

    @app.job
    async def import_rows(job):
        ran.append(job.id)

    consumer = Consumer(app.jobs, place.store, lambda record, wait: None)

    def message(job_id):
        return JobRecord(id=job_id, name=import_rows.name)

    async def main():
        assert isinstance(await consumer.arun(message("first")), Finished)
        place.store.add([message("second"), message("third")])
        assert isinstance(await consumer.arun(message("second")), Finished)
        cancelled = asyncio.create_task(consumer.arun(message("third")))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert not place.store.find("third").state.is_running
        assert isinstance(await consumer.arun(message("third")), Finished)

    asyncio.run(main())
    assert ran == ["first", "second", "third"]
