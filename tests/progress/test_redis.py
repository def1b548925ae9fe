"""`RedisProgress` is a progress store, but for commits."""

from functools import partial
from uuid import uuid4

import pytest

from continuable.conformance import ProgressStoreSuite
from continuable.model.payload import JobRecord
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
