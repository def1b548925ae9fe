"""What a worker of the tests imports: RQ, with rows and progress in PostgreSQL."""

import os

import sqlalchemy as sa
from redis import Redis

from continuable import App
from continuable.conformance.jobs import LEASE
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.rq import RQQueue
from tests.queues.copied import copy_rows

engine = sa.create_engine(os.environ["CONTINUABLE_TEST_POSTGRESQL"])
connection = Redis.from_url(os.environ["CONTINUABLE_TEST_RQ"])
app = App(queue=RQQueue(connection), progress=SQLAlchemyProgress(engine, lease=LEASE))


@app.job(resume_options={"wait": 0.0})
def commit_rows(job):
    """One transaction for each row and the cursor behind it."""
    copy_rows(engine, job)
