"""`RedisProgress` is a progress store, but for commits."""

from functools import partial
from uuid import uuid4

import pytest

from continuable.conformance import ProgressStoreSuite
from continuable.core.outcome import Completed
from continuable.errors import StoreError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.redis import RedisProgress


class TestRedis(ProgressStoreSuite):
    @pytest.fixture
    def open_store(self, redis_server):
        return partial(RedisProgress, redis_server.url, prefix=f"{uuid4()}:")

    def test_a_job_on_its_engines_own_default_queue_is_read_back(self, store):
        record = JobRecord(id="job", name="jobs.import")
        store.claim(record, "worker")
        assert store.find("job").queue == "default"
        assert store.claim(record, "other").seconds > 0


@pytest.fixture
def store(redis_server):
    store = RedisProgress(redis_server.url, prefix=f"{uuid4()}:")
    yield store
    store.close()


def test_a_client_that_the_store_makes_waits_for_no_server_for_ever(store, redis_server):
    options = store.client.connection_pool.connection_kwargs
    assert options["socket_timeout"] > 0
    assert options["socket_connect_timeout"] > 0
    chosen = RedisProgress(f"{redis_server.url}?socket_timeout=3")
    assert chosen.client.connection_pool.connection_kwargs["socket_timeout"] == 3


def test_a_list_of_a_state_reads_no_job_of_another(store, monkeypatch):
    for number in range(50):
        record = JobRecord(id=f"job-{number:02}", name="job")
        claim = store.claim(record, "worker")
        if number % 25:
            store.settle(claim, Completed(result="null", progress=None))
    read, seen = store._read, []
    monkeypatch.setattr(store, "_read", lambda job_id: seen.append(job_id) or read(job_id))
    assert [info.id for info in store.list(states=[State.RUNNING])] == ["job-25", "job-00"]
    assert seen == ["job-25", "job-00"]
    both = store.list(states=[State.RUNNING, State.COMPLETED], limit=3)
    assert [info.id for info in both] == ["job-49", "job-48", "job-47"]
    assert len(seen) == 5
    assert [info.id for info in store.list(limit=2)] == ["job-49", "job-48"]


def test_a_clusters_client_can_be_told_of():
    class Cluster:
        """It has no pool of connections, but one for each node."""

        def register_script(self, _text):
            return None

    assert repr(RedisProgress(Cluster(), prefix="{jobs}:")) == "RedisProgress(Cluster, '{jobs}:')"


def test_of_jobs_of_which_one_cannot_be_written_none_is_added(store):
    store.client.set(store._row_key("b"), "of another program")
    records = [JobRecord(id=job_id, name="job") for job_id in "abc"]
    with pytest.raises(StoreError, match="WRONGTYPE"):
        store.add(records)
    assert store.list() == []
    assert store.counts() == {}
