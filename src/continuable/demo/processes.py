"""Processes that the demo starts, and of which it leaves none."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
AT_ONCE = 10.0
"""Seconds in which whoever is killed is gone, on a machine that is busy with something else."""
LOOK_EVERY = 0.01
LINES_OF_LOG = 15


class Process:
    """A process in a session of its own, together with all that it starts in there.

    Ctrl-C does not reach it: it is for the demo, which ends its processes in its own way.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        user: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self._log = log
        self._is_gone = False
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                env=environment,
                user=user,
                group=user and _group(user),
                extra_groups=[] if user else None,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the process ended."""
        return self._process.poll()

    def stop(self, number: int, timeout: float) -> float:
        """Send a signal to the process alone; the seconds until it has ended.

        Raises `subprocess.TimeoutExpired`.
        """
        started = time.monotonic()
        self._process.send_signal(number)
        self._process.wait(timeout)
        return time.monotonic() - started

    def kill(self) -> None:
        """Send SIGKILL to all of it, as the kernel does when memory runs out, until it is gone."""
        end = time.monotonic() + AT_ONCE
        while not self._is_gone:  # after which its number may be somebody else's
            left = list(_session(self.pid))
            for pid in left:
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(pid, signal.SIGKILL)
            self._is_gone = self._process.poll() is not None and not left
            if self._is_gone:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"The processes {left} live on after SIGKILL")
            time.sleep(LOOK_EVERY)

    def last_words(self) -> str:
        """The end of what it has written."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LINES_OF_LOG:])


def _group(user: str) -> int:
    from pwd import getpwnam

    return getpwnam(user).pw_gid


def _session(leader: int) -> Iterator[int]:
    """The processes of a session: they may have process groups of their own, or no parent."""
    for pid in _running():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                yield pid


def _running() -> Iterator[int]:
    """Every process that has not ended."""
    if PROC.exists():
        for stat in PROC.glob("[0-9]*/stat"):
            with suppress(OSError):  # it has ended meanwhile
                if not stat.read_text(errors="replace").rpartition(") ")[2].startswith("Z"):
                    yield int(stat.parent.name)
        return
    command = ["ps", "-A", "-o", "stat=,pid="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    for line in listed.stdout.splitlines():
        state, pid = line.split()
        if not state.startswith("Z"):
            yield int(pid)
