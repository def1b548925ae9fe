"""Jobs whose code a worker does not have, as that of an older release in a rolling deploy.

Procrastinate fails the row of a task that it does not know. Such a row of ours is run by a task
that stands in for all of those, and leaves it to another worker.
"""

from __future__ import annotations

from collections.abc import Iterable

import procrastinate
from procrastinate import jobs

from continuable.queues.procrastinate.messages import RESERVED
from continuable.queues.procrastinate.task import ContinuableTask

UNKNOWN = "continuable:unknown"
"""The name of the task."""


def stand_in(app: procrastinate.App, task: ContinuableTask) -> None:
    """Have the workers of `app` run `task` where the one of a job of ours is not there."""
    if UNKNOWN in app.tasks:  # another queue's
        return
    app._register_task(task)  # noqa: SLF001 - `App.task` makes plain ones only
    manager = app.job_manager
    fetch = manager.fetch_job

    async def fetch_job(queues: Iterable[str] | None, worker_id: int) -> jobs.Job | None:
        job = await fetch(queues=queues, worker_id=worker_id)
        if job is None or RESERVED not in job.task_kwargs or job.task_name in app.tasks:
            return job
        return job.evolve(task_name=UNKNOWN)

    manager.fetch_job = fetch_job  # type: ignore[method-assign]
