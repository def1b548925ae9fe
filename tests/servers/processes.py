"""Servers of the tests' own: started on a free port of the loopback, ended with the tests."""

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

DEADLINE = 60.0
ORDERLY_END = 20.0
"""Seconds in which a server is to end in order."""
NOBODY = "nobody"
PORTS = (10_000, 32_000)
"""Below those that Linux gives to clients."""


def free_port() -> int:
    """A free port of the loopback that stays free while its server is down.

    Not one that the system gives to clients: one of those might have it when the server restarts.
    """
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


class Server:
    """A server process with a folder of its own; it can be killed and started again."""

    ORDERLY: ClassVar[int] = signal.SIGTERM
    """The signal that ends it at once and in order, whoever is connected."""
    ABRUPT: ClassVar[int] = signal.SIGKILL
    """The signal that leaves it to recover at its next start."""

    def __init__(self, name: str, *, user: str | None = None) -> None:
        self.name = name
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"continuable-{name}-"))
        # A MariaDB that starts removes the temporary tables of another one in the same folder.
        self.environment = {"TMPDIR": str(self.folder)}
        self._user = user if user and os.getuid() == 0 else None
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def run(self, command: Sequence[str | Path]) -> None:
        """Run a command of the server's to its end."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | self.environment,
            user=self._user,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def start(self, command: Sequence[str | Path], is_ready: Callable[[], bool]) -> None:
        """Start the server, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | self.environment,
                user=self._user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + DEADLINE
        while not is_ready():
            assert self._process.poll() is None, f"{self.name} ended\n{self.log}"
            assert time.monotonic() < end, f"{self.name} does not answer\n{self.log}"
            time.sleep(0.02)

    def begin(self) -> None:
        """Start it, for the first time or again."""
        raise NotImplementedError

    def restart(self) -> None:
        """As when its machine is restarted: every connection breaks."""
        self.stop(self.ORDERLY)
        self.begin()

    def stop(self, number: int = signal.SIGKILL) -> None:
        """End the server process.

        Where it does not end in order, it is ended as by whatever runs it: once in many hundred
        restarts under load, PostgreSQL waited for a client for over a minute.
        """
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ORDERLY_END)
            return
        self._process.send_signal(self.ABRUPT)
        try:
            self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end\n{self.log}") from None

    def end(self) -> None:
        """Leave nothing behind."""
        self.stop()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # what it has started
                os.killpg(self._process.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def log(self) -> str:
        """The end of what it has written."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def accepts(self) -> bool:
        """Whether somebody listens on its port."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False
