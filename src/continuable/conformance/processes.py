"""Many processes that want the same jobs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from continuable.model.payload import JobRecord
from continuable.progress import Claim, ProgressStore

DEADLINE = 120.0


def claim_in_processes(
    open_store: Callable[..., ProgressStore], records: Sequence[JobRecord], processes: int
) -> list[str]:
    """The ids of the jobs that were claimed, once for each claim, by all processes together."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(processes), context.Queue()
    arguments = (open_store, list(records), barrier, results)
    workers = [
        context.Process(target=_claim_all, args=(*arguments, number)) for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    claimed = [job_id for _ in workers for job_id in results.get(timeout=DEADLINE)]
    for worker in workers:
        worker.join(DEADLINE)
    results.close()
    return claimed


def _claim_all(
    open_store: Callable[..., ProgressStore],
    records: Sequence[JobRecord],
    barrier: Any,
    results: Any,
    number: int,
) -> None:
    claimed: list[str] = []
    try:
        store = open_store(lease=60.0)
        barrier.wait(DEADLINE)
        for record in records:
            answer = store.claim(record, f"worker-{number}")
            claimed += [record.id] if isinstance(answer, Claim) else []
    finally:
        results.put(claimed)
