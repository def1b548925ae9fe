"""One execution on a `TestQueue`, from the waiting job to its settled outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from continuable.core.execution import Execution
from continuable.core.outcome import Outcome
from continuable.declaration.direct import attention_with_deadline
from continuable.model.states import State
from continuable.testing.assumed import ASSUMED, AssumingExecution
from continuable.testing.entries import Entries, Entry
from continuable.testing.recorder import MemoryRecorder
from continuable.testing.settling import settle
from continuable.testing.views import RunningJob

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.model.payload import JobRecord

    Question = Callable[[RunningJob], str | bool | None]
    """Why a job is to be interrupted at this checkpoint, if it is."""


class Turn:
    """A job has its turn. To be used once: `run` or `arun`."""

    def __init__(
        self,
        definition: Definition,
        entries: Entries,
        entry: Entry,
        asks: Callable[[], Question | None],
    ) -> None:
        self._definition = definition
        self._entries = entries
        self._entry = entry
        self._asks = asks
        self._execution: Execution
        self._recorder: MemoryRecorder

    def run(self) -> None:
        """Run the job, an `async def` one in an event loop of its own; raise if it has failed."""
        __tracebackhide__ = True
        if self._definition.is_async:
            _refuse_running_loop()
        execution = self._begin()
        try:
            outcome = (
                asyncio.run(execution.arun()) if self._definition.is_async else execution.run()
            )
        except BaseException:
            self._abandon()
            raise
        self._end(outcome)

    async def arun(self) -> None:
        """The same in the event loop that is running."""
        __tracebackhide__ = True
        execution = self._begin()
        try:
            outcome = await execution.arun() if self._definition.is_async else execution.run()
        except BaseException:
            self._abandon()
            raise
        self._end(outcome)

    def _begin(self) -> Execution:
        entry = self._entry
        record = entry.record
        self._entries.start(record.id)
        record.executions += 1
        entry.keep(record)
        attention = attention_with_deadline(self._definition.options.max_runtime)
        entry.state, entry.attention, entry.wait = State.RUNNING, attention, 0.0
        entry.started_at = entry.started_at or datetime.now(UTC)
        self._recorder = MemoryRecorder(entry)
        kind = AssumingExecution if ASSUMED in record.progress else Execution
        execution = kind(self._definition, record, attention=attention, recorder=self._recorder)
        self._execution = execution
        is_overdue = attention.poll
        view: RunningJob | None = None

        def poll() -> str | bool | None:
            nonlocal view
            if is_overdue and (reason := is_overdue()):
                return reason
            ask = self._asks()
            if ask is None:
                return None
            view = view or RunningJob(execution, *arguments_of(record, self._definition))
            return ask(view)

        attention.ask_at_every_checkpoint(poll)
        return execution

    def _end(self, outcome: Outcome) -> None:
        __tracebackhide__ = True
        if self._recorder.is_fenced_out:
            return
        self._entry.attention = None
        error = settle(self._entries, self._entry, self._execution, outcome)
        if error is not None:
            raise error

    def _abandon(self) -> None:
        """Ctrl-C and the like: no outcome of the job's, which waits again where it was."""
        if not self._recorder.is_fenced_out:
            self._entry.attention = None
            self._entry.state = State.INTERRUPTED
            self._entries.put_back(self._execution.record.id, first=True)


def arguments_of(record: JobRecord, job: Definition) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a job, as values."""
    args, kwargs = job.codec.loads(record.arguments, f"The arguments of job {record.name!r}")
    return tuple(args), kwargs


def _refuse_running_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "An event loop is running here: use `await queue.arun_enqueued()` or `await queue.adrain()`"
    )
