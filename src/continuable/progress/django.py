"""`DjangoProgress`: the statements of `continuable.progress.sql`, on Django's connections.

Its tables are those of the Django app `continuable.django`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar
from weakref import ref

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from continuable.connections.connection import is_in_atomic_block, is_in_testcase
from continuable.errors import CheckpointError, StoreBusyError, StoreError
from continuable.progress.rowstore import LEASE
from continuable.progress.sql.causes import is_busy, lacks_table
from continuable.progress.sql.dialects import DIALECTS, PARAMETER, Dialect
from continuable.progress.sql.store import Parameters, Result, Session, SQLStore

LOCK_WAIT = 5.0
"""Seconds to wait for a lock, unless somebody says otherwise."""

A = TypeVar("A")


class DjangoProgress(SQLStore):
    """Progress in a database of a Django project, beside its models.

    `step.commit(cursor, django.db.connection)` inside `transaction.atomic()` writes the cursor
    with your rows. A checkpoint inside an open atomic block without `commit` is a
    `CheckpointError`: an interruption there would undo what the cursor has counted.

    The store has connections of its own, one a thread, so that what it writes is never part of
    your transactions. An `async def` job may use it on its event loop. In a `TestCase` it is on the
    connection of the test, and what it writes is rolled back at the test's end.

    Args:
        using: The alias of the database, as in `DATABASES`.
        lease: Seconds for which a claim holds without a sign of life from its worker.
    """

    def __init__(self, using: str = "default", *, lease: float = LEASE) -> None:
        super().__init__(lease=lease)
        self.alias = using
        """Of the database, as in `DATABASES`."""
        self._local = threading.local()
        self._tested: Callable[[], Any] = _none

    @property
    def _dialect(self) -> Dialect:
        vendor = connections[self.alias].vendor
        if vendor not in DIALECTS:
            known = ", ".join(DIALECTS)
            raise StoreError(f"DjangoProgress knows {known}; {self.alias!r} is on {vendor}")
        return DIALECTS[vendor]

    @contextmanager
    def _writing(self, timeout: float | None = None) -> Iterator[Session]:
        if (tests := self._connection_of_test()) is not None:
            with self._errors(), transaction.atomic(using=self.alias):
                yield _Session(tests.cursor)
            return
        wait = LOCK_WAIT if timeout is None else timeout
        with self._errors(), self._connected() as connection:
            is_sqlite = connection.vendor == "sqlite"
            if is_sqlite:
                _execute(connection, self._dialect.limits(wait, self._idle_limit))
                _execute(connection, "BEGIN IMMEDIATE")
                with _finished(connection):
                    yield _own_session(connection)
            else:
                with _atomic(connection):
                    _execute(connection, self._dialect.limits(wait, self._idle_limit))
                    yield _own_session(connection)

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        if (tests := self._connection_of_test()) is not None:
            with self._errors():
                yield _Session(tests.cursor)
            return
        with self._errors(), self._connected() as connection:
            yield _own_session(connection)

    @contextmanager
    def _joined(self, connection: Any, *, again: bool) -> Iterator[Session]:  # noqa: ARG002 - cheap to see
        if not hasattr(connection, "in_atomic_block"):
            raise CheckpointError(
                f"Progress in {self!r} is committed on a connection of Django's "
                f"(django.db.connection), not on a {type(connection).__qualname__}"
            )
        if not is_in_atomic_block(connection):
            raise CheckpointError(
                "Progress can only be committed within an open transaction: write it inside "
                "`with transaction.atomic():`"
            )
        if DIALECTS.get(connection.vendor) is not self._dialect:
            raise self._is_elsewhere(connection)
        try:
            yield _Session(connection.cursor)
        except DatabaseError as error:
            if lacks_table(error.__cause__):
                raise self._is_elsewhere(connection) from error
            raise

    def _is_elsewhere(self, connection: Any) -> CheckpointError:
        return CheckpointError(
            f"The database {connection.alias!r} of this connection does not hold the progress "
            f"of the job: {self!r} does"
        )

    def is_in_transaction(self, connection: Any) -> bool:
        """Whether a transaction is open; an atomic block of this thread's counts, too."""
        given = [] if connection is None else [connection]
        return any(map(is_in_atomic_block, [connections[self.alias], *given]))

    def open_transaction(self) -> Any:
        """The connection of this thread, within an atomic block."""
        own = connections[self.alias]
        return own if is_in_atomic_block(own) else None

    def close(self) -> None:
        """Close the connection of this thread, which opens again when it is needed."""
        self._local.held = None

    def _connection_of_test(self) -> Any:
        """That of a `TestCase` which runs in this thread; `None`: there is none.

        Raises `StoreBusyError` while one runs in another thread, since only that sees its rows.
        """
        own = connections[self.alias]
        if is_in_testcase(own):
            self._tested = ref(own)
            return own
        tested = self._tested()
        if tested is not None and is_in_testcase(tested):
            raise StoreBusyError(f"{self!r} belongs to a TestCase that runs in another thread")
        return None

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        held: _Held | None = getattr(self._local, "held", None)
        if held is None or held.pid != os.getpid():  # none yet, or a parent's
            held = self._local.held = _Held(connections.create_connection(self.alias))
        connection = held.connection
        _off_loop(connection.close_if_unusable_or_obsolete)
        try:
            yield connection
        except (InterfaceError, OperationalError):
            # A new one the next time: the server may have been restarted.
            _close(connection)
            raise
        finally:
            if _is_under_test():  # whose database cannot be dropped while somebody is connected
                _close(connection)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            kind = StoreBusyError if is_busy(error.__cause__) else StoreError
            raise kind(f"The progress store {self!r} failed: {error}") from error
        except InterfaceError as error:
            raise StoreError(f"The progress store {self!r} failed: {error}") from error

    def __repr__(self) -> str:
        return f"DjangoProgress({self.alias!r})"


class _Held:
    """The connection of one thread, closed when the thread has ended."""

    def __init__(self, connection: Any) -> None:
        self.pid = os.getpid()
        self.connection = connection
        connection.inc_thread_sharing()  # whichever thread collects it may close it

    def __del__(self) -> None:
        if self.pid == os.getpid():
            # RuntimeError: Python ends, and starts no more threads.
            with contextlib.suppress(DatabaseError, InterfaceError, RuntimeError):
                _close(self.connection)


class _Session:
    def __init__(self, make_cursor: Callable[[], Any]) -> None:
        self._make_cursor = make_cursor

    def run(self, sql: str, parameters: Parameters) -> Result:
        with self._make_cursor() as cursor:
            cursor.execute(_for_django(sql), parameters)
            return Result(cursor.fetchall() if cursor.description else (), cursor.rowcount)


def _own_session(connection: Any) -> _Session:
    return _Session(partial(_off_loop, connection.cursor))


def _close(connection: Any) -> None:
    # Not its own method, which leaves one to a database in memory open.
    _off_loop(partial(BaseDatabaseWrapper.close, connection))


def _off_loop(work: Callable[[], A]) -> A:
    """Call a method of a connection of the store's own, on another thread where a loop runs here.

    Django refuses it there, since that thread's connections are shared by all that the loop runs.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _is_under_test() -> bool:
    """Whether Django's test runner, or pytest-django, has set the process up."""
    utils = sys.modules.get("django.test.utils")
    return utils is not None and hasattr(utils._TestState, "saved_data")  # noqa: SLF001 - it does not tell otherwise


def _none() -> None:
    """No `TestCase` has used the store."""


@cache
def _for_django(sql: str) -> str:
    return PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))


def _execute(connection: Any, sql: str) -> None:
    with _off_loop(connection.cursor) as cursor:
        cursor.execute(sql)


@contextmanager
def _finished(connection: Any) -> Iterator[None]:
    """Commit what was begun by hand, or roll it back."""
    try:
        yield
        _execute(connection, "COMMIT")
    except BaseException:
        with contextlib.suppress(DatabaseError):
            _execute(connection, "ROLLBACK")
        raise


@contextmanager
def _atomic(connection: Any) -> Iterator[None]:
    """A transaction on a connection that has no alias."""
    _off_loop(partial(connection.set_autocommit, autocommit=False))
    try:
        yield
        _off_loop(connection.commit)
    except BaseException:
        with contextlib.suppress(DatabaseError, InterfaceError):
            _off_loop(connection.rollback)
        raise
    finally:
        with contextlib.suppress(DatabaseError, InterfaceError):
            _off_loop(partial(connection.set_autocommit, autocommit=True))
