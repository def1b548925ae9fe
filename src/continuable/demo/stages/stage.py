"""What differs between the queues of the demo."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

from continuable import App
from continuable.demo.place import Place
from continuable.demo.servers.server import Server
from continuable.demo.tables import Table
from continuable.demo.tables.sqlite import SQLiteTable

LEASE = 4.0
"""Seconds after which a killed worker is taken for dead where that is not seen before; shorter than
by default, since nobody likes to wait in a demo."""
ENGINE_APP = "continuable.demo.jobs"
"""The module that workers are told: `app` in it is ours, and `engine_app` the engine's."""


class Stage(ABC):
    """A queue with its workers, and a table for the rows."""

    title: ClassVar[str]
    """What people call the queue."""
    commits: ClassVar[bool]
    """Does the queue's own store commit progress together with the rows?"""
    rows_in: ClassVar[str] = "an SQLite file"
    """Where the rows go."""
    progress_in: ClassVar[str]
    """Where the queue's own store keeps progress."""
    lease: ClassVar[float | None] = LEASE
    """Seconds until the job of a killed worker is taken up, unless it is seen to be dead before;
    `None`: that is always seen."""
    ends_itself: ClassVar[bool] = False
    """Does a worker leave when its grace is over, whatever its jobs do?"""
    variables: ClassVar[tuple[str, ...]] = ()
    """How the environment variables begin by which the engine might end up somewhere else."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.engine_app: Any = None
        self.app: App

    @classmethod
    @abstractmethod
    def require(cls) -> None:
        """Raise `ImportError` where something is not installed."""

    @classmethod
    @abstractmethod
    def server(cls, folder: Path) -> AbstractContextManager[Server | None]:
        """The private server that all of it runs on, if it needs one."""

    @abstractmethod
    def command(self, grace: float) -> list[str]:
        """What starts a worker."""

    @abstractmethod
    def command_as_typed(self) -> str:
        """The same, as people type it."""

    def environment(self) -> dict[str, str]:
        """What the command has to be told besides the place."""
        return {}

    @abstractmethod
    def prepare(self) -> None:
        """Make what has to be there before there are jobs."""

    def table(self) -> Table:
        """The table, on a connection of the caller's own."""
        return SQLiteTable(self.place.database)

    @abstractmethod
    def close(self) -> None:
        """Close the connections of this process."""
