"""A job that is enqueued in a transaction of the user's is there if, and when, that commits."""

import contextlib
import sqlite3
import warnings

import psycopg
import pytest
import sqlalchemy as sa
from redis import Redis
from sqlalchemy.orm import Session

from continuable import App
from continuable.errors import JobNotFoundError, QueueError
from continuable.model.states import State
from continuable.progress.redis import RedisProgress
from continuable.progress.sql import store as sql_store
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.progress.sqlite import SQLiteProgress
from tests.progress.places import PLACES
from tests.queues.elsewhere import Elsewhere
from tests.waiting import until


class OnSQLite:
    """The user's connection is the driver's own."""

    def __init__(self, path):
        self.store = SQLiteProgress(path)
        self.store.counts()  # the file is made before a transaction of the user's locks it
        self.path = path

    @contextlib.contextmanager
    def begun(self):
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self):
        self.store.close()


class OnServer:
    """On a store of `PLACES`, with one of the connections that it takes."""

    def __init__(self, place, begun):
        self.store = place.store
        self.begun = lambda: begun(place)
        self._place = place

    def close(self):
        self._place.close()
        self.store.close()


@contextlib.contextmanager
def on_connection(place):
    with place.engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def on_session(place):
    with Session(place.engine) as session, session.begin():
        yield session


@contextlib.contextmanager
def on_psycopg(place):
    with psycopg.connect(place.server.url.replace("+psycopg", "")) as connection:
        connection.execute("SELECT 1")
        yield connection


@contextlib.contextmanager
def on_django(place):
    with place.connected() as connection, place.begun(connection):
        yield None  # it is found


KINDS = {
    "sqlite3": None,
    "connection": ("sqlalchemy-postgresql", on_connection),
    "session": ("sqlalchemy-postgresql", on_session),
    "psycopg": ("sqlalchemy-postgresql", on_psycopg),
    "mariadb": ("sqlalchemy-mariadb", on_session),
    "django": ("django-postgresql", on_django),
}
AT_ONCE = {"session", "mariadb", "django"}
"""Those whose library tells of a commit."""
on_each = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.server] if KINDS[kind] else []) for kind in KINDS],
)


@pytest.fixture
def database(request, kind, tmp_path):
    if KINDS[kind] is None:
        database = OnSQLite(tmp_path / "progress.db")
    else:
        name, begun = KINDS[kind]
        server, place = PLACES[name]
        database = OnServer(place(request.getfixturevalue(server)), begun)
    yield database
    database.close()


@pytest.fixture
def app(database, monkeypatch):
    monkeypatch.setattr(sql_store, "UNSENT_FOR", 0.1)
    app = App(queue=Elsewhere(), progress=database.store)
    yield app
    app.queue.close()


@pytest.fixture
def work(app):
    @app.job(name="work")
    def work(job): ...

    return work


@on_each
def test_it_is_there_with_the_commit_and_then_it_is_sent(app, work, database, kind):
    with database.begun() as connection:
        handle = work.using(connection=connection, id="job").enqueue()
        assert app.queue.sent == []
    assert handle.state() is State.WAITING
    if kind in AT_ONCE:
        assert app.queue.sent == [("job", 0)]
    else:
        app.queue.consumer()  # any worker
        until(lambda: app.queue.sent == [("job", 0)])
    assert until(lambda: database.store.find("job").state is State.WAITING)


@on_each
def test_it_is_not_there_after_a_rollback_nor_sent_by_a_later_commit(app, work, database):
    def give_up():
        with database.begun() as connection:
            work.using(connection=connection, id="undone").enqueue()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        give_up()
    with database.begun() as connection:
        work.using(connection=connection, id="done").enqueue()
    app.queue.consumer()
    until(lambda: app.queue.sent)
    assert {job_id for job_id, _ in app.queue.sent} == {"done"}
    with pytest.raises(JobNotFoundError):
        app.handle("undone").state()


@on_each
def test_what_a_crash_kept_from_being_sent_is_sent_by_a_worker(app, work, database):
    app.queue.takes = lambda _record: False
    with database.begun() as connection:
        work.using(connection=connection, id="job", wait=3600.0).enqueue()
    assert app.queue.sent == []
    app.queue.takes = lambda _record: True
    app.queue.consumer()
    until(lambda: app.queue.sent)
    ((job_id, wait),) = app.queue.sent
    assert (job_id, wait > 3000) == ("job", True)


def test_a_session_that_is_used_again_sends_only_what_it_has_committed(
    tmp_path,
):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'app.db'}")
    app = App(queue=Elsewhere(), progress=SQLAlchemyProgress(engine))

    @app.job(name="work")
    def work(job): ...

    app.queue.store.create_tables()
    with Session(engine) as session:
        session.begin()
        work.using(connection=session, id="undone").enqueue()
        session.rollback()
        session.begin()
        work.using(connection=session, id="done").enqueue()
        session.commit()
        session.begin()
        session.commit()
    assert app.queue.sent == [("done", 0)]
    engine.dispose()


@pytest.mark.server
def test_a_store_without_transactions_says_where_progress_would_have_to_be(redis_server):
    with Redis.from_url(redis_server.url) as client:
        app = App(queue=Elsewhere(), progress=RedisProgress(client))

        @app.job(name="work")
        def work(job): ...

        with pytest.raises(QueueError, match=r"enqueue after your commit, or keep progress in"):
            work.using(connection=object()).enqueue()
        assert app.queue.sent == []


@pytest.mark.server
def test_djangos_atomic_block_around_another_store_is_warned_of_once(postgresql_server, tmp_path):
    _, kind = PLACES["django-postgresql"]
    place = kind(postgresql_server)
    app = App(queue=Elsewhere(), progress=SQLiteProgress(tmp_path / "progress.db"))

    @app.job(name="work")
    def work(job): ...

    with on_django(place):
        with pytest.warns(RuntimeWarning, match=r"enqueue in transaction\.on_commit") as caught:
            work.enqueue()
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            work.enqueue()
    app.progress.close()
    place.close()
    place.store.close()
