"""One job that cannot be read, or sent, does not stop the others."""

import contextlib
import sqlite3
from uuid import uuid4

import pytest

from continuable.core.outcome import ErrorReport, Failed
from continuable.errors import DeserializationError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.redis import RedisProgress
from continuable.progress.sqlite import SQLiteProgress

IDS = [f"job-{number}" for number in range(3)]


@pytest.fixture
def on_sqlite(tmp_path):
    store = SQLiteProgress(tmp_path / "progress.db")

    def damage(job_id, column="state", value="odd"):
        with contextlib.closing(sqlite3.connect(tmp_path / "progress.db")) as connection:
            sql = f"UPDATE continuable_progress SET {column} = ? WHERE id = ?"
            connection.execute(sql, [value, job_id])
            connection.commit()

    yield store, damage
    store.close()


@pytest.fixture
def on_redis(redis_server):
    store = RedisProgress(redis_server.url, prefix=f"{uuid4()}:")
    yield store, lambda job_id: store.client.hset(store._row_key(job_id), "state", "odd")
    store.close()


@pytest.fixture
def evicted(redis_server):
    store = RedisProgress(redis_server.url, prefix=f"{uuid4()}:")
    yield store, lambda job_id: store.client.delete(store._row_key(job_id))
    store.close()


@pytest.fixture(
    params=[
        "on_sqlite",
        pytest.param("on_redis", marks=pytest.mark.server),
        pytest.param("evicted", marks=pytest.mark.server),
    ]
)
def damaged(request):
    """A store of three jobs whose worker has died; the second cannot be read."""
    store, damage = request.getfixturevalue(request.param)
    for job_id in IDS:
        store.claim(JobRecord(id=job_id, name="job"), "one")
        store.expire(job_id, "one")
    damage("job-1")
    return store


def test_the_others_are_recovered_and_the_damaged_one_is_told_of_once(damaged, caplog):
    for _ in range(2):
        recovered = damaged.recover(limit=1) + damaged.recover()
        assert [found.info.id for found in recovered] == ["job-0", "job-2"]
        for found in recovered:
            claim = damaged.claim(found.record, "two")
            damaged.expire(claim.id, "two")
    assert caplog.text.count("Job job-1 cannot be read") == 1


def test_the_others_are_listed(damaged, caplog):
    for _ in range(2):
        assert [info.id for info in damaged.list()] == ["job-2", "job-0"]
    assert caplog.text.count("Job job-1 cannot be read") <= 1


@pytest.mark.parametrize("progress", ["{", "[]", '{"completed": ["a"', ""])
def test_a_job_whose_progress_is_damaged_is_seen_and_recovered_and_fails_when_it_runs(
    on_sqlite, progress
):
    store, damage = on_sqlite
    store.claim(JobRecord(id="job", name="job"), "one")
    damage("job", "progress", progress)
    assert [info.progress for info in store.list()] == [{}]
    store.expire("job", "one")
    (found,) = store.recover()
    claim = store.claim(found.record, "two")
    with pytest.raises(DeserializationError, match="restart the job or discard it"):
        claim.record()
    report = ErrorReport(summary="DeserializationError", traceback="")
    failed = Failed(
        error=None, report=report, progress=claim.progress, made_progress=False, may_retry=False
    )
    assert store.settle(claim, failed).state is State.FAILED
    assert store.request("job", "restart").record.progress == {}


@pytest.mark.parametrize("kind", ["on_sqlite", pytest.param("on_redis", marks=pytest.mark.server)])
def test_a_state_that_this_release_does_not_know_hides_no_other_job(request, kind):
    store, damage = request.getfixturevalue(kind)
    for job_id in IDS:
        store.claim(JobRecord(id=job_id, name="job"), "one")
    damage("job-1")
    assert sorted(store.controls("one")) == [(job_id, 1, State.RUNNING) for job_id in IDS]
    assert store.counts()[State.RUNNING] in {2, 3}  # Redis counts by what it has filed
