"""What the engines on Redis have in common."""

from __future__ import annotations

from pathlib import Path

from continuable.demo.place import Place
from continuable.demo.servers.redis import RedisServer, executable
from continuable.demo.stages.stage import LEASE, Stage
from continuable.progress.redis import RedisProgress
from continuable.progress.sqlite import SQLiteProgress


class StageOnRedis(Stage):
    """Progress is in the same Redis, or in the file of the rows to be committed with them."""

    commits = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.progress: RedisProgress | SQLiteProgress = (
            SQLiteProgress(place.database, lease=LEASE)
            if place.commit
            else RedisProgress(place.server, lease=LEASE)
        )

    @classmethod
    def require(cls) -> None:
        """See `Stage.require`."""
        executable()

    @classmethod
    def server(cls, folder: Path) -> RedisServer:
        """See `Stage.server`."""
        return RedisServer(folder)

    def prepare(self) -> None:
        """See `Stage.prepare`: keys are made as they are needed."""

    def close(self) -> None:
        """See `Stage.close`."""
        self.progress.close()
