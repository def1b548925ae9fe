"""The processes that the demo starts, and the signals that end it: no process outlives the demo."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

PROC = Path("/proc")
KILL_TIMEOUT = 10.0
"""Seconds in which a killed process is gone, on a machine that is busy with something else."""
LOOK_EVERY = 0.01
LINES_OF_LOG = 15
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoError(Exception):
    """The demo could not be shown, or not to its end; the message says why."""


class Process:
    """A process in a session of its own, together with all that it starts in there.

    Ctrl-C in the terminal reaches the demo alone, which then ends its processes in order.

    Args:
        command: The program and its arguments.
        log: The file that stdout and stderr are appended to.
        options: More options of `subprocess.Popen`.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, **options: Any) -> None:
        self._log = log
        self._is_gone = False
        with log.open("ab") as file:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )

    @property
    def pid(self) -> int:
        """The process id, which is the id of the session, too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process; `None` while it runs."""
        return self._process.poll()

    def stop(self, number: int, timeout: float) -> float:
        """Send a signal to the first process alone, and return the seconds until it has ended.

        Raises `subprocess.TimeoutExpired` after `timeout` seconds.
        """
        started = time.monotonic()
        self._process.send_signal(number)
        self._process.wait(timeout)
        return time.monotonic() - started

    def kill(self) -> None:
        """Send SIGKILL to the whole session, as the kernel does when memory runs out.

        Returns when all of its processes are gone; `TimeoutError` after `KILL_TIMEOUT` seconds.
        """
        end = time.monotonic() + KILL_TIMEOUT
        while not self._is_gone:  # afterwards the session's id may be that of another
            left = list(_session(self.pid))
            for pid in left:
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(pid, signal.SIGKILL)
            self._is_gone = self.exit_code is not None and not left
            if left and time.monotonic() > end:
                raise TimeoutError(f"The processes {left} live on after SIGKILL")
            time.sleep(LOOK_EVERY)

    def last_words(self) -> str:
        """The last lines of the log."""
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LINES_OF_LOG:])


def _session(leader: int) -> Iterator[int]:
    """The processes of a session: they may have process groups of their own, or no parent."""
    for pid in _running():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == leader:
                yield pid


def _running() -> Iterator[int]:
    """Every process of this machine, without zombies."""
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


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Have the first Ctrl-C, SIGTERM or SIGHUP raise in the block, and ignore those after it."""

    def end(number: int, _frame: FrameType | None) -> None:
        for later in ENDS:
            signal.signal(later, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    with _handled_by(end):
        yield


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold signals back until the end of the block, when the process it starts is known."""
    came: list[int] = []
    try:
        with _handled_by(lambda number, _frame: came.append(number)):
            yield
    finally:
        for first in came[:1]:
            signal.raise_signal(first)


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Set the handler of all `ENDS` but those that are ignored, as SIGHUP is under `nohup`."""
    before = {number: signal.getsignal(number) for number in ENDS}
    minded = [number for number in ENDS if before[number] is not signal.SIG_IGN]
    for number in minded:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in minded:
            signal.signal(number, before[number])
