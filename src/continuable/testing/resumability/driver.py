"""Runs executions one after the other, those of `async def` jobs in one event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from continuable.core.execution import Execution
from continuable.core.outcome import Outcome

T = TypeVar("T")


class Driver:
    """Runs one execution after the other. Its event loop lasts as long as the `with` block."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._runner.close()

    def run(self, execution: Execution) -> Outcome:
        """The outcome of `execution`; raises what is none."""
        __tracebackhide__ = True
        if execution.definition.is_async:
            return self.wait_for(_alone(execution))
        return execution.run()

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` to its end, in a context of its own."""
        __tracebackhide__ = True
        return self._runner.run(coroutine, context=contextvars.copy_context())


async def _alone(execution: Execution) -> Outcome:
    """Run `execution`, and leave no task of it behind, as `asyncio.run` does."""
    __tracebackhide__ = True
    try:
        return await execution.arun()
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)
