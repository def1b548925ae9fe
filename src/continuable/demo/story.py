"""The course of the demo: an import, a deploy in its middle, then a crash."""

from __future__ import annotations

import csv
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired

from continuable.declaration.definition import JobDefinition
from continuable.declaration.handle import Handle
from continuable.demo import jobs
from continuable.demo.processes import LOOK_EVERY, DemoError, Process, signals_held
from continuable.demo.screen import Screen
from continuable.demo.stages import Place, Stage
from continuable.demo.table import Table
from continuable.demo.upload import balance, rows_of
from continuable.model.info import JobInfo
from continuable.progress.rowstore import LEASE

DEADLINE = 180.0
"""Seconds for the whole demo, on a machine that is busy with something else."""

DEPLOY_AT = 51 / 80
CRASH_AT = 65 / 80
IMPORTING = "process_records"
"""The step that imports the rows."""
OVER = "too late, the import was over by then"

GRACE = 30.0
"""Seconds for the job to reach a checkpoint when its worker is stopped."""
GRACE_WITHOUT_STEPS = 0.05
"""The same for a job without checkpoints, which uses up any grace."""

WORK = 4_000_000
"""Rounds of hashing in all: with fewer rows each has more, so that there is time to watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The options of the demo, all of them decided."""

    queue: str
    stage: type[Stage]
    csv: Path
    total: int
    plain: bool
    kill: bool
    commit: bool

    @property
    def job(self) -> str:
        """The function in `continuable.demo.jobs`."""
        if self.plain:
            return "process_import_without_steps"
        return "process_import" if self.commit else "process_import_without_commit"


class Story:
    """One run of the demo, in a folder of its own."""

    def __init__(self, plot: Plot, folder: Path, screen: Screen) -> None:
        self._plot = plot
        self._folder = folder
        self._screen = screen
        self._deadline = time.monotonic() + DEADLINE
        self._started = time.monotonic()
        self._told = 0
        self._stage: Stage
        self._workers: list[Process] = []
        self._job: Handle[int]
        self._table: Table

    def tell(self) -> bool:
        """Run the import; is every row in the table exactly once at the end?"""
        self._introduce()
        with ExitStack() as stack:
            stack.enter_context(_without_variables(self._plot.stage.variables))
            self._stage = stack.enter_context(self._opened_stage())
            self._table = stack.enter_context(closing(self._stage.table()))
            self._job = self._enqueued()
            stack.callback(self._end_workers)
            self._start()
            self._deploy()
            if self._plot.kill:
                self._crash()
            self._end()
            return self._balance()

    # --- what happens

    def _introduce(self) -> None:
        plot = self._plot
        stops = "a deploy and a crash" if plot.kill else "a deploy"
        how = "without continuations" if plot.plain else "in three steps"
        told = f"An import of {plot.total:,} rows {how}, with {stops} in its middle."
        self._screen.say(told)
        place = f"On {plot.stage.title}: rows to {plot.stage.rows_in}"
        if plot.plain:
            self._screen.say(f"{place}.", "quiet")
        elif plot.commit:
            self._screen.say(f"{place}, and progress committed with them.", "quiet")
        else:
            kept = f"progress to {plot.stage.progress_in} once a second"
            self._screen.say(f"{place}, {kept}, so that a kill redoes some.", "quiet")

    def _start(self) -> None:
        """Start the worker of the next release."""
        grace = GRACE_WITHOUT_STEPS if self._plot.plain else GRACE
        rounds = {"CONTINUABLE_DEMO_ROUNDS": str(max(1, WORK // max(1, self._plot.total)))}
        # A killed worker leaves its temporary files behind: they go with the folder.
        folder = {"TMPDIR": str(self._folder)}
        environment = os.environ | self._stage.environment() | rounds | folder
        log = self._folder / f"release-{self._release + 1}.log"
        with signals_held():
            self._workers.append(Process(self._stage.command(grace), log, env=environment))
        comment = f"# release {self._release}, process {self._worker.pid}"
        self._screen.say(f"$ {self._stage.typed}  {comment}", "quiet")

    def _deploy(self) -> None:
        """Stop the worker as a deploy does, and start the next release."""
        if not self._reach(DEPLOY_AT):
            return
        row = self._row()
        if self._plot.plain:
            grace = f"the grace of {GRACE_WITHOUT_STEPS:g} s"
            told = f"no checkpoint within {grace}, so {self._force()}"
        else:
            gone = f"process gone after {self._stop() * 1000:.0f} ms"
            told = f"interrupted after row {self._kept():,}; {gone}"
        if self._is_left(f"SIGTERM at row {row:,}", told, "deploy"):
            self._resume()

    def _crash(self) -> None:
        """Kill the worker without a warning, and start another."""
        if self._job.info().state.is_finished or not self._reach(CRASH_AT):
            return
        self._worker.kill()
        told = f"progress was saved last after row {self._kept():,}"
        if self._is_left(f"SIGKILL at row {self._row():,}", told, "bad"):
            self._resume(is_dead=True)

    def _is_left(self, stop: str, told: str, mark: str) -> bool:
        """Tell how the worker was stopped; is anything left of the import?"""
        is_over = self._job.info().state.is_finished
        self._screen.say(f"{stop}: {OVER if is_over else told}", mark)
        return not is_over

    def _resume(self, *, is_dead: bool = False) -> None:
        """Start the next release, and wait until it runs the job."""
        stopped, row, kept = time.monotonic(), self._row(), self._kept()
        executions = self._job.info().executions
        if self._stage.lease and (is_dead or self._plot.plain):
            lease = f"{self._stage.lease:g} s here, {LEASE:g} s by default"
            told = "The next one resumes when that process is seen to be gone, or its lease is over"
            self._screen.say(f"{told} ({lease})", "quiet")
        self._start()
        self._watch(lambda info: info.executions > executions, "resume the job")
        took = f"{time.monotonic() - stopped:.1f} s"
        release, redone = self._release, row - kept
        if self._plot.plain:
            told = f"Release {release} starts over at row 1, {took} later"
        else:
            place = f"at row {kept + 1:,}" if kept < self._plot.total else "behind the last row"
            told = f"Release {release} resumes {place}, {took} later"
        self._screen.say(f"{told}; rows redone: {redone:,}", "bad" if self._plot.plain else "good")

    def _end(self) -> None:
        """Wait until the last release has finished the job, and stop it."""
        self._watch(lambda _info: False, "finish the import")
        self._stop()

    def _stop(self) -> float:
        """Send the worker SIGTERM, and return the seconds until it has ended."""
        try:
            took = self._worker.stop(signal.SIGTERM, GRACE + max(0.0, self._left()))
        except TimeoutExpired as error:
            raise DemoError(self._complaint("did not stop")) from error
        self._worker.kill()  # with any child that it may have left
        return took

    def _force(self) -> str:
        """Send the worker SIGTERM, and SIGKILL when its grace is over; returns how that went."""
        if self._stage.ends_itself:
            return f"it goes on; process gone after {self._stop() * 1000:.0f} ms"
        with suppress(TimeoutExpired):
            self._worker.stop(signal.SIGTERM, GRACE_WITHOUT_STEPS)
        self._worker.kill()
        return "SIGKILL follows"

    def _end_workers(self) -> None:
        for worker in self._workers:
            worker.kill()

    # --- how the import stands

    @property
    def _release(self) -> int:
        """The number of the release that runs, from 1 on."""
        return len(self._workers)

    @property
    def _worker(self) -> Process:
        """The worker of the release that runs."""
        return self._workers[-1]

    def _reach(self, part: float) -> bool:
        """Wait until that part of the rows is imported; False: the import has ended before."""
        row = max(1, int(self._plot.total * part))
        return self._watch(lambda _info: self._row() >= row, f"come to row {row:,}")

    def _watch(self, is_there: Callable[[JobInfo], bool], what: str) -> bool:
        """Show the job until `is_there`; False: it has completed before.

        Raises `DemoError` if the job fails, its worker ends or the deadline passes.
        """
        while True:
            info = self._job.info()
            self._show(info)
            if is_there(info):
                return True
            if info.state.is_finished:
                if info.error:
                    raise DemoError(f"The import failed: {info.error}")
                return False
            code = self._worker.exit_code
            if code is not None:
                raise DemoError(self._complaint(f"ended (exit code {code}) before it could {what}"))
            if self._left() <= 0:
                raise DemoError(self._complaint(f"did not {what} within {DEADLINE:g} s"))
            time.sleep(LOOK_EVERY)

    def _show(self, info: JobInfo) -> None:
        for step in info.completed[self._told :]:
            self._screen.say(f"Step {step} is completed", "quiet")
        self._told = len(info.completed)
        place = info.step or self._plot.job
        self._screen.follow(self._release, place, self._row(), self._plot.total)

    def _row(self) -> int:
        """The number of the row that was written last."""
        return self._table.newest()

    def _kept(self) -> int:
        """The row after which a resume starts."""
        info = self._job.info()
        return self._plot.total if IMPORTING in info.completed else info.done

    def _left(self) -> float:
        return self._deadline - time.monotonic()

    def _complaint(self, what: str) -> str:
        return f"Release {self._release} {what}. Its log ends:\n{self._worker.last_words()}"

    # --- before and after

    @contextmanager
    def _opened_stage(self) -> Iterator[Stage]:
        """The queue, with its private server, until the end of the block."""
        plot, database = self._plot, str(self._folder / "demo.db")
        with ExitStack() as stack:
            url = ""
            if plot.stage.server is not None:
                server = stack.enter_context(plot.stage.server())
                url, port = server.url, server.port
                told = f"A {server.title} of our own on port {port}, process {server.pid}"
                self._screen.say(told, "quiet")
            place = Place(queue=plot.queue, database=database, server=url, commit=plot.commit)
            stage = stack.enter_context(closing(plot.stage(place)))
            stage.prepare()
            yield stage

    def _enqueued(self) -> Handle[int]:
        """Enqueue the job on the stage's queue, which this process's own `jobs.app` is not on."""
        job: JobDefinition[[Path], int] = getattr(jobs, self._plot.job)
        here: JobDefinition[[Path], int] = self._stage.app.job(name=job.name)(job.function)
        return here.enqueue(self._plot.csv)

    def _balance(self) -> bool:
        found, info = balance(self._table, self._plot.csv), self._job.info()
        self._screen.say(str(found), "good" if found.is_exact else "bad")
        self._screen.say(
            f"Rows redone: {found.redone:,}. Executions: {info.executions}. "
            f"From beginning to end: {time.monotonic() - self._started:.1f} s."
        )
        return found.is_exact


def rows_in(path: Path) -> int:
    """The number of rows in a CSV file; `DemoError` where it cannot be read."""
    try:
        return sum(1 for _ in rows_of(path))
    except (OSError, ValueError, csv.Error) as error:
        raise DemoError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error


@contextmanager
def _without_variables(beginnings: tuple[str, ...]) -> Iterator[None]:
    """Take variables with these prefixes from the environment until the end of the block."""
    taken = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(beginnings)}
    try:
        yield
    finally:
        os.environ.update(taken)
