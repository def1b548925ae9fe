"""What a job of the suite leaves behind: one line for each thing it has done, in one file."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that one execution of a job has done."""

    run: str
    """Told apart: every execution has one of its own, in whatever process."""
    pid: int
    execution: int
    at: float
    """On a clock that all processes of the machine share."""
    what: str
    """`begin`, the name of a step, or the number of a row."""


class Journal:
    """The file that the executions of one job write, and a test reads."""

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / "journal"
        self._gate = Path(folder) / "released"

    # --- for the job

    def begin(self, execution: int) -> Run:
        """An execution has started."""
        run = Run(self._path, execution)
        run.write("begin")
        return run

    @property
    def is_released(self) -> bool:
        """Whether the test lets the job go on."""
        return self._gate.exists()

    # --- for the test

    def release(self) -> None:
        """Let the job go on to its end."""
        self._gate.touch()

    @property
    def entries(self) -> list[Entry]:
        """All that was written, in order."""
        if not self._path.exists():
            return []
        lines = self._path.read_text().splitlines()
        return [Entry(**json.loads(line)) for line in lines]

    @property
    def rows(self) -> list[int]:
        """The rows that were copied, in order."""
        return [int(entry.what) for entry in self.entries if entry.what.isdigit()]

    @property
    def begins(self) -> list[Entry]:
        """The first entry of each execution."""
        return [entry for entry in self.entries if entry.what == "begin"]

    @property
    def runs_overlap(self) -> bool:
        """Whether an execution has done anything after a later one had begun."""
        runs = [run for run, _ in groupby(entry.run for entry in self.entries)]
        return len(runs) != len(set(runs))


class Run:
    """One execution, as it writes into the journal."""

    def __init__(self, path: Path, execution: int) -> None:
        self._path = path
        self._execution = execution
        self._token = secrets.token_hex(4)

    def write(self, what: str) -> None:
        """Add a line, whole, whoever else writes."""
        entry = Entry(self._token, os.getpid(), self._execution, time.monotonic(), what)
        with self._path.open("a") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
