"""What a team has that runs Procrastinate, and what its workers import."""

import os

from procrastinate import App as Procrastinate
from procrastinate import BaseRetryStrategy, PsycopgConnector, RetryDecision

from continuable import App
from continuable.conformance.jobs import LEASE, declare
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.procrastinate import ProcrastinateQueue

place = os.environ["CONTINUABLE_TEST_PROCRASTINATE"]
procrastinate_app = Procrastinate(connector=PsycopgConnector(conninfo=place))
app = App(
    queue=ProcrastinateQueue(procrastinate_app),
    progress=SQLAlchemyProgress(place.replace("://", "+psycopg://"), lease=LEASE),
)
declare(app, globals())


class RetriesSome(BaseRetryStrategy):
    """Once, at once, and only the jobs that are deferred with this lock."""

    def get_retry_decision(self, *, exception, job):
        return RetryDecision() if job.lock == "retried" and job.attempts == 0 else None


app.queue.task(app.jobs[f"{__name__}.fail"]).retry_strategy = RetriesSome()
