"""The end of a row that has carried one of our jobs, for as long as its worker has it.

Procrastinate writes it by the number alone, over what another worker has made of the row meanwhile.
"""

from __future__ import annotations

import procrastinate
from procrastinate import jobs

from continuable.queues.procrastinate.messages import RESERVED

FINISH = """
    WITH held AS (
        SELECT id FROM procrastinate_jobs
        WHERE id = %(id)s AND status = 'doing'
        AND (worker_id = %(worker)s OR worker_id IS NULL) FOR UPDATE
    )
    SELECT procrastinate_finish_job_v1(held.id, %(status)s, %(delete_job)s) FROM held
"""


def guard_finishing(app: procrastinate.App) -> None:
    """Have the workers of `app` finish a row of ours only if it is theirs."""
    manager = app.job_manager
    finish = manager.finish_job

    async def finish_job(job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:  # noqa: FBT001 - Procrastinate's
        is_psycopg = isinstance(manager.connector, procrastinate.PsycopgConnector)
        if RESERVED not in job.task_kwargs or not is_psycopg:
            await finish(job=job, status=status, delete_job=delete_job)
            return
        await manager.connector.execute_query_async(
            FINISH, id=job.id, worker=job.worker_id, status=status.value, delete_job=delete_job
        )

    manager.finish_job = finish_job  # type: ignore[method-assign]
