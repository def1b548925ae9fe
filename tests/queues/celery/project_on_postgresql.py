"""What a worker of the tests imports: Celery on Redis, with rows and progress in PostgreSQL."""

import os

import celery
import sqlalchemy as sa

from continuable import App
from continuable.conformance.jobs import LEASE
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.celery import CeleryQueue
from tests.queues.celery.project import REDIS
from tests.queues.copied import copy_rows

engine = sa.create_engine(os.environ["CONTINUABLE_TEST_POSTGRESQL"])
celery_app = celery.Celery("project_on_postgresql", broker=REDIS, backend=REDIS)
celery_app.conf.broker_connection_retry_on_startup = True
app = App(queue=CeleryQueue(celery_app), progress=SQLAlchemyProgress(engine, lease=LEASE))


@app.job(resume_options={"wait": 0.0})
def commit_rows(job):
    """One transaction for each row and the cursor behind it."""
    copy_rows(engine, job)
