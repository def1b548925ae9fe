"""Statements that run without a cursor, in a thread or on an event loop."""

import asyncio

import psycopg
import pytest

from continuable.progress.sql.wire import Wire

SEVERAL = "SELECT CAST(:a AS integer) + :b, CAST(:text AS text), CAST(:none AS text) IS NULL"
LENGTH = "SELECT length(CAST(:text AS text)), CAST(:text AS text)"
SLEEP = "SELECT pg_sleep(0.2), CAST(:a AS text)"
LONG = "ü" * 8_000_000
"""More than a socket takes at once."""


@pytest.fixture
def connection(postgresql_server):
    url = postgresql_server.url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture(params=[5, None], ids=["prepared", "never prepared"])
def wire(connection, request):
    connection.prepare_threshold = request.param
    return Wire(connection)


def in_a_thread(wire, sql, parameters):
    return wire.run(sql, parameters)


def on_a_loop(wire, sql, parameters):
    wire.run(sql, dict.fromkeys(parameters))
    assert wire.can_await(sql)
    return asyncio.run(wire.arun(sql, parameters))


both_ways = pytest.mark.parametrize("run", [in_a_thread, on_a_loop])


@both_ways
def test_a_statement_gives_its_rows_and_how_many_it_found(wire, run):
    for b in (2, 70_000, -1):
        result = run(wire, SEVERAL, {"a": 1, "b": b, "text": "ü", "none": None})
        assert result.rows == [(1 + b, "ü", True)]
        assert result.count == 1


@both_ways
def test_a_statement_may_be_long_and_so_may_its_answer(wire, run):
    assert run(wire, LENGTH, {"text": LONG}).rows == [(len(LONG), LONG)]


@both_ways
def test_what_the_server_says_is_an_error_of_the_drivers(wire, run):
    sql = "SELECT 1 / CAST(:a AS integer)"
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(wire, sql, {"a": 0})
    assert run(wire, sql, {"a": 1}).rows == [(1,)]


@both_ways
def test_text_that_the_database_cannot_keep_is_an_error(wire, run):
    with pytest.raises(psycopg.DataError):
        run(wire, LENGTH, {"text": "\0"})


@both_ways
def test_a_connection_that_is_cut_is_an_error(wire, run):
    sql = "SELECT pg_terminate_backend(pg_backend_pid()) WHERE CAST(:a AS integer) = 1"
    with pytest.raises(psycopg.OperationalError):
        run(wire, sql, {"a": 1})
    assert not wire.is_alive()


def test_a_statement_on_the_loop_goes_on_whoever_cancels_its_caller(wire):
    wire.run(SLEEP, {"a": "before"})

    async def main():
        running = asyncio.create_task(wire.arun(SLEEP, {"a": "after"}))
        for _ in range(3):
            await asyncio.sleep(0.01)
            running.cancel()
        return await running

    assert asyncio.run(main()).rows[0][1] == "after"


def test_the_loop_runs_others_while_a_statement_takes_its_time(wire):
    wire.run(SLEEP, {"a": "before"})

    async def main():
        running, turns = asyncio.create_task(wire.arun(SLEEP, {"a": "after"})), 0
        while not running.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(main()) > 10
