"""What happens in the demo: an import, a deploy in its middle, then a crash."""

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
from continuable.demo.balance import balance
from continuable.demo.failure import DemoError
from continuable.demo.place import Place
from continuable.demo.processes import Process
from continuable.demo.screen import Screen
from continuable.demo.signals import signals_held
from continuable.demo.stages import Stage
from continuable.demo.tables import Table
from continuable.demo.upload import rows_of
from continuable.model.info import JobInfo
from continuable.progress.rowstore import LEASE

DEADLINE = 180.0
"""Seconds for all of it: more than enough for a machine that is busy with something else."""
LOOK_EVERY = 0.01

DEPLOY_AT = 51 / 80
CRASH_AT = 65 / 80
IMPORTING = "process_records"
"""The step that has the rows."""
OVER = "too late, the import was over by then"

GRACE = 30.0
GRACE_WITHOUT_STEPS = 0.05
"""A job without checkpoints uses up any grace: a short one is enough to show it."""

WORK = 4_000_000
"""Rounds of hashing in all: the fewer the rows, the harder each, so that there is time to watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is to happen."""

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
        """Let it happen; whether every row is in the table exactly once."""
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
        # Whoever is killed leaves its temporary files behind: they go with the folder.
        folder = {"TMPDIR": str(self._folder)}
        told = self._stage.place.to_environment() | self._stage.environment() | rounds | folder
        log = self._folder / f"release-{self._release + 1}.log"
        with signals_held():
            self._workers.append(Process(self._stage.command(grace), log, os.environ | told))
        comment = f"# release {self._release}, process {self._worker.pid}"
        self._screen.say(f"$ {self._stage.command_as_typed()}  {comment}", "quiet")

    def _deploy(self) -> None:
        """Stop the worker as a deploy does, and start the next release."""
        if not self._reach(DEPLOY_AT):
            return None
        row = self._row()
        if self._plot.plain:
            told = (
                f"no checkpoint within the grace of {GRACE_WITHOUT_STEPS:g} s, so {self._force()}"
            )
        else:
            took = self._stop()
            told = (
                f"interrupted after row {self._kept():,}; process gone after {took * 1000:.0f} ms"
            )
        if self._is_over():
            return self._screen.say(f"SIGTERM at row {row:,}: {OVER}", "deploy")
        self._screen.say(f"SIGTERM at row {row:,}: {told}", "deploy")
        return self._resume()

    def _crash(self) -> None:
        """Kill the worker without a warning, and start another."""
        if self._is_over() or not self._reach(CRASH_AT):
            return None
        self._worker.kill()
        row = self._row()
        if self._is_over():
            return self._screen.say(f"SIGKILL at row {row:,}: {OVER}", "bad")
        kept = f"progress was saved last after row {self._kept():,}"
        self._screen.say(f"SIGKILL at row {row:,}: {kept}", "bad")
        return self._resume(is_dead=True)

    def _resume(self, *, is_dead: bool = False) -> None:
        """Start the next release and see it take up the job."""
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
        """Wait for the last release to finish the job, and have it leave."""
        self._watch(lambda _info: False, "finish the import")
        self._stop()

    def _stop(self) -> float:
        """Send the worker SIGTERM; the seconds until it has ended."""
        try:
            took = self._worker.stop(signal.SIGTERM, GRACE + max(0.0, self._left()))
        except TimeoutExpired as error:
            raise DemoError(self._complaint("did not stop")) from error
        self._worker.kill()  # whoever it may have left
        return took

    def _force(self) -> str:
        """Send the worker SIGTERM, and SIGKILL when its grace is over; what came of it."""
        if self._stage.ends_itself:
            return f"it goes on; process gone after {self._stop() * 1000:.0f} ms"
        with suppress(TimeoutExpired):
            self._worker.stop(signal.SIGTERM, GRACE_WITHOUT_STEPS)
        self._worker.kill()
        return "SIGKILL follows"

    def _end_workers(self) -> None:
        """Leave none behind."""
        for worker in self._workers:
            worker.kill()

    # --- what there is to see

    @property
    def _release(self) -> int:
        """The number of the release."""
        return len(self._workers)

    @property
    def _worker(self) -> Process:
        """The worker of the release."""
        return self._workers[-1]

    def _reach(self, part: float) -> bool:
        """Wait until that part of the rows is imported; False: all of them are."""
        row = max(1, int(self._plot.total * part))
        return self._watch(lambda _info: self._row() >= row, f"come to row {row:,}")

    def _watch(self, is_there: Callable[[JobInfo], bool], what: str) -> bool:
        """Show the job until `is_there`; False: it has been completed before."""
        while True:
            info = self._job.info()
            self._show(info)
            if is_there(info):
                return True
            if info.state.is_finished:
                if info.error:
                    raise DemoError(f"The import failed: {info.error}")
                return False
            if not self._worker.is_alive:
                code = self._worker.exit_code
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

    def _is_over(self) -> bool:
        """Whether the import has come to its end, though its worker was stopped."""
        return self._job.info().state.is_finished

    def _row(self) -> int:
        """The row that was imported last."""
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
        """The queue, on a server that ends with it."""
        plot = self._plot
        with plot.stage.server(self._folder) as server:
            if server is not None:
                told = f"A {server.title} of our own on port {server.port}, process {server.pid}"
                self._screen.say(told, "quiet")
            place = Place(
                queue=plot.queue,
                database=self._folder / "demo.db",
                server=server.url if server else "",
                commit=plot.commit,
            )
            with closing(plot.stage(place)) as stage:
                stage.prepare()
                yield stage

    def _enqueued(self) -> Handle[int]:
        """The job, on the queue that the workers take it from."""
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
    """Keep variables of the environment from leading an engine to a server of the user's."""
    taken = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(beginnings)}
    try:
        yield
    finally:
        os.environ.update(taken)
