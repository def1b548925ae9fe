"""`Job`: what a job function is handed to run its steps."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar, overload

from continuable.core.checkpoints import Checkpoints
from continuable.core.continuation import Continuation
from continuable.core.interrupt import CANCELLED, ISOLATING, without_interrupts
from continuable.core.step import Step
from continuable.errors import InvalidStepError
from continuable.events.emission import Emission
from continuable.model.callables import function_name, is_async, wants_step
from continuable.model.payload import JobRecord

C = TypeVar("C")
R = TypeVar("R")
T_co = TypeVar("T_co", covariant=True)


if TYPE_CHECKING:

    class StepDecorator(Protocol):
        """What `@job.step(...)` without a cursor is."""

        @overload
        def __call__(self, fn: Callable[[], Coroutine[Any, Any, R]], /) -> Awaitable[R]: ...
        @overload
        def __call__(self, fn: Callable[[], R], /) -> R: ...
        @overload
        def __call__(
            self, fn: Callable[[Step[Any]], Coroutine[Any, Any, R]], /
        ) -> Awaitable[R]: ...
        @overload
        def __call__(self, fn: Callable[[Step[Any]], R], /) -> R: ...

    class CursorStepDecorator(Protocol[C]):
        """What `@job.step(start=...)` is."""

        @overload
        def __call__(self, fn: Callable[[Step[C]], Coroutine[Any, Any, R]], /) -> Awaitable[R]: ...
        @overload
        def __call__(self, fn: Callable[[Step[C]], R], /) -> R: ...


class Job:
    """One execution of a job, which its function is handed first.

    A job is a series of **steps**. What is outside them runs at every start, a step that was
    completed is skipped, and its value is there all the same::

        @app.job
        def process_import(job: Job, path: str) -> int:
            upload = Upload(path)

            job.step(upload.validate)

            @job.step
            def process_records(step: Step[int | None]) -> None:
                for row in step.iterate(csv_rows(path)):
                    upload.save(row)

            return job.step(upload.finalize)

    **Steps** run where they are called, in the same order in every execution; one is not inside
    another. Their names stay: `formerly=` renames one, and the option `removed_steps` of the job
    names those that are gone. A step with `isolated=True` has an execution of its own.

    **The cursor** of a step says where a resume starts. `Step` has what moves it.

    **Checkpoints** are where a job may be interrupted: each move of a cursor, between two steps,
    and `job.checkpoint()`. There it asks whether its worker stops, or a pause or a cancel was
    asked for. `Interrupt` is raised then, a `BaseException`: leave it alone. The job is put back
    on its queue with its progress, and resumes under the same id, after `resume_options["wait"]`
    seconds where that is given.

    **Errors.** An exception after the job has moved on resumes it where it was, unless
    `resume_errors_after_advancing` is false. Without progress it is retried `max_retries` times,
    and then it has failed; `retry` goes on at its cursor.

    **Crashes.** Progress is saved every `save_every` seconds, and after each step. A worker that
    is killed loses what came after the last save, so that this is done again: write rows that may
    be written twice, or commit them together with the cursor (`Step.commit`, `Step.transaction`).
    A job whose workers die `max_deaths` times in a row without progress has failed.

    **Values** that must survive a resume go into `job.state`, or are returned by a step. Both, and
    cursors, are what JSON has, dates and times, enums, dataclasses and the like.

    An `async def` job awaits its steps: `await job.step(...)`.
    """

    def __init__(
        self,
        record: JobRecord,
        continuation: Continuation,
        checkpoints: Checkpoints,
        emission: Emission,
        *,
        runs_async: bool,
    ) -> None:
        self._record = record
        self._continuation = continuation
        self._checkpoints = checkpoints
        self._emission = emission
        self._runs_async = runs_async
        self._tells_skipped = emission.wants("step.skipped")
        self._has_run_a_step = False
        self._has_run_isolated = False
        self._pending: list[PendingStep[Any]] = []

    @property
    def id(self) -> str:
        """The id it was enqueued under, the same in every execution."""
        return self._record.id

    @property
    def name(self) -> str:
        """The name it is registered by."""
        return self._record.name

    @property
    def queue(self) -> str:
        """The queue it came from."""
        return self._record.queue or "default"

    @property
    def executions(self) -> int:
        """How often it was started, this time included."""
        return self._record.executions

    @property
    def resumptions(self) -> int:
        """How many of its executions ended in an interruption or error and were resumed."""
        return self._record.resumptions

    @property
    def state(self) -> dict[str, Any]:
        """Values of your own that are kept across resumes, with the cursor."""
        return self._continuation.state

    def checkpoint(self) -> None:
        """A checkpoint: leave here if the worker stops, or a pause or cancel was asked for."""
        self._checkpoints.reraise_interrupt()
        self._checkpoints.check()

    def interrupt(self, reason: str) -> NoReturn:
        """Leave the job here and resume it later, for a reason of your own."""
        self._checkpoints.interrupt(reason)

    def cancel(self, reason: str) -> NoReturn:
        """Give the job up on purpose: it ends `cancelled`, with its progress kept."""
        self._checkpoints.interrupt(CANCELLED, reason)

    def notify(self, name: str, **data: Any) -> None:
        """Tell subscribers, the log and the job's history something of your own.

        The history keeps the newest 200 entries, and of `data` 16,384 characters of JSON.
        """
        self._checkpoints.note(name, data)
        self._emission.emit("job.notified", notification=name, data=data)

    @overload
    def step(
        self,
        fn: Callable[[], Coroutine[Any, Any, R]],
        /,
        *,
        name: str | None = None,
        start: None = None,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> Awaitable[R]: ...
    @overload
    def step(
        self,
        fn: Callable[[], R],
        /,
        *,
        name: str | None = None,
        start: Any = None,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> R: ...
    @overload
    def step(
        self,
        fn: Callable[[Step[C]], Coroutine[Any, Any, R]],
        /,
        *,
        name: str | None = None,
        start: C = ...,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> Awaitable[R]: ...
    @overload
    def step(
        self,
        fn: Callable[[Step[C]], R],
        /,
        *,
        name: str | None = None,
        start: C = ...,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> R: ...
    @overload
    def step(
        self,
        /,
        *,
        name: str | None = None,
        start: None = None,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> StepDecorator: ...
    @overload
    def step(
        self,
        /,
        *,
        name: str | None = None,
        start: C,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> CursorStepDecorator[C]: ...
    def step(
        self,
        fn: Callable[..., Any] | None = None,
        /,
        *,
        name: str | None = None,
        start: Any = None,
        isolated: bool = False,
        keep: bool = True,
        formerly: str | None = None,
    ) -> Any:
        """Run `fn` as a step now, or skip it if an earlier execution has completed it.

        Without `fn`: a decorator that does the same, and binds the name to the returned value.
        `fn` is handed the `Step` if it has a required parameter.

        Args:
            fn: The function; an `async def` gives an awaitable, in an `async def` job.
            name: The step's name in the progress; the function's own if left out.
            start: The cursor to begin with.
            isolated: Run it in an execution of its own.
            keep: Keep the returned value, so that resumes get it without running the step.
            formerly: The name of the step in earlier releases, whose progress it takes over.

        Returns:
            What `fn` returned, in this execution or an earlier one.

        Raises:
            InvalidStepError: The step has no name, is nested, or comes out of order.
            SerializationError: The returned value, or the cursor, cannot be kept.
            TypeError: `fn` requires more than the step.
        """
        __tracebackhide__ = True  # in pytest's view of a job's exception
        if fn is None:
            return partial(
                self.step, name=name, start=start, isolated=isolated, keep=keep, formerly=formerly
            )
        if name is None:
            name = getattr(fn, "__name__", None)
            if name is None or name == "<lambda>":
                raise InvalidStepError(_wants_name(fn))
        if self._runs_async and is_async(fn):
            pending: PendingStep[Any] = PendingStep(self, fn, name, start, isolated, keep, formerly)
            self._pending.append(pending)
            return pending
        if self._continuation.skips(name) or self._continuation.encounter(name, formerly):
            return self._skipped(name)
        if not self._runs_async and is_async(fn):
            message = (
                f"Step {name!r} is an async function, but job {self.name!r} is a plain one: "
                f"make the job an `async def` and await the step"
            )
            raise InvalidStepError(message)
        takes_step = wants_step(fn)
        with self._running(name, start, isolated, keep) as running:
            running.returns(fn(running.step) if takes_step else fn())
        self._checkpoints.save_between_steps(running.progress)
        return running.value

    async def _astep(self, pending: PendingStep[Any]) -> Any:
        __tracebackhide__ = True
        self._pending = [other for other in self._pending if other is not pending]
        name, fn = pending.name, pending.fn
        if self._continuation.encounter(name, pending.formerly):
            return self._skipped(name)
        takes_step = wants_step(fn)
        with self._running(name, pending.start, pending.isolated, pending.keep) as running:
            running.returns(await (fn(running.step) if takes_step else fn()))
        await self._checkpoints.asave_between_steps(running.progress)
        return running.value

    def _skipped(self, name: str) -> Any:
        if self._tells_skipped:
            self._emission.emit("step.skipped", step=name)
        return self._continuation.value(name)

    @contextmanager
    def _running(self, name: str, start: Any, isolated: bool, keep: bool) -> Iterator[_Running]:  # noqa: FBT001 - as `step` has them
        """All that surrounds the call of a step's function."""
        continuation, checkpoints, emission = self._continuation, self._checkpoints, self._emission
        self._before_step(isolated=isolated)
        restored = continuation.restored(name) or {"cursor": start}
        step: Step[Any] = Step(checkpoints, continuation.codec, name, **restored)
        running = _Running(step, keep=keep)
        continuation.begin(step)
        attention = checkpoints.attention
        attention.step = step
        emission.emit("step.started", step=name, cursor=step.cursor, resumed=step.resumed)
        started = time.monotonic()
        try:
            yield running
            checkpoints.reraise_interrupt()
            checkpoints.forbid_open_transaction("The end of a step")
            running.progress = continuation.complete(name, running.value)
        except BaseException as error:
            if without_interrupts(error) is None:
                emission.emit("step.interrupted", step=name, cursor=step.cursor)
            raise
        finally:
            attention.step = None
            continuation.leave()
        emission.emit("step.completed", step=name, duration=time.monotonic() - started)

    def _before_step(self, *, isolated: bool) -> None:
        self._checkpoints.reraise_interrupt()
        if self._has_run_a_step:
            self._checkpoints.check()
            if isolated or self._has_run_isolated:
                self._checkpoints.interrupt(ISOLATING)
        self._has_run_a_step = True
        self._has_run_isolated = isolated

    def _check_end(self) -> Continuation:
        """The job function has returned: was that all right? Then this is how far it came."""
        self._checkpoints.reraise_interrupt()
        if self._pending:
            names = ", ".join(repr(pending.name) for pending in self._pending)
            message = (
                f"The job returned without awaiting step {names}: write `await job.step(...)`, "
                f"or await the name that @job.step has bound"
            )
            raise InvalidStepError(message)
        self._continuation.check_end()
        return self._continuation

    def __repr__(self) -> str:
        return f"<Job {self.name} {self.id} {self._continuation.description}>"


class PendingStep(Generic[T_co]):
    """A step of an `async def` job: it runs, or is skipped, when it is awaited."""

    def __init__(
        self,
        job: Job,
        fn: Callable[..., Any],
        name: str,
        start: Any,
        isolated: bool,  # noqa: FBT001
        keep: bool,  # noqa: FBT001
        formerly: str | None,
    ) -> None:
        self._job = job
        self.fn = fn
        self.name = name
        self.start = start
        self.isolated = isolated
        self.keep = keep
        self.formerly = formerly

    def __await__(self) -> Generator[Any, Any, T_co]:
        return self._job._astep(self).__await__()


class _Running:
    """A step whose function is being called, and what that returned."""

    def __init__(self, step: Step[Any], *, keep: bool) -> None:
        self.step = step
        self.value: Any = None
        self.progress = ""
        """That of the job, once the step is completed."""
        self._keeps = keep

    def returns(self, value: Any) -> None:
        """What the function has returned; forgotten at once where a resume would not have it."""
        if self._keeps:
            self.value = value


def _wants_name(fn: Callable[..., Any]) -> str:
    return (
        f"A step needs a name that stays the same in every run, and {function_name(fn)} "
        f"({type(fn).__name__}) has none: give it one with name="
    )
