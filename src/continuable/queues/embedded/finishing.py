"""The end of an execution is written, however long it takes."""

from __future__ import annotations

from continuable.queues.embedded.table import JobTable
from continuable.worker.retrying import patiently
from continuable.worker.runner import Ran


def finish(table: JobTable, ran: Ran) -> None:
    """Write how the job ended. It is this worker's until then, so that nothing is lost."""
    patiently(lambda timeout: table.end(ran, timeout=timeout), ran.claimed.id, error=ran.error)
