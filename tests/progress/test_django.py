"""`DjangoProgress` is a progress store on each database that it knows."""

from contextlib import contextmanager
from functools import partial

import pytest

from continuable.conformance import ProgressStoreSuite
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


class TestOnSQLite(Suite):
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'progress.db'}"


class TestOnPostgreSQL(Suite):
    @pytest.fixture
    def url(self, postgresql_server):
        return postgresql_server.url
