"""What has become of a transaction of the user's that progress was committed in."""

import asyncio

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from continuable.connections.connection import run_on
from continuable.connections.outcome import mark_in

EVENTS = ("begin", "commit", "rollback", "rollback_savepoint")


@pytest.fixture
def engine():
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    sa.event.listen(engine, "connect", begin_by_hand)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    yield engine
    engine.dispose()


def begin_by_hand(connection, _record):
    """So that savepoints are what they say: as SQLAlchemy's manual has it."""
    connection.isolation_level = None


@pytest.fixture(params=["connection", "session"])
def connection(request, engine):
    opened = engine.connect() if request.param == "connection" else Session(engine)
    with opened as connection:
        yield connection


def listeners(connection):
    plain = connection.connection() if isinstance(connection, Session) else connection
    return sum(len(list(getattr(plain.dispatch, name))) for name in EVENTS)


def test_a_commit_and_a_rollback_are_told_apart(connection):
    for end, is_committed in [("commit", True), ("rollback", False)] * 2:
        connection.begin()
        mark = mark_in(connection)
        assert (mark.is_open(), mark.is_committed()) == (True, False)
        getattr(connection, end)()
        assert (mark.is_open(), mark.is_committed()) == (False, is_committed)


def test_what_comes_after_the_end_changes_nothing(connection):
    connection.begin()
    mark = mark_in(connection)
    connection.rollback()
    connection.begin()
    connection.commit()
    assert not mark.is_committed()


def test_a_savepoint_that_is_rolled_back_takes_only_its_own_marks_with_it(connection):
    connection.begin()
    before = mark_in(connection)
    savepoint = connection.begin_nested()
    within = mark_in(connection)
    inner = connection.begin_nested()
    inner.rollback()
    kept = mark_in(connection)
    savepoint.rollback()
    released = connection.begin_nested()
    after = mark_in(connection)
    released.commit()
    assert not after.is_committed()
    connection.commit()
    marks = (before, within, kept, after)
    assert [mark.is_committed() for mark in marks] == [True, False, False, True]


def test_a_savepoint_that_is_released_is_undone_with_the_transaction(connection):
    connection.begin()
    savepoint = connection.begin_nested()
    mark = mark_in(connection)
    savepoint.commit()
    connection.rollback()
    assert not mark.is_committed()


def test_no_listener_stays_on_a_users_connection(connection):
    before = listeners(connection)
    connection.rollback()
    for number in range(20):
        connection.begin()
        mark_in(connection)
        mark = mark_in(connection)
        (connection.rollback if number % 2 else connection.commit)()
        assert mark.is_committed() is not bool(number % 2)
    assert listeners(connection) == before


def test_listeners_do_not_pile_up_where_nobody_asks(engine):
    with engine.connect() as connection:
        before = listeners(connection)
        for _ in range(20):
            connection.begin()
            mark_in(connection)
            connection.commit()
        assert listeners(connection) <= before + len(EVENTS)


@pytest.mark.server
@pytest.mark.parametrize("autocommit", [False, True])
def test_psycopg_tells_a_rollback_as_well(postgresql_server, autocommit):
    url = postgresql_server.url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=autocommit) as connection:
        for is_committed in (True, False):
            connection.execute("BEGIN" if autocommit else "SELECT 1")
            mark = mark_in(connection)
            assert (mark.is_open(), mark.is_committed()) == (True, False)
            (connection.commit if is_committed else connection.rollback)()
            assert mark.is_committed() is is_committed
            assert connection.info.transaction_status.name == "IDLE"


@pytest.mark.server
def test_an_async_connection_of_psycopgs_tells_a_rollback_as_well(postgresql_server):
    url = postgresql_server.url.replace("+psycopg", "")

    async def main():
        async with await psycopg.AsyncConnection.connect(url) as connection:
            for is_committed in (True, False):
                await connection.execute("SELECT 1")
                mark = await run_on(connection, mark_in)
                assert (mark.is_open(), mark.is_committed()) == (True, False)
                await (connection.commit() if is_committed else connection.rollback())
                assert mark.is_committed() is is_committed
                assert connection.info.transaction_status.name == "IDLE"
                await connection.execute("SELECT 1")
                assert mark.is_committed() is is_committed
                await connection.rollback()

    asyncio.run(main())


@pytest.mark.server
def test_a_transaction_of_psycopgs_that_has_failed_is_never_committed(postgresql_server):
    url = postgresql_server.url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        mark = mark_in(connection)
        connection.commit()
        assert not mark.is_committed()
