"""`SQLAlchemyProgress` is a progress store on each database that it knows."""

from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from continuable.conformance import ProgressStoreSuite
from continuable.errors import CheckpointError
from continuable.model.payload import JobRecord
from continuable.progress import Save
from continuable.progress.sqlalchemy import SQLAlchemyProgress, metadata


class Connections:
    """A user's own, from an engine of their own."""

    def __init__(self, url, elsewhere):
        self.url = url
        self.other = elsewhere

    @contextmanager
    def engine(self, url):
        engine = sa.create_engine(url)
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def connect(self):
        with self.engine(self.url) as engine, engine.connect() as connection:
            yield connection

    @contextmanager
    def begin(self):
        with self.engine(self.url) as engine, engine.begin() as connection:
            yield connection

    @contextmanager
    def elsewhere(self):
        with self.engine(self.other) as engine, engine.begin() as connection:
            yield connection


class Sessions(Connections):
    @contextmanager
    def connect(self):
        with self.engine(self.url) as engine, Session(engine) as session:
            yield session

    @contextmanager
    def begin(self):
        with self.engine(self.url) as engine, Session(engine) as session, session.begin():
            yield session


class OnPsycopg:
    """What somebody has who uses psycopg without SQLAlchemy."""

    def __init__(self, url, _other):
        self.url = url.replace("+psycopg", "")

    @contextmanager
    def connect(self):
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as connection:
            yield connection

    @contextmanager
    def begin(self):
        with self.connect() as connection, connection.transaction():
            yield connection

    @contextmanager
    def elsewhere(self):
        with psycopg.connect(self.url, dbname="template1") as connection, connection.transaction():
            yield connection


class Suite(ProgressStoreSuite):
    @pytest.fixture
    def open_store(self, url):
        return partial(SQLAlchemyProgress, url)

    @pytest.fixture(params=[Connections, Sessions], ids=["connection", "session"])
    def transactions(self, request, url, tmp_path):
        return request.param(url, f"sqlite:///{tmp_path / 'other.db'}")


def emptied(url):
    engine = sa.create_engine(url)
    metadata.drop_all(engine)
    engine.dispose()
    return url


class TestOnSQLite(Suite):
    @pytest.fixture
    def url(self, tmp_path):
        return f"sqlite:///{tmp_path / 'progress.db'}"


class TestOnPostgreSQL(Suite):
    @pytest.fixture
    def url(self, postgresql_server):
        return emptied(postgresql_server.url)

    @pytest.fixture(
        params=[Connections, Sessions, OnPsycopg], ids=["connection", "session", "psycopg"]
    )
    def transactions(self, request, url, tmp_path):
        return request.param(url, f"sqlite:///{tmp_path / 'other.db'}")


class TestOnMariaDB(Suite):
    @pytest.fixture
    def url(self, mariadb):
        return emptied(mariadb)


def test_a_commit_on_a_database_that_holds_a_job_of_the_same_id_and_fence_is_an_error(tmp_path):
    urls = [f"sqlite:///{tmp_path / name}" for name in ("own.db", "other.db")]
    own, other = map(SQLAlchemyProgress, urls)
    record = JobRecord(id="job-1", name="job")
    claim = own.claim(record, "one")
    assert other.claim(record, "two").fence == claim.fence
    save = Save(claim.id, claim.fence, claim.worker, 1, '{"current":["a",1]}')
    connections = Connections(*urls)
    with pytest.raises(CheckpointError, match="does not hold"), connections.elsewhere() as foreign:
        own.commit(foreign, save)
    assert (own.find("job-1").cursor, other.find("job-1").cursor) == (None, None)
    own.close()
    other.close()
