"""The end of an execution is written, however long it takes."""

from __future__ import annotations

from continuable.queues.embedded.table import JobTable
from continuable.worker.retrying import until_written
from continuable.worker.runner import RunResult


def finish(table: JobTable, ran: RunResult) -> None:
    """Write how the job ended. It is this worker's until then, so that nothing is lost."""
    until_written(lambda timeout: table.end(ran, timeout=timeout), ran.claimed.id, error=ran.error)
