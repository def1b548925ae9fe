"""Real worker processes, started, stopped and killed by a test."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.queues.embedded.working.main import MODULE
from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parents[4]


class WorkerProcess:
    """One worker, or a supervisor of several."""

    def __init__(self, path: Path, number: int, options: dict[str, object]) -> None:
        self._path = path
        self.log_path = path.with_name(f"worker-{number}.log")
        places = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        log_to = options.pop("log_to", None)
        with self.log_path.open("wb") as file:
            log = file if log_to is None else log_to
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(path), json.dumps(options)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def await_log(self, text: str) -> None:
        until(lambda: text in self.log, f"{text!r} in the log")

    @property
    def workers_started(self) -> int:
        return len(re.findall(r"Worker \S+ started", self.log))

    def await_start(self) -> None:
        until(lambda: self.workers_started, "the start of a worker")

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def freeze(self) -> None:
        """Stop it as by SIGSTOP, where it is not in the middle of a write.

        There it would hold the lock of the file, and nobody could write until it goes on.
        """
        connection = sqlite3.connect(self._path, timeout=DEADLINE, isolation_level=None)
        with contextlib.closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            self.send(signal.SIGSTOP)
            os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)
            connection.execute("ROLLBACK")

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.send(number)
        return self.wait()

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def wait(self, deadline: float = DEADLINE) -> int:
        return self._process.wait(deadline)

    def end(self) -> None:
        """Leave nothing behind, whatever the test has come to."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.send(signal.SIGCONT)
            self.kill()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child of a killed supervisor may be left for init to reap.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
