"""Progress is kept while a job runs: by its worker, or in the user's own transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, ClassVar

from continuable.connections.connection import is_in_transaction
from continuable.model.states import State
from continuable.progress.protocol import Save
from continuable.queues.embedded.statements import statement
from continuable.sqlite.connection import LOCK_WAIT
from continuable.sqlite.database import Database
from continuable.sqlite.troubles import trouble

OF_WORKER = statement("of_worker")
SAVE = statement("save")
SEQUENCE = statement("sequence_of_job")


class Saves:
    """The part of the job table that running jobs write to and are told by."""

    can_commit: ClassVar[bool] = True
    controls_every: ClassVar[float] = 0.1

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, saves: Iterable[Save], timeout: float | None = None) -> list[str]:
        """Write all of `saves` in one transaction.

        Args:
            saves: What to write.
            timeout: Seconds to wait for another connection's write lock. The thread of a job
                waits briefly, since it may be its own transaction that holds the lock.

        Returns:
            The ids of the jobs that were taken away: nothing is written for those.
        """
        now = self._database.clock()
        wait = LOCK_WAIT if timeout is None else timeout
        with self._database.transaction(timeout=wait) as connection:
            return [
                save.id
                for save in saves
                if connection.execute(SAVE, row_of(save, now)).rowcount == 0
            ]

    def commit(self, connection: sqlite3.Connection, save: Save, *, again: bool = False) -> bool:
        """Write `save` within the user's own transaction.

        Returns:
            Whether it was written; False: the job was taken away, so roll back.

        Raises:
            CheckpointError: There is no open transaction, or it is on another database.
        """
        self._database.refuse_other(connection, is_known=again)
        cursor = connection.cursor()
        try:
            cursor.execute(SAVE, row_of(save, self._database.clock()))
        except sqlite3.Error as error:
            raise trouble(error, self._database.path) from error
        return cursor.rowcount == 1

    def is_written(self, save: Save) -> bool:
        """Whether `save`, or a newer one of the same claim, is in the table for all to see."""
        with self._database.reading() as connection:
            found = connection.execute(SEQUENCE, row_of(save, 0.0)).fetchone()
            return found is not None and found[0] >= save.sequence

    def controls(self, worker: str) -> list[tuple[str, int, State]]:
        """See `Keeper.controls`."""
        with self._database.reading() as connection:
            rows = connection.execute(OF_WORKER, {"worker": worker}).fetchall()
        return [(job_id, fence, State(state)) for job_id, fence, state in rows]

    def version(self) -> object:
        """See `Keeper.version`."""
        return self._database.data_version()

    def is_in_transaction(self, connection: Any) -> bool:
        """See `Keeper.is_in_transaction`."""
        return connection is not None and is_in_transaction(connection)


def row_of(save: Save, now: float) -> dict[str, Any]:
    """What `save.sql` needs."""
    return {
        "id": save.id,
        "fence": save.fence,
        "worker": save.worker,
        "sequence": save.sequence,
        "document": save.document,
        "now": now,
    }
