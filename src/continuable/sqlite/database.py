"""One SQLite file, opened once per thread and process, and its transactions."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from weakref import WeakSet

from continuable.errors import CheckpointError, StoreError
from continuable.sqlite import forks
from continuable.sqlite.connection import LOCK_WAIT, Connection
from continuable.sqlite.location import refuse_network
from continuable.sqlite.private import make_private
from continuable.sqlite.troubles import trouble

Durability = Literal["normal", "full"]


class Database:
    """A database file, whose tables its subclass makes.

    Every thread gets a connection of its own at its first use, which is closed when the thread
    ends, and before this process is forked. All errors come out as `StoreError`.

    Args:
        path: The file; made if missing, in a folder that exists.
        durability: `"normal"`: what is enqueued survives a power cut, which may redo work.
            `"full"`: everything does, at the price of a disk flush per write.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        durability: Durability = "normal",
        clock: Callable[[], float] = time.time,
    ) -> None:
        # One name for one file: what stands next to it, such as locks, is found by its name.
        self.path = Path(path).expanduser().resolve()
        self._place = str(self.path)
        self.clock = clock
        self.is_full = durability == "full"
        """Whether every transaction is flushed to the disk."""
        self._local = threading.local()
        self._open: WeakSet[Connection] = WeakSet()
        self._identity: tuple[int, int] | None = None
        self.is_in_place = True
        """Whether the file was the one at its path when that was looked at last."""

    @contextmanager
    def transaction(
        self, *, is_durable: bool = False, timeout: float = LOCK_WAIT
    ) -> Iterator[sqlite3.Connection]:
        """One write transaction, rolled back if its body raises.

        Args:
            is_durable: Whether it must survive a power cut, also where `durability` is normal; and
                be found, so that it is refused where the file was moved.
            timeout: Seconds to wait for the lock before `StoreBusyError`.
        """
        try:
            connection = self._taken(timeout)
            try:
                if is_durable:
                    self.check()
                connection.flush(is_wanted=is_durable or self.is_full)
                plain = connection.plain
                plain.execute("BEGIN IMMEDIATE")
                try:
                    yield plain
                    plain.execute("COMMIT")
                except BaseException:
                    if plain.in_transaction:
                        plain.execute("ROLLBACK")
                    raise
            finally:
                connection.let_go()
        except sqlite3.Error as error:
            raise trouble(error, self.path) from error

    def execute_durably(self, sql: str, row: dict[str, Any]) -> int:
        """One statement, which is a durable transaction by itself; how many rows it has written.

        As `transaction(is_durable=True)`, and quicker.
        """
        try:
            connection = self._taken(LOCK_WAIT)
            try:
                self.check()
                connection.flush(is_wanted=True)
                return connection.plain.execute(sql, row).rowcount
            finally:
                connection.let_go()
        except sqlite3.Error as error:
            raise trouble(error, self.path) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection, for statements that only read."""
        try:
            connection = self._taken(LOCK_WAIT)
            try:
                yield connection.plain
            finally:
                connection.let_go()
        except sqlite3.Error as error:
            raise trouble(error, self.path) from error

    def make_tables(self, connection: sqlite3.Connection) -> None:
        """Make the tables where they are missing; called with every connection that is opened."""

    def open(self) -> None:
        """Open the file, making file and tables where they are missing."""
        with self.reading():
            pass

    def close(self) -> None:
        """Close the connections of all threads of this process, once they are not in use."""
        with forks.opening:
            for connection in list(self._open):
                if connection.pid == os.getpid():
                    connection.close_when_free(LOCK_WAIT)
            self._open.clear()
            self._identity = None

    def data_version(self) -> object:
        """Changes when another connection has written to the file."""
        with self.reading() as connection:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            return self.connection().number, version  # each connection counts by itself

    def check(self) -> None:
        """`StoreError` if the file that is open is no longer the one at its path."""
        identity = self._identity
        self.is_in_place = identity is None or identity == identity_of(self._place)
        if not self.is_in_place:
            raise StoreError(
                f"The job database {self.path} was moved, deleted or replaced while it was open: "
                f"put it back, or stop every process that uses it before changing files"
            )

    @property
    def is_replaced(self) -> bool:
        """Whether there is another file at its path now."""
        now = identity_of(self._place)
        return None not in (now, self._identity) and now != self._identity

    def is_same_file(self, connection: sqlite3.Connection) -> bool:
        """Whether a connection of the user's own is on this file."""
        cursor = connection.cursor()
        cursor.row_factory = None
        name = next(row[2] for row in cursor.execute("PRAGMA database_list") if row[1] == "main")
        if not name:
            return False
        return name == str(self.path) or identity_of(Path(name)) == identity_of(self.path)

    def refuse_other(self, connection: sqlite3.Connection, *, is_known: bool = False) -> None:
        """`CheckpointError` for a connection of the user's that progress cannot be committed on."""
        if not isinstance(connection, sqlite3.Connection):
            raise CheckpointError(
                f"Progress can only be committed on a sqlite3.Connection, "
                f"not on a {type(connection).__name__}: pass the connection that it wraps"
            )
        if not connection.in_transaction:
            raise CheckpointError(
                "Progress can only be committed within an open transaction: begin it with "
                "BEGIN IMMEDIATE and commit it after this call"
            )
        if not is_known and not self.is_same_file(connection):
            raise CheckpointError(
                f"Progress can only be committed together with data in the same file, "
                f"{self.path}: this connection is open on another database"
            )

    def connection(self) -> Connection:
        """This thread's connection, opened at the first use."""
        held: Connection | None = getattr(self._local, "connection", None)
        if held is None or held.is_closed or held.pid != os.getpid():
            held = self._local.connection = self._opened()
        return held

    def _taken(self, timeout: float) -> Connection:
        """This thread's connection, to be let go, which waits for so many seconds for a lock."""
        while True:
            connection = self.connection()
            connection.take()
            try:
                if not connection.is_closed:
                    connection.wait_for_lock(timeout)
                    return connection
            except BaseException:
                connection.let_go()
                raise
            connection.let_go()  # a fork came between

    def _opened(self) -> Connection:
        with forks.opening:
            forks.refuse_inherited(self.path)
            is_first = self._identity is None
            if is_first:
                refuse_network(self.path)
                if not self.path.parent.is_dir():
                    raise StoreError(
                        f"The job database {self.path} cannot be made: "
                        f"create the folder {self.path.parent} first"
                    )
                make_private(self.path)
                self._identity = identity_of(self.path)
            else:
                self.check()  # or a new, empty file would be made beside the open one
            connection = Connection(self.path)
            try:
                connection.prepare()
                self.make_tables(connection.plain)
                self.check()  # it may have been replaced meanwhile
            except BaseException:
                connection.close()
                if is_first:
                    self._identity = None
                raise
            self._open.add(connection)
            return connection


def identity_of(path: Path | str) -> tuple[int, int] | None:
    """Which file is at `path`; `None`: none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - it takes text, as of a path that is looked at often
    except OSError:
        return None
    return status.st_dev, status.st_ino
