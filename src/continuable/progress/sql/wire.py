"""Statements on a psycopg connection without a cursor, which costs more than what they need."""

from __future__ import annotations

import asyncio
import contextlib
from functools import cache
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus

from continuable.progress.sql.store import PARAMETER, Parameters, Result

DONE = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Wire:
    """A connection in autocommit mode, for one statement after the other.

    Each statement is prepared once, unless the connection says that none may be.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._adapter = Transformer(connection)
        self._encoding = connection.info.encoding
        self._may_prepare = connection.prepare_threshold is not None
        self._prepared: dict[str, bytes] = {}

    def run(self, sql: str, parameters: Parameters) -> Result:
        """See `Session.run`. What it raises, the driver raises."""
        if self._may_prepare and sql not in self._prepared:
            name = b"continuable_%d" % len(self._prepared)
            self._libpq.send_prepare(name, for_libpq(sql)[0])
            self._received(self._wait())
            self._prepared[sql] = name
        self._send(sql, parameters)
        return self._received(self._wait())

    def can_await(self, sql: str) -> bool:
        """Whether `arun` can run this one: `run` has prepared it."""
        return not self._may_prepare or sql in self._prepared

    async def arun(self, sql: str, parameters: Parameters) -> Result:
        """The same on the event loop, undisturbed: whoever cancels the caller in the meantime."""
        self._send(sql, parameters)
        return self._received(await _Answer(self._libpq).received())

    def is_alive(self) -> bool:
        """Whether the server answers."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, sql: str, parameters: Parameters) -> None:
        statement, names = for_libpq(sql)
        values = self._adapter.dump_sequence(
            [parameters[name] for name in names], [PyFormat.TEXT] * len(names)
        )
        if self._may_prepare:
            self._libpq.send_query_prepared(self._prepared[sql], values)
        else:
            self._libpq.send_query_params(statement, values)

    def _wait(self) -> Any:
        return self._connection.wait(execute(self._libpq))[-1]

    def _received(self, result: Any) -> Result:
        if result.status not in DONE:
            raise error_from_result(result, encoding=self._encoding)
        self._adapter.set_pgresult(result)
        rows = self._adapter.load_rows(0, result.ntuples, tuple)
        return Result(rows, result.command_tuples or 0)


class _Answer:
    """What the server answers to a statement, as it comes in on the event loop."""

    def __init__(self, libpq: Any) -> None:
        self._libpq = libpq
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        self._is_over = False
        self._result: Any = None
        self._error: Exception = psycopg.OperationalError("the server has not answered")

    async def received(self) -> Any:
        """The result, once the statement is over."""
        socket = self._libpq.socket
        self._loop.add_reader(socket, self._go_on)
        try:
            if self._libpq.flush():
                self._loop.add_writer(socket, self._go_on)
            while not self._is_over:
                # A cancellation ends this future alone: the statement goes on.
                self._waiting = self._loop.create_future()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._waiting
        finally:
            self._loop.remove_reader(socket)
            self._loop.remove_writer(socket)
        if self._result is None:
            raise self._error
        return self._result

    def _go_on(self) -> None:
        if self._is_over:
            return
        try:
            self._libpq.consume_input()
            if not self._libpq.flush():
                self._take()
        except psycopg.Error as error:
            self._error, self._is_over = error, True
        if self._is_over and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _take(self) -> None:
        while not self._is_over and not self._libpq.is_busy():
            result = self._libpq.get_result()
            if result is None:
                self._is_over = True
            else:
                self._result = result


@cache
def for_libpq(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with its parameters as libpq writes them, and their names in that order."""
    names = tuple(dict.fromkeys(PARAMETER.findall(sql)))
    text = PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
    return text.encode(), names
