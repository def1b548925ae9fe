"""The command line in a real process, to be sent real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SOURCE = Path(__file__).parents[2] / "src"
DEADLINE = 30.0
COMMAND = (sys.executable, "-m", "continuable")


def until(condition: Callable[[], T], what: str, deadline: float = DEADLINE) -> T:
    """Wait until `condition` holds, and give what it said."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come true in {deadline} s"
        time.sleep(0.01)
    return found


def environment(**more: str) -> dict[str, str]:
    """Where the package is found, and each line is written at once."""
    return os.environ | {"PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"} | more


class Process:
    """`continuable` with these words, in the current folder."""

    def __init__(self, *words: object, **more: str) -> None:
        number = len([*Path().glob("process-*.out")])
        self._out, self._err = Path(f"process-{number}.out"), Path(f"process-{number}.err")
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [*COMMAND, *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment(**more),
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def await_text(self, text: str) -> None:
        """Wait until it has written `text`; fail at once if it ends without it."""

        def is_there() -> bool:
            is_over = not self.is_alive
            is_written = text in self.stdout + self.stderr
            assert is_written or not is_over, f"{text!r} not in {self.stdout + self.stderr}"
            return is_written

        until(is_there, f"{text!r} in the output")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        return self._process.wait(DEADLINE)

    def stop(self, number: signal.Signals) -> int:
        """Send a signal, and wait for its end."""
        self.send(number)
        return self.wait()

    def end(self) -> None:
        """Leave nothing behind, whatever the test has come to."""
        if self.is_alive:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()


@contextmanager
def process(*words: object, **more: str) -> Iterator[Process]:
    """A process that is gone when the block is left."""
    started = Process(*words, **more)
    try:
        yield started
    finally:
        started.end()
