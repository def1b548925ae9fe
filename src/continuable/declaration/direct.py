"""A job called like a function: here and now, without a queue, to the end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from continuable.core.attention import Attention
from continuable.core.execution import Execution
from continuable.core.interrupt import MAX_RUNTIME, Superseded
from continuable.core.outcome import Cancelled, Completed, Failed, Outcome, Suspended
from continuable.errors import JobCancelledError
from continuable.model.payload import JobRecord

if TYPE_CHECKING:
    from continuable.core.definition import Definition


def call(definition: Definition, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """What the job returns, to be awaited for an `async def` job.

    Interruptions resume at once, exceptions propagate.
    """
    arguments = definition.plain_arguments(args, kwargs)
    return (_acall if definition.is_async else _call)(definition, arguments)


def _call(definition: Definition, arguments: str) -> Any:
    record: JobRecord | None = _first(definition, arguments)
    while record is not None:
        execution = _execution(definition, record)
        outcome = execution.run()
        record = _next(execution, outcome)
    return _value(outcome)


async def _acall(definition: Definition, arguments: str) -> Any:
    record: JobRecord | None = _first(definition, arguments)
    while record is not None:
        execution = _execution(definition, record)
        outcome = await execution.arun()
        record = _next(execution, outcome)
    return _value(outcome)


def attention_with_deadline(max_runtime: float | None) -> Attention:
    """The attention of a job that nobody watches: it looks at the clock itself."""
    attention = Attention()
    if max_runtime is not None:
        deadline = time.monotonic() + max_runtime
        attention.ask_at_every_checkpoint(
            lambda: MAX_RUNTIME if time.monotonic() >= deadline else None
        )
    return attention


def _first(definition: Definition, arguments: str) -> JobRecord:
    options = definition.options
    return JobRecord(
        id=os.urandom(10).hex(),
        name=definition.name,
        arguments=arguments,
        queue=options.queue,
        priority=options.priority,
        executions=1,
    )


def _execution(definition: Definition, record: JobRecord) -> Execution:
    attention = attention_with_deadline(definition.options.max_runtime)
    return Execution(definition, record, attention=attention, resumes_errors=False)


def _next(execution: Execution, outcome: Outcome) -> JobRecord | None:
    record = execution.record
    if not isinstance(outcome, Suspended):
        if isinstance(outcome, Failed):
            execution.has_failed(outcome)
            raise outcome.error
        return None
    return replace(
        record,
        executions=record.executions + 1,
        resumptions=record.resumptions + outcome.is_counted,
        progress=json.loads(outcome.progress),
    )


def _value(outcome: Outcome) -> Any:
    if isinstance(outcome, Completed):
        return outcome.value
    if isinstance(outcome, Cancelled):
        raise JobCancelledError("called directly", outcome.reason)
    raise Superseded
