"""The job table, room by room: what the workers, the application and people do with it."""

from __future__ import annotations

from continuable.queues.embedded.board import Board
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.enqueueing import Enqueues
from continuable.queues.embedded.requests import Requests
from continuable.queues.embedded.saving import Saves
from continuable.queues.embedded.settling import Settlements


class JobTable(Enqueues, Settlements, Saves, Requests, Board):
    """All jobs of one database file.

    May be shared by threads. Every method is one transaction: it has happened when it returns,
    and has not when it raises.
    """

    def __init__(self, database: JobDatabase) -> None:
        super().__init__(database)
        self.database = database
