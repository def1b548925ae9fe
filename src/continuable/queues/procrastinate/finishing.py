"""The end of a row that has carried one of our jobs, for as long as its worker has it.

Procrastinate writes it by the number alone, over whatever another worker has made of the row; and
its own connections are asked whether they live, and begin and commit around the statement.
"""

from __future__ import annotations

from collections.abc import Container

import procrastinate
import sqlalchemy as sa
from procrastinate import jobs

from continuable.progress.sql.shortcut import DRIVER, Shortcut
from continuable.queues.consumer import undisturbed
from continuable.queues.procrastinate.rows import HELD

FINISH = f"""
    WITH held AS (SELECT id FROM procrastinate_jobs WHERE {HELD} FOR UPDATE)
    SELECT procrastinate_finish_job_v1(held.id, :status, :delete_job) FROM held
"""  # noqa: S608 - nothing of a user's


class Finishing:
    """Finishes the rows of the tasks called `names`, for the workers of `app`.

    Where that fails for whatever reason, it is left to Procrastinate, and so is what it raises.
    """

    def __init__(self, app: procrastinate.App, engine: sa.Engine, names: Container[str]) -> None:
        self._shortcut = Shortcut(engine)
        self._error: type[Exception] = engine.dialect.loaded_dbapi.Error
        finish = app.job_manager.finish_job

        async def finish_job(job: jobs.Job, status: jobs.Status, delete_job: bool) -> None:  # noqa: FBT001 - Procrastinate's
            is_ours = job.task_name in names
            if not (is_ours and await self._is_finished(job, status, delete_job=delete_job)):
                await finish(job=job, status=status, delete_job=delete_job)

        if engine.driver == DRIVER and isinstance(app.connector, procrastinate.PsycopgConnector):
            app.job_manager.finish_job = finish_job  # type: ignore[method-assign]

    def close(self) -> None:
        """Close the connections that are kept for that."""
        self._shortcut.close()

    async def _is_finished(self, job: jobs.Job, status: jobs.Status, *, delete_job: bool) -> bool:
        values = {
            "id": job.id,
            "worker": job.worker_id,
            "status": status.value,
            "delete_job": delete_job,
        }
        try:
            if await self._shortcut.arun(FINISH, values) is None:
                await undisturbed(lambda: self._shortcut.run(FINISH, values))
        except (self._error, sa.exc.SQLAlchemyError):
            return False
        return True
