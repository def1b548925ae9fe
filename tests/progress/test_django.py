"""`DjangoProgress` is a progress store on each database that it knows."""

import asyncio
from contextlib import contextmanager
from functools import partial

import pytest

from continuable.conformance import ProgressStoreSuite
from continuable.core.outcome import Completed
from continuable.model.payload import JobRecord
from continuable.progress.protocol import Save
from tests.progress import django_project


class Transactions:
    @contextmanager
    def connect(self):
        from django.db import connection

        yield connection

    @contextmanager
    def begin(self, using="default"):
        from django.db import connections, transaction

        with transaction.atomic(using=using):
            yield connections[using]

    def elsewhere(self):
        return self.begin("other")


class Suite(ProgressStoreSuite):
    @pytest.fixture
    def open_store(self, url, tmp_path):
        other = f"sqlite:///{tmp_path / 'other.db'}"
        django_project.use(url, other)
        yield partial(django_project.open_store, url, other)
        from django.db import connections

        connections.close_all()

    @pytest.fixture
    def transactions(self):
        return Transactions()

    def test_it_may_be_used_where_an_event_loop_runs(self, store):
        record = JobRecord(id="one", name="job")

        async def use():
            store.add([record])
            claim = store.claim(record, "worker")
            store.save([Save("one", claim.fence, "worker", 1, '{"completed":["first"]}')])
            store.settle(claim, Completed(result="1", progress=None))
            store.close()
            return store.find("one")

        assert asyncio.run(use()).completed == ["first"]


class TestOnSQLite(Suite):
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'progress.db'}"


class TestOnPostgreSQL(Suite):
    @pytest.fixture
    def url(self, postgresql_server):
        return postgresql_server.url
