"""Runs one claimed job, from its record to its outcome; nothing of that is written yet."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from continuable.core.definition import Definition
from continuable.core.execution import Execution
from continuable.core.options import exponential_backoff
from continuable.core.outcome import ErrorReport, Failed, Outcome, Suspended
from continuable.errors import DeserializationError
from continuable.events.log import try_to_log
from continuable.progress.protocol import Claim, Keeper, Note
from continuable.worker.eventloop import EventLoop, LoopEndedError
from continuable.worker.forked import aleave_if_forked, leave_if_forked
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.run import RunningJob

LOOP_ENDED = "event loop ended"
"""The reason of an `async def` job whose event loop another job has broken."""
UNKNOWN_JOB = "unknown job"
"""The reason of a job whose code is not here."""
UNKNOWN_JOB_WAIT = 30.0
"""Seconds until a worker is asked again whether it has the code of a job."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How an execution ended, and what to write."""

    claimed: Claim
    outcome: Outcome
    longest_gap: float = 0.0
    retry_in: float | None = None
    notes: Sequence[Note] = ()
    is_engines_retry: bool = False
    """It has failed, and the engine runs it again by a message of its own."""

    @property
    def error(self) -> BaseException | None:
        """What the job has raised, where it has failed or an error resumes it."""
        match self.outcome:
            case Failed(error=error) | Suspended(exception=error):
                return error
        return None


class Runner:
    """What the threads of a worker process share to run jobs.

    Args:
        jobs: Those whose code is here, by their names.
        keeper: Where their progress is kept.
        heartbeat: Minds them while they run.
        passes: What comes out of `run` when it is raised in a job: no outcome of the job's.
    """

    def __init__(
        self,
        jobs: Mapping[str, Definition],
        keeper: Keeper,
        heartbeat: Heartbeat,
        passes: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._jobs = jobs
        self._keeper = keeper
        self._heartbeat = heartbeat
        self._passes = passes
        self._loop = EventLoop()

    def close(self) -> None:
        """End what was started for jobs."""
        self._loop.stop()

    def run(self, claimed: Claim, started: Callable[[RunningJob], None] | None = None) -> RunResult:
        """Run the job; nothing of it is written yet. `started` is told before it begins."""
        definition = self._jobs.get(claimed.name)
        if definition is None:
            return RunResult(claimed, _without_code(claimed))
        running = self._running(definition, claimed)
        try:
            execution, damage = self._execution(definition, running, started)
            outcome = _unreadable(claimed, damage) if damage else self._call(execution)
        finally:
            self._heartbeat.remove(running)
        return _ran(running, execution, outcome)

    async def arun(
        self, claimed: Claim, started: Callable[[RunningJob], None] | None = None
    ) -> RunResult:
        """The same for an `async def` job, on the event loop of the caller.

        A cancellation of the caller's reaches the job, and comes out of here.
        """
        definition = self._jobs.get(claimed.name)
        if definition is None:
            return RunResult(claimed, _without_code(claimed))
        running = self._running(definition, claimed)
        try:
            execution, damage = self._execution(definition, running, started)
            outcome = _unreadable(claimed, damage) if damage else await self._acall(execution)
        finally:
            self._heartbeat.remove(running)
        return _ran(running, execution, outcome)

    def _running(self, definition: Definition, claimed: Claim) -> RunningJob:
        options = definition.options
        running = RunningJob(
            self._keeper,
            claimed,
            self._heartbeat.wake,
            save_every=options.save_every,
            max_runtime=options.max_runtime,
        )
        self._heartbeat.add(running)
        return running

    def _execution(
        self,
        definition: Definition,
        running: RunningJob,
        started: Callable[[RunningJob], None] | None,
    ) -> tuple[Execution, DeserializationError | None]:
        """What runs the job, unless its record is damaged."""
        if started is not None:
            started(running)
        claimed, damage = running.claimed, None
        try:
            record = claimed.record()
        except DeserializationError as error:
            record, damage = claimed.identity(), error
        execution = running.execution = Execution(
            definition, record, attention=running.attention, recorder=running, passes=self._passes
        )
        return execution, damage

    def _call(self, execution: Execution) -> Outcome:
        process = os.getpid()
        try:
            if execution.definition.is_async:
                return self._loop.run(aleave_if_forked(execution.arun(), process))
            return leave_if_forked(execution.run(), process)
        except LoopEndedError:
            return execution.left(LOOP_ENDED)
        except self._passes:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a job raises ends here
            return leave_if_forked(execution.escaped(error), process)

    async def _acall(self, execution: Execution) -> Outcome:
        process = os.getpid()
        try:
            return await aleave_if_forked(execution.arun(), process)
        except asyncio.CancelledError:
            raise
        except self._passes:
            raise
        except BaseException as error:  # noqa: BLE001 - as above
            return leave_if_forked(execution.escaped(error), process)


def _ran(running: RunningJob, execution: Execution, outcome: Outcome) -> RunResult:
    claimed = running.claimed
    retry_in, is_engines_retry = None, False
    if isinstance(outcome, Failed):
        failures = 1 if outcome.made_progress else claimed.failures + 1
        retry_in = _retry_in(execution.definition, failures) if outcome.may_retry else None
        if retry_in is None and outcome.may_retry and running.is_retried(outcome.error):
            retry_in, is_engines_retry = 0.0, True
        execution.has_failed(outcome, retry_in)
    gap, notes = running.attention.longest_gap, running.notes_left()
    return RunResult(claimed, outcome, gap, retry_in, notes, is_engines_retry)


def _retry_in(definition: Definition, failures: int) -> float | None:
    try:
        return definition.options.retry_after(failures)
    except BaseException:  # noqa: BLE001 - SystemExit, too: the worker has other jobs to run
        message = "retry_wait of job %s failed, so it waits as by default"
        try_to_log(logging.ERROR, message, definition.name, exc_info=True)
        return exponential_backoff(failures)


def unknown(name: str) -> str:
    """What to do about a job whose code is not here."""
    return (
        f"No job is registered as {name!r} here: deploy the release that has it, import its "
        f"module in the app's, or register the new function under the old name="
    )


def _without_code(claimed: Claim) -> Suspended:
    summary = unknown(claimed.name)
    try_to_log(logging.ERROR, "Job %s stays on the queue: %s", claimed.id, summary)
    return Suspended(
        reason=UNKNOWN_JOB,
        description="not started",
        progress=claimed.progress,
        wait=UNKNOWN_JOB_WAIT,
        queue=None,
        priority=None,
        is_counted=False,
        error=ErrorReport(summary=summary, traceback=""),
    )


def _unreadable(claimed: Claim, error: DeserializationError) -> Failed:
    return Failed(
        error=error,
        report=ErrorReport(summary=f"{type(error).__name__}: {error}", traceback=""),
        progress=claimed.progress,
        made_progress=False,
        may_retry=False,
    )
