"""One run of a job on a `TestQueue`, from its claim to its settled outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from continuable.core.attention import Attention
from continuable.core.execution import Execution
from continuable.core.interrupt import STOPPING
from continuable.core.outcome import Failed, Outcome
from continuable.declaration.direct import attention_with_deadline
from continuable.model.states import State
from continuable.testing.assumed import ASSUMED, AssumingExecution
from continuable.testing.recorder import StoreRecorder
from continuable.testing.store import QueueStore
from continuable.testing.views import RunningJob

if TYPE_CHECKING:
    from continuable.core.definition import Definition
    from continuable.progress.protocol import Claim

    Question = Callable[[RunningJob], str | bool | None]
    """Why a job is to be interrupted at this checkpoint, if it is."""


class Run:
    """One run of a claimed job. To be used once: `run` or `arun`."""

    def __init__(
        self,
        definition: Definition,
        store: QueueStore,
        claim: Claim,
        asks: Callable[[], Question | None],
    ) -> None:
        record = claim.record()
        kind = AssumingExecution if ASSUMED in record.progress else Execution
        self._definition = definition
        self._store = store
        self._claim = claim
        self._attention = attention_with_deadline(definition.options.max_runtime)
        self._execution = kind(
            definition,
            record,
            attention=self._attention,
            recorder=StoreRecorder(store, claim),
        )
        _ask_at_every_checkpoint(self._attention, self._execution, asks)
        store.attentions[claim.id, claim.fence] = self._attention

    def run(self) -> None:
        """Run the job, an `async def` one in an event loop of its own; raise if it has failed."""
        __tracebackhide__ = True
        execution = self._execution
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
        execution = self._execution
        try:
            outcome = await execution.arun() if self._definition.is_async else execution.run()
        except BaseException:
            self._abandon()
            raise
        self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        __tracebackhide__ = True
        state = self._settle(outcome)
        if isinstance(outcome, Failed) and state is State.FAILED:
            raise outcome.error

    def _abandon(self) -> None:
        """Ctrl-C and the like stop the job, which waits again where it was."""
        self._settle(self._execution.left(STOPPING), is_first=True)

    def _settle(self, outcome: Outcome, *, is_first: bool = False) -> State | None:
        """Write how the run ended; the answer is the job's state, if it was not taken away."""
        claim, retry_in = self._claim, None
        self._store.attentions.pop((claim.id, claim.fence), None)
        if isinstance(outcome, Failed):
            failures = 1 if outcome.made_progress else claim.failures + 1
            options = self._definition.options
            retry_in = options.retry_after(failures) if outcome.may_retry else None
            self._execution.has_failed(outcome, retry_in)
        settled = self._store.settle(
            claim, outcome, longest_gap=self._attention.longest_gap, retry_in=retry_in
        )
        if settled.record is not None:
            self._store.put_back(claim.id, first=is_first)
        return settled.state


def _ask_at_every_checkpoint(
    attention: Attention, execution: Execution, asks: Callable[[], Question | None]
) -> None:
    is_overdue = attention.poll
    view: RunningJob | None = None

    def poll() -> str | bool | None:
        nonlocal view
        if is_overdue and (reason := is_overdue()):
            return reason
        ask = asks()
        if ask is None:
            return None
        record, definition = execution.record, execution.definition
        view = view or RunningJob(execution, *arguments_of(record.arguments, definition))
        return ask(view)

    attention.ask_at_every_checkpoint(poll)


def arguments_of(text: str, job: Definition) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a job, as values."""
    args, kwargs = job.codec.loads(text, f"The arguments of job {job.name!r}")
    return tuple(args), kwargs


def refuse_running_loop() -> None:
    """Raise `RuntimeError` where an event loop is running, in which an async job would not."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "An event loop is running here: use `await queue.arun_enqueued()` or `await queue.adrain()`"
    )
