"""What a resume costs for each step that it skips."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.table import Figure
from continuable import App, Job
from continuable.core.execution import Execution
from continuable.model.payload import JobRecord

STEPS = 1000
ROUNDS = 30


def figures() -> Iterator[Figure]:
    taken: list[float] = []
    names = [f"step {number}" for number in range(STEPS)]

    def work() -> None:
        raise AssertionError("completed steps are skipped")

    @App().job
    def many(job: Job) -> None:
        started = time.perf_counter()
        for name in names:
            job.step(work, name=name)
        taken.append(time.perf_counter() - started)

    for _ in range(ROUNDS):
        record = JobRecord(id="many", name=many.name, progress={"completed": list(names)})
        Execution(many, record).run()
    yield Figure("skipping a completed step", min(taken) / STEPS * 1e6, "us", "<= 2.0")
