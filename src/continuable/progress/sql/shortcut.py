"""One statement on PostgreSQL, without all that SQLAlchemy does around one.

That is for the few statements that every job needs, each a transaction of its own: most of what
SQLAlchemy spends on such a one goes into what these do not need.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from continuable.progress.sql.store import Parameters, Result

if TYPE_CHECKING:
    from continuable.progress.sql.wire import Wire

DRIVER = "psycopg"
FRESH = 1.0
"""Seconds for which a connection that was used is taken for alive: who claims too late looks."""
KEPT = 5
"""Connections that are kept between two statements."""


class Shortcut:
    """A `Session` in autocommit mode, on connections of `engine` that are kept for this alone."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._pid = os.getpid()
        self._idle: deque[tuple[float, Wire]] = deque()

    def run(self, sql: str, parameters: Parameters) -> Result:
        """See `Session.run`. What it raises, the driver raises."""
        wire = self._at_hand() or self._new()
        with self._used(wire):
            return wire.run(sql, parameters)

    async def arun(self, sql: str, parameters: Parameters) -> Result | None:
        """The same on the event loop; `None`: no connection is at hand that has run it before."""
        wire = self._at_hand(sql)
        if wire is None:
            return None
        with self._used(wire):
            return await wire.arun(sql, parameters)

    def close(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop()[1].close()

    def _at_hand(self, awaiting: str | None = None) -> Wire | None:
        """A connection that is kept and alive; that can await a statement, where there is one."""
        if self._pid != os.getpid():  # forked: the parent's connections are not ours to use
            self._pid, self._idle = os.getpid(), deque()
        while self._idle:
            try:
                used_at, wire = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            is_fresh = time.monotonic() - used_at < FRESH
            if awaiting is not None and not (is_fresh and wire.can_await(awaiting)):
                self._idle.append((used_at, wire))
                break
            if is_fresh or wire.is_alive():
                return wire
            wire.close()
        return None

    def _new(self) -> Wire:
        from continuable.progress.sql.wire import Wire

        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        connection.autocommit = True
        return Wire(connection)

    @contextmanager
    def _used(self, wire: Wire) -> Iterator[None]:
        try:
            yield
        except BaseException:
            wire.close()
            raise
        if len(self._idle) < KEPT:
            self._idle.append((time.monotonic(), wire))
        else:
            wire.close()
