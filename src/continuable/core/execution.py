"""One execution of one job: from its record to its outcome."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from continuable.core.attention import Attention
from continuable.core.checkpoints import Checkpoints
from continuable.core.continuation import Continuation
from continuable.core.interrupt import (
    CANCELLED,
    ERROR,
    PLANNED,
    WITHOUT_WAIT,
    Interrupt,
    Superseded,
    interrupt_in,
    without_interrupts,
)
from continuable.core.job import Job
from continuable.core.outcome import (
    Cancelled,
    Completed,
    Failed,
    Fenced,
    Outcome,
    Suspended,
    storable,
)
from continuable.core.recorder import Recorder, Unrecorded
from continuable.core.report import members_of, report_of
from continuable.errors import (
    ContinuationError,
    DeserializationError,
    ResumeLimitError,
    SerializationError,
)
from continuable.events.emission import Emission
from continuable.model.payload import JobRecord
from continuable.serialization import compact

if TYPE_CHECKING:
    from continuable.core.definition import Definition

LARGEST_RESULT = 1024 * 1024
"""Bytes of a job's result, serialised: every store takes as many, and so does every server."""


class Execution:
    """Runs a job from where its record says it is. To be used once, by one thread.

    `attention` is how others reach the job while it runs, `recorder` keeps its progress meanwhile,
    `passes` are exceptions that mean something to the queue and go through untouched.
    """

    def __init__(
        self,
        definition: Definition,
        record: JobRecord,
        *,
        attention: Attention | None = None,
        recorder: Recorder | None = None,
        passes: tuple[type[BaseException], ...] = (),
        resumes_errors: bool = True,
    ) -> None:
        self.definition = definition
        self.record = record
        self.attention = attention or Attention()
        self._recorder = recorder or Unrecorded()
        self._passes = passes
        self._resumes_errors = resumes_errors
        self._codec = definition.codec
        self._emission = Emission(definition.events, record)
        self._checkpoints: Checkpoints
        self._continuation: Continuation | None = None
        self._started = time.monotonic()

    def run(self) -> Outcome:
        """Call the job function, once. Raises only what is no outcome of the job's."""
        __tracebackhide__ = True  # in pytest's view of a job's exception
        try:
            job, args, kwargs = self._begin()
            value = self.definition.function(job, *args, **kwargs)
            return self._returned(job, value)
        except BaseException as error:  # noqa: BLE001 - told apart there
            leaving, progress = self._leaving(error)
            if leaving is None:
                return self._raised(error)
            if progress is not None:
                self._recorder.save(progress, is_border=True)
            raise leaving  # noqa: B904 - the error itself

    async def arun(self) -> Outcome:
        """The same for an `async def` job."""
        __tracebackhide__ = True
        try:
            job, args, kwargs = self._begin()
            value = await self.definition.function(job, *args, **kwargs)
            return self._returned(job, value)
        except BaseException as error:  # noqa: BLE001 - told apart there
            leaving, progress = self._leaving(error)
            if leaving is None:
                return self._raised(error)
            if progress is not None:
                if isinstance(error, GeneratorExit):  # closed: there is no loop to wait on
                    self._recorder.save(progress, is_border=True)
                else:
                    await self._recorder.asave(progress)
            raise leaving  # noqa: B904 - the error itself

    def escaped(self, error: BaseException) -> Outcome:
        """Turn an exception that escaped `run` into an outcome: never raises."""
        try:
            return self._failed(error)
        except BaseException:  # noqa: BLE001 - of a user's type, when it is asked for once more
            return Failed(
                error=error,
                report=report_of(error),
                progress=self._progress()[0],
                made_progress=False,
                may_retry=True,
            )

    def left(self, reason: str) -> Outcome:
        """Suspend the job, whose function will never return: what ran it is gone."""
        return self._interrupted(Interrupt(reason))

    def has_failed(self, outcome: Failed, retry_in: float | None = None) -> None:
        """Tell that the job has failed, or that its queue runs it again in `retry_in` seconds."""
        error, exception = outcome.report.summary, outcome.error
        if retry_in is None:
            self._emission.emit(
                "job.failed", error=error, description=self.description, exception=exception
            )
        else:
            self._emission.emit("job.retried", error=error, wait=retry_in, exception=exception)

    @property
    def description(self) -> str:
        """Where the job is, in words."""
        return self._continuation.description if self._continuation else "not started"

    @property
    def step(self) -> str | None:
        """The name of the step that is running."""
        running = self._continuation and self._continuation.running
        return running.name if running else None

    def _begin(self) -> tuple[Job, list[Any], dict[str, Any]]:
        record, definition = self.record, self.definition
        args, kwargs = self._arguments()
        checkpoints = self._checkpoints = Checkpoints(self.attention, self._recorder)
        continuation = Continuation(
            record.progress, self._codec, removed_steps=definition.options.removed_steps
        )
        self._continuation = checkpoints.continuation = continuation
        if continuation.completed or continuation.resume_from is not None:
            self._emission.emit(
                "job.resumed",
                execution=record.executions,
                resumptions=record.resumptions,
                description=continuation.description,
            )
        else:
            self._emission.emit("job.started", execution=record.executions)
        runs_async = definition.is_async
        job = Job(record, continuation, checkpoints, self._emission, runs_async=runs_async)
        return job, args, kwargs

    def _arguments(self) -> tuple[list[Any], dict[str, Any]]:
        what = f"The arguments of job {self.record.name!r}"
        match self._codec.loads(self.record.arguments, what):
            case [list() as args, dict() as kwargs]:
                return args, kwargs
        raise DeserializationError(
            f"{what} cannot be read, they are no [args, kwargs]: {self.record.arguments!r:.200}"
        )

    def _returned(self, job: Job, value: Any) -> Outcome:
        continuation = job._check_end()
        result = self._codec.dumps(value, f"What job {self.record.name!r} returned")
        if (size := len(result.encode())) > LARGEST_RESULT:
            raise SerializationError(
                f"Job {self.record.name!r} returned {size:,} bytes, and {LARGEST_RESULT:,} is the "
                f"most that is kept. Write large results to a file or store of your own, and "
                f"return its key"
            )
        progress = continuation.to_json() if continuation.made_progress else None
        self._emission.emit("job.completed", duration=time.monotonic() - self._started)
        return Completed(result=result, progress=progress, value=value)

    def _leaving(self, error: BaseException) -> tuple[BaseException | None, str | None]:
        """An exception that is no outcome of the job's, and the progress to save before it."""
        kind = type(error)  # compared, since an exception may have a `__class__` that raises
        if issubclass(kind, self._passes):  # a word of the queue's own, or the process' end
            return error, self._progress()[0] if issubclass(kind, Exception) else None
        rest = without_interrupts(error)
        if rest is None or issubclass(type(rest), Exception | SystemExit):
            return None, None
        return rest, self._progress()[0]  # KeyboardInterrupt, CancelledError: not ours to decide

    def _raised(self, error: BaseException) -> Outcome:
        rest = without_interrupts(error)
        if rest is None:
            return self._interrupted(interrupt_in(error))
        return Fenced() if self.attention.is_superseded else self._failed(rest)

    def _interrupted(self, interrupt: Interrupt) -> Outcome:
        if isinstance(interrupt, Superseded) or self.attention.is_superseded:
            return Fenced()
        progress, broken = self._progress()
        if broken is not None:
            return self._failed(broken)
        if interrupt.reason == CANCELLED:
            self._emission.emit(
                "job.cancelled", reason=interrupt.detail, description=self.description
            )
            return Cancelled(reason=storable(interrupt.detail), progress=progress)
        return self._suspended(storable(interrupt.reason), progress)

    def _failed(self, error: BaseException) -> Outcome:
        progress, broken = self._progress()
        if broken is not None and not _is_mistake(error):
            # A resume would go on without what could not be kept.
            broken.__cause__ = error
            error = broken
        is_mistake = _is_mistake(error)
        made_progress = broken is None and self._made_progress
        report = report_of(error)
        if (
            made_progress
            and not is_mistake
            and self._resumes_errors
            and self.definition.options.resume_errors_after_advancing
        ):
            return self._suspended(ERROR, progress, error)
        return Failed(
            error=error,
            report=report,
            progress=progress,
            made_progress=made_progress,
            may_retry=not is_mistake,
        )

    def _suspended(self, reason: str, progress: str, error: BaseException | None = None) -> Outcome:
        options = self.definition.options
        is_counted = reason not in PLANNED
        limit = options.max_resumptions
        if is_counted and limit is not None and self.record.resumptions >= limit:
            return self._limit_reached(limit, progress, error)
        report = report_of(error) if error is not None else None
        self._emission.emit(
            "job.interrupted",
            reason=reason,
            description=self.description,
            error=report.summary if report else None,
            exception=error,
        )
        resume = options.resume_options
        return Suspended(
            reason=reason,
            description=self.description,
            progress=progress,
            wait=0.0 if reason in WITHOUT_WAIT else resume.get("wait", 0.0),
            queue=resume.get("queue"),
            priority=resume.get("priority"),
            is_counted=is_counted,
            error=report,
            exception=error,
        )

    def _limit_reached(self, limit: int, progress: str, cause: BaseException | None) -> Failed:
        error = ResumeLimitError(limit)
        error.__cause__ = cause
        return Failed(
            error=error,
            report=report_of(error),
            progress=progress,
            made_progress=True,
            may_retry=False,
        )

    @property
    def _made_progress(self) -> bool:
        return self._continuation is not None and self._continuation.made_progress

    def _progress(self) -> tuple[str, SerializationError | None]:
        """The progress to keep; with the error, if what there is now cannot be kept.

        Never raises, although it calls the user's serializers.
        """
        continuation = self._continuation
        if continuation is None:  # it could not even be read
            return compact(self.record.progress), None
        try:
            self._checkpoints.adopt()
            self._checkpoints.confirm_commit()
            return continuation.to_json(), None
        except SerializationError as error:
            return continuation.last_that_could_be_kept(), error
        except BaseException as error:  # noqa: BLE001 - of a serializer, or of a connection
            broken = SerializationError(f"Progress cannot be kept: {report_of(error).summary}")
            broken.__cause__ = error
            return continuation.last_that_could_be_kept(), broken


def _is_mistake(error: BaseException) -> bool:
    return issubclass(type(error), ContinuationError) or any(map(_is_mistake, members_of(error)))
