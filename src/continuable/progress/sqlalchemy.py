"""`SQLAlchemyProgress`: a store in PostgreSQL, MySQL, MariaDB or SQLite."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError, SQLAlchemyError

from continuable.connections.connection import Awaited, is_in_transaction, is_of_psycopg
from continuable.errors import CheckpointError, StoreBusyError, StoreError
from continuable.progress.rowstore import LEASE
from continuable.progress.sql.causes import is_busy, lacks_table
from continuable.progress.sql.dialects import DIALECTS, POSTGRESQL, Dialect
from continuable.progress.sql.psycopg import session_on
from continuable.progress.sql.store import Parameters, Result, Session, SQLStore

LOCK_WAIT = 5.0
"""Seconds to wait for a lock, unless somebody says otherwise."""

# MySQL compares text without regard to case by default, and ids are not alike then.
_ID = sa.String(191).with_variant(mysql.VARCHAR(191, collation="utf8mb4_bin"), "mysql", "mariadb")
_NAME = sa.String(255)
_TEXT = sa.Text().with_variant(mysql.LONGTEXT(collation="utf8mb4_bin"), "mysql", "mariadb")
_SECONDS: sa.Double[float] = sa.Double()

metadata = sa.MetaData()
"""The tables, for those who create them with a migration of their own (Alembic)."""

progress = sa.Table(
    "continuable_progress",
    metadata,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("name", _NAME, nullable=False),
    sa.Column("queue", _NAME),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("arguments", _TEXT, nullable=False),
    sa.Column("progress", _TEXT, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("worker", _NAME, index=True),
    sa.Column("ended_by", _NAME),
    sa.Column("lease_until", _SECONDS, index=True),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("delivery", sa.Integer, nullable=False),
    sa.Column("issued", sa.Integer, nullable=False),
    sa.Column("executions", sa.Integer, nullable=False),
    sa.Column("resumptions", sa.Integer, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("deaths", sa.Integer, nullable=False),
    sa.Column("enqueued_at", _SECONDS, nullable=False, index=True),
    sa.Column("run_at", _SECONDS),
    sa.Column("started_at", _SECONDS),
    sa.Column("saved_at", _SECONDS),
    sa.Column("finished_at", _SECONDS, index=True),
    sa.Column("longest_gap", _SECONDS, nullable=False),
    sa.Column("reason", _TEXT),
    sa.Column("error", _TEXT),
    sa.Column("traceback", _TEXT),
    sa.Column("result", _TEXT),
    sa.Column("envelope", _TEXT),
    sa.Index("ix_continuable_progress_state", "state", "enqueued_at"),
)

history = sa.Table(
    "continuable_progress_history",
    metadata,
    sa.Column(
        "entry",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("job_id", _ID, nullable=False),
    sa.Column("at", _SECONDS, nullable=False),
    sa.Column("event", sa.String(64), nullable=False),
    sa.Column("data", _TEXT, nullable=False),
    sa.Index("ix_continuable_progress_history_of_job", "job_id", "entry"),
)


class SQLAlchemyProgress(SQLStore):
    """Progress in a database that SQLAlchemy reaches: `step.commit` takes its connections.

    `step.commit(cursor, connection)` takes a `Connection` or a `Session`, and is awaited with an
    `AsyncConnection` or `AsyncSession`, of any engine on the same database. Where that is
    PostgreSQL it takes a `psycopg.Connection` too, and is awaited with a `psycopg.AsyncConnection`.

    Args:
        engine_or_url: An `Engine`, or the url to make one from. Of an asynchronous application:
            a url with a synchronous driver, such as `postgresql+psycopg://...`.
        lease: Seconds for which a claim holds without a sign of life from its worker.
        create_tables: Whether to create the tables at the first use. Without, they come from
            `create_tables()` or from a migration of `continuable.progress.sqlalchemy.metadata`.
    """

    def __init__(
        self,
        engine_or_url: sa.Engine | sa.URL | str,
        *,
        lease: float = LEASE,
        create_tables: bool = True,
    ) -> None:
        super().__init__(lease=lease)
        self._owns_engine = isinstance(engine_or_url, sa.URL | str)
        if isinstance(engine_or_url, sa.URL | str):
            engine_or_url = sa.create_engine(engine_or_url, pool_pre_ping=True)
        if not isinstance(engine_or_url, sa.Engine):
            raise TypeError(
                f"SQLAlchemyProgress takes an Engine or a url, not {engine_or_url!r}: of an "
                f"asynchronous application, a url with a synchronous driver "
                f"(postgresql+psycopg://...)"
            )
        if engine_or_url.dialect.name not in DIALECTS:
            raise ValueError(
                f"SQLAlchemyProgress knows {', '.join(DIALECTS)}, not {engine_or_url.dialect.name}"
            )
        self._engine = engine_or_url
        # User and password are nobody's business in an error.
        self._name = engine_or_url.url.set(username=None, password=None).render_as_string()
        self._pid = os.getpid()
        self._creating = threading.Lock()
        self._is_created = not create_tables

    def create_tables(self) -> None:
        """Create the tables where they are missing."""
        with self._creating, self._errors():
            try:
                metadata.create_all(self._engine)
            except (ProgrammingError, OperationalError, sa.exc.IntegrityError):
                metadata.create_all(self._engine)  # another process was faster with some of them
            self._is_created = True

    @property
    def _dialect(self) -> Dialect:
        return DIALECTS[self._engine.dialect.name]

    @contextmanager
    def _writing(self, timeout: float | None = None) -> Iterator[Session]:
        wait = LOCK_WAIT if timeout is None else timeout
        with self._connected() as connection:
            if _is_autocommitting(connection):
                connection.execution_options(isolation_level="READ COMMITTED")
            with self._waiting(connection, wait):
                if self._dialect.name == "sqlite":
                    _lock_sqlite(connection)
                yield _Session(connection)
                connection.commit()

    @contextmanager
    def _waiting(self, connection: sa.Connection, seconds: float) -> Iterator[None]:
        """Wait no longer for a lock; afterwards a connection of the user's is as before."""
        asks = None if self._owns_engine else self._dialect.own_limits
        before = None if asks is None else connection.exec_driver_sql(asks).one()
        connection.exec_driver_sql(self._dialect.limits(seconds, self._idle_limit))
        try:
            yield
        finally:
            if before is not None:
                with contextlib.suppress(SQLAlchemyError):  # it is cut, and so is not used again
                    connection.rollback()
                    connection.exec_driver_sql(self._dialect.limits_as_before(before))

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with self._connected() as connection:
            yield _Session(connection)

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        if self._pid != os.getpid():  # forked: the parent's connections are not ours to use
            self._engine.dispose(close=False)
            self._pid = os.getpid()
        if not self._is_created:
            self.create_tables()
        with self._errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _joined(self, connection: Any, *, again: bool) -> Iterator[Session]:
        if isinstance(connection, Awaited) or is_of_psycopg(connection):
            with self._joined_on_psycopg(connection) as session:
                yield session
            return
        if not hasattr(connection, "execute") or not hasattr(connection, "in_transaction"):
            raise CheckpointError(
                f"Progress in {self!r} is committed on an SQLAlchemy Connection or Session or on "
                f"a psycopg.Connection, not on a {type(connection).__qualname__}"
            )
        if not connection.in_transaction() or (not again and _is_autocommitting(connection)):
            raise CheckpointError(
                "Progress can only be committed within an open transaction: begin it with "
                "connection.begin() or session.begin(), not in AUTOCOMMIT mode"
            )
        if DIALECTS.get(_plain(connection).dialect.name) is not self._dialect:
            raise self._is_elsewhere()
        try:
            yield _Session(connection)
        except DBAPIError as error:
            if lacks_table(error.orig):
                raise self._is_elsewhere() from error
            raise

    @contextmanager
    def _joined_on_psycopg(self, connection: Any) -> Iterator[Session]:
        if not is_in_transaction(connection):
            raise CheckpointError(
                "Progress can only be committed within an open transaction: write your rows "
                "before, or begin it with connection.transaction()"
            )
        if self._dialect is not POSTGRESQL:
            raise self._is_elsewhere()
        try:
            yield session_on(connection)
        except sys.modules["psycopg"].Error as error:
            if lacks_table(error):
                raise self._is_elsewhere() from error
            raise

    def _is_elsewhere(self) -> CheckpointError:
        return CheckpointError(
            f"The database of this connection does not hold the progress of the job: {self!r} does"
        )

    def is_in_transaction(self, connection: Any) -> bool:
        return connection is not None and is_in_transaction(connection)

    def close(self) -> None:
        """Close the connections of this process that are not in use."""
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            kind = StoreBusyError if is_busy(error.orig) else StoreError
            raise kind(f"The progress store {self._name} failed: {error.orig}") from error
        except SQLAlchemyError as error:
            raise StoreError(f"The progress store {self._name} failed: {error}") from error

    def __repr__(self) -> str:
        return f"SQLAlchemyProgress({self._name!r})"


class _Session:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str, parameters: Parameters) -> Result:
        result = self._connection.execute(_text(sql), parameters)
        return Result(result.fetchall() if result.returns_rows else (), result.rowcount)


@cache
def _text(sql: str) -> sa.TextClause:
    """Looked through for its parameters once."""
    return sa.text(sql)


def _is_autocommitting(connection: Any) -> bool:
    """Whether each statement is a transaction: by SQLAlchemy's options, or by its driver's."""
    plain = _plain(connection)
    if plain.dialect.name == "sqlite":  # there, transactions are begun by hand
        return False
    if plain.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return True
    driver = plain.connection.dbapi_connection
    if hasattr(driver, "get_autocommit"):  # of MySQL
        return bool(driver.get_autocommit())
    return getattr(driver, "autocommit", False) is True


def _lock_sqlite(connection: sa.Connection) -> None:
    """Begin with the lock, also where the engine begins each transaction by hand, without it."""
    driver: Any = connection.connection.dbapi_connection
    if driver.in_transaction:
        connection.exec_driver_sql("ROLLBACK")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _plain(connection: Any) -> Any:
    """The connection itself, or that of a session."""
    return connection.connection() if hasattr(connection, "get_bind") else connection
