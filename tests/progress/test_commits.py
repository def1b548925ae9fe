"""`step.commit` and `step.transaction` in running jobs, on the connections of each store."""

from contextlib import contextmanager

import aiosqlite
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from continuable import App, CheckpointError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.sql.store import SQLStore
from continuable.progress.sqlalchemy import SQLAlchemyProgress, metadata
from continuable.queues.consumer import Consumer, Finished, Requeue
from tests.progress import django_project

ROWS = 10
INSERT = sa.text("INSERT INTO imported (n) VALUES (:n)")


ON_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.server)


@pytest.fixture(params=["sqlite", ON_POSTGRESQL])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'progress.db'}"
    return request.getfixturevalue("postgresql_server").url


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    metadata.drop_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS imported")
        connection.exec_driver_sql("CREATE TABLE imported (n INTEGER)")
    yield engine
    engine.dispose()


@pytest.fixture
def store(url, engine):
    store = SQLAlchemyProgress(url)
    yield store
    store.close()


@pytest.fixture
def app():
    return App(defaults={"resume_options": {"wait": 0.0}})


@contextmanager
def working(app, store):
    consumer = Consumer(app.jobs, store, lambda record, wait: None)
    consumer.start()
    yield consumer
    consumer.close()


def run_to_the_end(app, store, job):
    """Message after message, each to a worker of its own: the last one's answer."""
    record = JobRecord(id="job-1", name=job.name)
    for _ in range(2 * ROWS):
        with working(app, store) as consumer:
            job.consumer = consumer
            delivered = consumer.run(record)
        if not isinstance(delivered, Requeue):
            return delivered
        record = delivered.record
    raise AssertionError(f"it has not ended: {delivered}")


def rows_of(engine):
    with engine.connect() as connection:
        return [n for (n,) in connection.execute(sa.text("SELECT n FROM imported ORDER BY n"))]


@pytest.mark.parametrize("kind", [sa.Connection, Session])
def test_rows_and_cursor_are_one_transaction(app, store, engine, kind):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with engine.connect() if kind is sa.Connection else Session(engine) as connection:
                for n in range(step.cursor, ROWS):
                    if n % 3 == 1:
                        import_rows.consumer.interrupt()
                    with step.transaction(connection) as tx:
                        connection.execute(INSERT, {"n": n})
                        tx.save(n + 1)

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))
    assert store.find("job-1").resumptions >= 3


def test_what_is_rolled_back_is_done_again(app, store, engine):
    failed = []

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with Session(engine) as session:
                for n in range(step.cursor, ROWS):
                    with session.begin():
                        session.execute(INSERT, {"n": n})
                        step.commit(n + 1, session)
                        if n == 4 and not failed:
                            failed.append(n)
                            raise ValueError("no luck")

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert failed == [4]
    assert rows_of(engine) == list(range(ROWS))


def test_a_session_that_began_by_itself_is_committed_by_hand(app, store, engine):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with Session(engine) as session:
                for n in range(step.cursor, ROWS):
                    session.execute(INSERT, {"n": n})
                    step.commit(n + 1, session)
                    session.commit()
                    step.checkpoint()

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))


def test_a_checkpoint_before_the_commit_is_an_error(app, store, engine):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with Session(engine) as session:
                session.execute(INSERT, {"n": 1})
                step.commit(1, session)
                step.checkpoint()

    delivered = run_to_the_end(app, store, import_rows)
    assert isinstance(delivered.outcome.error, CheckpointError)
    assert "Commit first, then checkpoint" in str(delivered.outcome.error)
    assert rows_of(engine) == []
    assert store.find("job-1").state is State.FAILED


def test_a_superseded_execution_rolls_its_rows_back(app, store, engine, monkeypatch):
    # On SQLite, whose only lock the job has, the request is given up.
    monkeypatch.setattr(f"{SQLStore.__module__}.LOCK_WAITS", (0.01, 0.01))

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with Session(engine) as session, session.begin():
                session.execute(INSERT, {"n": job.executions})
                if job.executions == 1:
                    store.request(job.id, "restart")
                step.commit(1, session)

    with working(app, store) as consumer:
        consumer.run(JobRecord(id="job-1", name=import_rows.name))
        assert rows_of(engine) == []
        consumer.run(store.request("job-1", "restart").record)
    assert rows_of(engine) == [2]


@pytest.mark.parametrize("kind", ["connection", "session"])
def test_async_connections_are_awaited(app, store, engine, url, kind):
    driver = url.replace("sqlite://", "sqlite+aiosqlite://")

    @app.job
    async def import_rows(job):
        async_engine = create_async_engine(driver)

        @job.step(start=0)
        async def process(step):
            opened = async_engine.connect() if kind == "connection" else AsyncSession(async_engine)
            async with opened as connection:
                for n in range(step.cursor, ROWS):
                    if n % 3 == 1:
                        import_rows.consumer.interrupt()
                    async with step.transaction(connection) as tx:
                        await connection.execute(INSERT, {"n": n})
                        await tx.save(n + 1)

        try:
            await process
        finally:
            await async_engine.dispose()

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))
    assert store.find("job-1").resumptions >= 3


# --- psycopg, without SQLAlchemy


@pytest.fixture
def conninfo(postgresql_server):
    return postgresql_server.url.replace("+psycopg", "")


@pytest.mark.parametrize("url", [ON_POSTGRESQL], indirect=True)
@pytest.mark.parametrize("autocommit", [True, False])
def test_rows_and_cursor_are_one_transaction_of_psycopgs(app, store, engine, conninfo, autocommit):
    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with psycopg.connect(conninfo, autocommit=autocommit) as connection:
                for n in range(step.cursor, ROWS):
                    if n % 3 == 1:
                        import_rows.consumer.interrupt()
                    with step.transaction(connection) as tx:
                        connection.execute("INSERT INTO imported (n) VALUES (%s)", [n])
                        tx.save(n + 1)

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))
    assert store.find("job-1").resumptions >= 3


@pytest.mark.parametrize("url", [ON_POSTGRESQL], indirect=True)
def test_what_psycopg_rolls_back_is_done_again(app, store, engine, conninfo):
    failed = []

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with psycopg.connect(conninfo) as connection:
                for n in range(step.cursor, ROWS):
                    connection.execute("INSERT INTO imported (n) VALUES (%s)", [n])
                    step.commit(n + 1, connection)
                    if n == 4 and not failed:
                        failed.append(n)
                        raise ValueError("no luck")
                    connection.commit()
                    step.checkpoint()

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert failed == [4]
    assert rows_of(engine) == list(range(ROWS))


@pytest.mark.parametrize("url", [ON_POSTGRESQL], indirect=True)
def test_async_connections_of_psycopgs_are_awaited(app, store, engine, conninfo):
    @app.job
    async def import_rows(job):
        @job.step(start=0)
        async def process(step):
            async with await psycopg.AsyncConnection.connect(conninfo) as connection:
                for n in range(step.cursor, ROWS):
                    if n % 3 == 1:
                        import_rows.consumer.interrupt()
                    async with step.transaction(connection) as tx:
                        await connection.execute("INSERT INTO imported (n) VALUES (%s)", [n])
                        await tx.save(n + 1)

        await process

    assert isinstance(run_to_the_end(app, store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))
    assert store.find("job-1").resumptions >= 3


@pytest.mark.parametrize("url", [ON_POSTGRESQL], indirect=True)
def test_an_execution_that_was_superseded_rolls_psycopgs_rows_back(app, store, engine, conninfo):
    @app.job
    async def import_rows(job):
        @job.step(start=0)
        async def process(step):
            async with await psycopg.AsyncConnection.connect(conninfo) as connection:
                await connection.execute("INSERT INTO imported VALUES (%s)", [job.executions])
                if job.executions == 1:
                    store.request(job.id, "restart")
                await step.commit(1, connection)

        await process

    with working(app, store) as consumer:
        consumer.run(JobRecord(id="job-1", name=import_rows.name))
        assert rows_of(engine) == []
        consumer.run(store.request("job-1", "restart").record)
    assert rows_of(engine) == [2]


def test_a_plain_with_on_an_async_connection_says_what_to_write(app, store, engine, url):
    driver = url.replace("sqlite://", "sqlite+aiosqlite://")

    @app.job
    async def import_rows(job):
        async_engine = create_async_engine(driver)

        @job.step(start=0)
        async def process(step):
            with step.transaction(AsyncSession(async_engine)):
                pass

        try:
            await process
        finally:
            await async_engine.dispose()

    delivered = run_to_the_end(app, store, import_rows)
    assert "async with step.transaction(...)" in str(delivered.outcome.error)


def test_an_async_connection_of_another_library_is_refused(app, store):
    @app.job
    async def import_rows(job):
        @job.step(start=0)
        async def process(step):
            async with aiosqlite.connect(":memory:") as connection:
                await step.commit(1, connection)

        await process

    delivered = run_to_the_end(app, store, import_rows)
    assert isinstance(delivered.outcome.error, CheckpointError)
    assert "not a aiosqlite.core.Connection" in str(delivered.outcome.error)


# --- Django


@pytest.fixture
def django_store(url, engine, tmp_path):
    other = f"sqlite:///{tmp_path / 'other.db'}"
    django_project.use(url, other)
    yield django_project.open_store(url, other, lease=60.0)
    from django.db import connections

    connections.close_all()


def test_rows_and_cursor_are_one_transaction_of_djangos(app, django_store, engine):
    from django.db import connection, transaction

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            for n in range(step.cursor, ROWS):
                if n % 3 == 1:
                    import_rows.consumer.interrupt()
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("INSERT INTO imported (n) VALUES (%s)", [n])
                    step.commit(n + 1, connection)
                step.checkpoint()

    assert isinstance(run_to_the_end(app, django_store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))
    assert django_store.find("job-1").resumptions >= 3


def test_step_transaction_is_an_atomic_block(app, django_store, engine):
    from django.db import connection

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            for n in range(step.cursor, ROWS):
                with step.transaction(connection) as tx, connection.cursor() as cursor:
                    cursor.execute("INSERT INTO imported (n) VALUES (%s)", [n])
                    tx.save(n + 1)

    assert isinstance(run_to_the_end(app, django_store, import_rows), Finished)
    assert rows_of(engine) == list(range(ROWS))


def test_a_checkpoint_inside_an_atomic_block_is_an_error_even_without_a_commit(
    app, django_store, engine
):
    from django.db import connection, transaction

    @app.job
    def import_rows(job):
        @job.step(start=0)
        def process(step):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("INSERT INTO imported (n) VALUES (1)")
                step.advance()

    delivered = run_to_the_end(app, django_store, import_rows)
    assert isinstance(delivered.outcome.error, CheckpointError)
    assert "inside an open transaction" in str(delivered.outcome.error)
    assert rows_of(engine) == []
