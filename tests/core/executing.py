"""One execution of a job, where its outcome is what a test looks at."""

import asyncio
import json
from dataclasses import replace

from continuable.core.attention import Attention
from continuable.core.execution import Execution
from continuable.core.outcome import Outcome
from continuable.model.payload import JobRecord


def new_record(job, *args, progress=None, **kwargs) -> JobRecord:
    return JobRecord(
        id="1",
        name=job.name,
        arguments=job.plain_arguments(args, kwargs),
        queue=job.options.queue,
        executions=1,
        progress=progress or {},
    )


def execution_of(job, record=None, **options) -> Execution:
    return Execution(job, record or new_record(job), **options)


def execute(job, record=None, **options) -> Outcome:
    """The outcome of one execution of `job`, from where `record` says it is."""
    execution = execution_of(job, record, **options)
    return asyncio.run(execution.arun()) if job.is_async else execution.run()


def execute_with(job, progress, **options) -> Outcome:
    return execute(job, new_record(job, progress=progress), **options)


def progress_of(outcome) -> dict:
    return json.loads(outcome.progress)


def resumed(record, outcome) -> JobRecord:
    """The record that the next execution gets."""
    return replace(
        record,
        executions=record.executions + 1,
        resumptions=record.resumptions + outcome.is_counted,
        progress=progress_of(outcome),
    )


def asking(question) -> Attention:
    """Somebody who is asked at every checkpoint: a reason, or True, interrupts."""
    attention = Attention()
    attention.ask_at_every_checkpoint(question)
    return attention


def interrupting_at(number) -> Attention:
    """Interrupts at one checkpoint of an execution: the first is number 1."""
    left = [number]

    def question():
        left[0] -= 1
        return left[0] == 0

    return asking(question)


class Saves:
    """A saver that keeps what it is given, as a store would."""

    def __init__(self) -> None:
        self.documents = []
        self.borders = []
        self.notes = []

    def save(self, document, *, is_border):
        self.documents.append(json.loads(document))
        self.borders.append(is_border)

    async def asave(self, document):
        self.save(document, is_border=True)

    def commit(self, document, connection):
        raise NotImplementedError

    def is_in_transaction(self):
        return False

    def is_committed(self):
        return False

    def note(self, event, data):
        self.notes.append((event, data))
