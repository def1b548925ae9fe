"""A server of the demo's own: on a free port of the loopback, with a password, until its end."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from continuable.demo.failure import DemoError
from continuable.demo.processes import AT_ONCE, LOOK_EVERY, Process
from continuable.demo.signals import signals_held

DEADLINE = 60.0
"""Seconds until a server answers."""


class Server(ABC):
    """A server process, in a folder that goes with it."""

    title: ClassVar[str]
    """What people call it."""
    end_signal: ClassVar[int] = signal.SIGTERM
    """What ends it at once, whoever is connected."""

    def __init__(self, folder: Path, *, user: str | None = None) -> None:
        self.folder = folder
        self.port = _free_port()
        # Nobody else on this machine is to use it.
        self.password = secrets.token_urlsafe()
        self._user = user
        self._process: Process | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where it is, password and all."""

    @property
    def pid(self) -> int | None:
        """The number of its process."""
        return self._process.pid if self._process else None

    @abstractmethod
    def begin(self) -> None:
        """Set it up, and `start` it."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers."""

    def __enter__(self) -> Self:
        try:
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def start(self, command: Sequence[str | Path]) -> None:
        """Start it, and wait until it answers."""
        try:
            with signals_held():
                self._process = Process(
                    command, self.folder / "log", user=self._user, folder=self.folder
                )
        except OSError as error:
            raise DemoError(f"{self.title} cannot be started: {error}") from error
        end = time.monotonic() + DEADLINE
        while not self.is_ready():
            if not self._process.is_alive or time.monotonic() > end:
                words = self._process.last_words()
                raise DemoError(f"{self.title} does not start. Its log ends:\n{words}")
            time.sleep(LOOK_EVERY)

    def run(self, command: Sequence[str | Path]) -> None:
        """Run a command of the server's to its end."""
        try:
            subprocess.run(  # noqa: S603 - our own command line
                command,
                cwd=self.folder,
                user=self._user,
                capture_output=True,
                text=True,
                check=True,
            )
        except OSError as error:
            raise DemoError(f"{self.title} cannot be started: {error}") from error
        except subprocess.CalledProcessError as error:
            raise DemoError(f"{self.title} cannot be set up:\n{error.stderr}") from error

    def end(self) -> None:
        """Leave no process behind."""
        if self._process is None:
            return
        if self._process.is_alive:
            with suppress(subprocess.TimeoutExpired):
                self._process.stop(self.end_signal, AT_ONCE)
        self._process.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
