"""The command line in a real process, to be sent real signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import DEADLINE, until

SOURCE = Path(__file__).parents[2] / "src"
COMMAND = (sys.executable, "-m", "continuable")


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
