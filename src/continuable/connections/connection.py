"""Transactions on a user's connection: is one open? begin one. For four libraries."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import cache
from typing import Any, Protocol, TypeVar

from continuable.errors import CheckpointError

T = TypeVar("T")

KINDS = (
    "a sqlite3.Connection, an SQLAlchemy Connection or Session, a psycopg.Connection, or a "
    "connection of Django's (django.db.connection)"
)
ASYNC_KINDS = "an AsyncConnection or AsyncSession of SQLAlchemy's, or a psycopg.AsyncConnection"


class AsyncConnection(Protocol):
    """`AsyncConnection` or `AsyncSession` of SQLAlchemy's, or psycopg's `AsyncConnection`."""

    async def __aenter__(self) -> Any:
        """Enter the connection: only those have it whose statements are awaited."""
        ...


class Awaited:
    """A `psycopg.AsyncConnection` for synchronous code within `run_on`."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def in_transaction(self) -> bool:
        """Is a transaction open?"""
        return is_in_transaction(self.connection)


def is_async_connection(connection: Any) -> bool:
    """Are statements on `connection` awaited?"""
    return hasattr(connection, "__aenter__")


def run_on(connection: Any, work: Callable[[Any], T]) -> Awaitable[T]:
    """Run synchronous `work` on an async connection; `CheckpointError` for an unknown kind."""
    if is_of_psycopg(connection):
        from sqlalchemy.util import greenlet_spawn

        return greenlet_spawn(work, Awaited(connection))
    if not hasattr(connection, "run_sync"):
        raise CheckpointError(f"step.commit takes {ASYNC_KINDS}, not {_kind(connection)}")
    awaited: Awaitable[T] = connection.run_sync(work)
    return awaited


def is_in_transaction(connection: Any) -> bool:
    """Is a transaction open on `connection`? False for a kind that does not tell."""
    if hasattr(connection, "in_atomic_block"):  # Django's
        return is_in_atomic_block(connection)
    if is_of_psycopg(connection):
        return connection.info.transaction_status.name in {"ACTIVE", "INTRANS", "INERROR"}
    try:
        answer = getattr(connection, "in_transaction", False)
        return bool(answer() if callable(answer) else answer)
    except sqlite3.ProgrammingError:
        return False  # closed, and so is the transaction


def is_in_atomic_block(connection: Any) -> bool:
    """Is an atomic block open on a connection of Django's?

    Those in which a `TestCase` runs a test do not count: they never commit, and what the test
    runs knows nothing of them.
    """
    return any(not _is_of_testcase(block) for block in connection.atomic_blocks)


def is_in_testcase(connection: Any) -> bool:
    """Does a `TestCase` of Django's run a test on the connection, to roll it back at its end?"""
    return any(map(_is_of_testcase, connection.atomic_blocks))


def after_commit(connection: Any, call: Callable[[], object]) -> None:
    """Have `call` called when the open transaction may have committed: it has to see for itself.

    Django and a `Session` of SQLAlchemy's tell of commits. Others do not: it is never called.
    """
    if hasattr(connection, "in_atomic_block"):
        from django.db import transaction

        transaction.on_commit(call, using=connection.alias)
    elif _is_of_sqlalchemy(connection) and hasattr(connection, "get_bind"):
        from sqlalchemy import event

        event.listen(connection, "after_commit", lambda _session: call(), once=True)


def is_in_django_transaction() -> bool:
    """Whether this thread is in an atomic block on Django's default database."""
    if "django.db" not in sys.modules:
        return False
    from django.conf import settings
    from django.db import transaction

    return settings.configured and is_in_atomic_block(transaction.get_connection())


def transaction_on(connection: Any) -> AbstractContextManager[object]:
    """Begin a transaction on `connection`; commit it after the block, or roll it back on an error.

    Raises `CheckpointError` if one is open already, or the connection is of an unknown kind.
    """
    _refuse_open(connection)
    if isinstance(connection, sqlite3.Connection):
        return _SQLiteTransaction(connection)
    if hasattr(connection, "in_atomic_block"):
        from django.db import transaction

        atomic: AbstractContextManager[object] = transaction.atomic(using=connection.alias)
        return atomic
    if is_of_psycopg(connection) and not is_async_connection(connection):
        own: AbstractContextManager[object] = connection.transaction()
        return own
    if _is_of_sqlalchemy(connection) and not is_async_connection(connection):
        return _on_sqlalchemy(connection)
    raise _unknown(connection)


@asynccontextmanager
async def async_transaction_on(connection: Any) -> AsyncIterator[None]:
    """`transaction_on` for a connection whose statements are awaited."""
    is_known = _is_of_sqlalchemy(connection) or is_of_psycopg(connection)
    if not is_async_connection(connection) or not is_known:
        raise CheckpointError(
            f"`async with step.transaction(...)` takes {ASYNC_KINDS}, not {_kind(connection)}; "
            f"for {KINDS} write a plain `with`"
        )
    _refuse_open(connection)
    if is_of_psycopg(connection):
        async with connection.transaction():
            yield
        return
    async with connection.begin():
        await connection.run_sync(_lock_sqlite)
        yield


class _SQLiteTransaction:
    """A transaction of `sqlite3`. A class, as a generator would cost time in each batch."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        # A deferred one that reads first would fail at once if progress is saved in between.
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if error is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


@contextmanager
def _on_sqlalchemy(connection: Any) -> Iterator[None]:
    with connection.begin():
        _lock_sqlite(connection)
        yield


def _lock_sqlite(connection: Any) -> None:
    """Begin the transaction at once on SQLite, where SQLAlchemy waits for the first write."""
    bind = connection.get_bind() if hasattr(connection, "get_bind") else connection
    if bind.dialect.name == "sqlite":
        own = connection.connection() if callable(connection.connection) else connection
        own.exec_driver_sql("BEGIN IMMEDIATE")


def _refuse_open(connection: Any) -> None:
    if is_in_transaction(connection):
        raise CheckpointError(
            "step.transaction begins a transaction of its own, but one is open on the connection: "
            "commit it first, or use step.commit(cursor, connection) inside it"
        )


def _is_of_testcase(block: Any) -> bool:
    return bool(getattr(block, "_from_testcase", False))  # Django asks so, too


def is_of_psycopg(connection: Any) -> bool:
    """Is it a connection of psycopg 3?"""
    return _is_within(type(connection), "psycopg.")  # type: ignore[arg-type]  # it is hashable


def _is_of_sqlalchemy(connection: Any) -> bool:
    return _is_within(type(connection), "sqlalchemy.")  # type: ignore[arg-type]  # as above


@cache
def _is_within(kind: type, package: str) -> bool:
    return any(base.__module__.startswith(package) for base in kind.__mro__)


def _unknown(connection: Any) -> CheckpointError:
    if is_async_connection(connection):
        return CheckpointError(
            f"{_kind(connection)} is asynchronous: write `async with step.transaction(...)`"
        )
    return CheckpointError(f"step.transaction takes {KINDS}, not {_kind(connection)}")


def _kind(connection: Any) -> str:
    return f"a {type(connection).__module__}.{type(connection).__qualname__}"
