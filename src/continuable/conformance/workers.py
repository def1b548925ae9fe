"""Real worker processes, started by their engine's own command, signalled and killed by a test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

DEADLINE = 120.0
"""Seconds that only a hang comes to: a busy machine is no failure."""
PROC = Path("/proc")


class Worker:
    """A worker of an engine: one process, or one with children."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        folder: Path | None = None,
    ) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(  # noqa: S603 - the adapter's own command
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        """Whether the main process runs."""
        return self._process.poll() is None

    def signal_main(self, number: int) -> None:
        """To the main process alone, as systemd's `KillMode=mixed`, Docker and Kubernetes do."""
        self._process.send_signal(number)

    def signal_all(self, number: int) -> None:
        """To every process of it, as systemd's default and a terminal do."""
        processes = [self.pid, *descendants(self.pid)]
        # One that is killed a moment later would see the others go, and leave in order.
        stops = [signal.SIGSTOP] if number == signal.SIGKILL else []
        for one in [*stops, number]:
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, one)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` holds; where it does not, say what the worker has to say."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"{what}: not within {DEADLINE} s\n{self.log}"
            time.sleep(0.01)

    def wait(self) -> int:
        """Wait for it to end by itself; how it did."""
        try:
            return self._process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"The worker does not end:\n{self.log}") from None

    def end(self) -> None:
        """Leave nothing behind, whatever the test has come to."""
        processes = {self.pid, *descendants(self.pid)}
        self.signal_all(signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(DEADLINE)
        # A child that is not gone yet may hold a connection on which the next job is delivered.
        self.until(lambda: processes.isdisjoint(dict(_processes())), "the end of all processes")


def descendants(pid: int) -> Iterator[int]:
    """The processes that `pid` has started, and those that these have, the eldest first."""
    children: dict[int, list[int]] = {}
    for child, parent in _processes():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for one in found:
        found += children.get(one, ())
    yield from found[1:]


def _processes() -> Iterator[tuple[int, int]]:
    """Every process that has not ended, with its parent."""
    if PROC.exists():
        for stat in PROC.glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                state, parent = stat.read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    yield int(stat.parent.name), int(parent)
        return
    listed = subprocess.run(
        ["ps", "-A", "-o", "stat=,pid=,ppid="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listed.stdout.splitlines():
        state, pid, parent = line.split()
        if not state.startswith("Z"):
            yield int(pid), int(parent)
