"""Commits on connections of SQLAlchemy and Django, on a test queue and under strikes."""

import asyncio
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from continuable.testing import NotResumableError, check_resumable

INSERT = "INSERT INTO numbers VALUES ({})"


class Database:
    """A table of numbers, and one connection to it."""

    def __init__(self, connection, execute):
        self.connection = connection
        self.execute = execute

    def insert(self, number):
        self.execute(INSERT.format(number))


@contextmanager
def connection_of_sqlalchemy(path):
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        yield Database(connection, lambda sql: connection.execute(sa.text(sql)))
    engine.dispose()


@contextmanager
def session_of_sqlalchemy(path):
    engine = sa.create_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        yield Database(session, lambda sql: session.execute(sa.text(sql)))
    engine.dispose()


@contextmanager
def connection_of_django(path):
    from tests.progress import django_project

    django_project.use(f"sqlite:///{path}", f"sqlite:///{path}.other")
    from django.db import connection, connections

    yield Database(connection, lambda sql: connection.cursor().execute(sql))
    connections.close_all()


@pytest.fixture
def numbers(tmp_path):
    """How the table is looked at and emptied, on a connection of its own."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'numbers.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE numbers (number)"))

    def observe():
        with engine.begin() as connection:
            return [*connection.execute(sa.text("SELECT number FROM numbers")).scalars()]

    def reset():
        with engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM numbers"))

    yield {"observe": observe, "reset": reset}
    engine.dispose()


@pytest.fixture(
    params=[connection_of_sqlalchemy, session_of_sqlalchemy, connection_of_django],
    ids=lambda kind: kind.__name__,
)
def database(request, tmp_path, numbers):
    with request.param(tmp_path / "numbers.db") as database:
        yield database


@pytest.fixture
def work(app, database):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                with step.transaction(database.connection) as transaction:
                    database.insert(step.cursor)
                    transaction.save(step.cursor + 1)

    return work


def test_rows_and_cursor_are_one(work, queue, numbers):
    work.enqueue()
    queue.stopping = lambda job: job.cursor == 2
    queue.run_enqueued()
    assert numbers["observe"]() == [0, 1]
    assert queue.enqueued[0].progress["current"] == ["go", 2]
    queue.stopping = None
    queue.run_enqueued()
    assert numbers["observe"]() == [0, 1, 2]


def test_after_a_rollback_the_cursor_is_where_it_was(app, queue, database, numbers):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                with step.transaction(database.connection) as transaction:
                    database.insert(step.cursor)
                    transaction.save(step.cursor + 1)
                    if step.cursor == 2 and job.executions == 1:
                        raise LookupError("no such row")

    work.enqueue()
    queue.run_enqueued()
    assert queue.enqueued[0].progress["current"] == ["go", 1]
    queue.run_enqueued()
    assert numbers["observe"]() == [0, 1, 2]


def test_it_resumes_wherever_it_is_struck(work, numbers):
    found = check_resumable(work, **numbers, faults=["interrupt", "kill", "error", "duplicate"])
    assert found.points == 8, "one inside each transaction"


def test_a_job_that_saves_its_cursor_apart_is_found(app, database, numbers):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            while step.cursor < 3:
                with step.transaction(database.connection):
                    database.insert(step.cursor)
                step.advance()

    with pytest.raises(NotResumableError, match="an effect that is not idempotent"):
        check_resumable(work, **numbers)


def test_sessions_of_asyncio_commit_as_well(app, queue, numbers, tmp_path):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'numbers.db'}")

    @app.job
    async def work(job):
        @job.step(start=0)
        async def go(step):
            async with AsyncSession(engine) as session:
                while step.cursor < 3:
                    async with step.transaction(session) as transaction:
                        await session.execute(sa.text(INSERT.format(step.cursor)))
                        await transaction.save(step.cursor + 1)
                        if step.cursor == 2 and job.executions == 1:
                            raise LookupError("no such row")

        await go

    async def test():
        work.enqueue()
        await queue.arun_enqueued()
        assert queue.enqueued[0].progress["current"] == ["go", 1]
        await queue.arun_enqueued()
        await engine.dispose()

    asyncio.run(test())
    assert numbers["observe"]() == [0, 1, 2]
