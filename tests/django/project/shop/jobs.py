"""Its jobs."""

import asyncio
import os
import time

import celery
from django.db import connection, transaction

from continuable import App
from continuable.progress.django import DjangoProgress
from continuable.progress.redis import RedisProgress
from continuable.queues.celery import CeleryQueue
from shop.models import Order

celery_app = celery.Celery("shop", broker="memory://", backend="cache+memory://")
celery_app.conf.task_always_eager = True
on_redis = RedisProgress("redis://localhost") if "SHOP_PROGRESS" in os.environ else None
alias = "jobs" if "SHOP_JOBS" in os.environ else "default"
app = App(queue=CeleryQueue(celery_app), progress=on_redis or DjangoProgress(alias))


@app.job
def import_plainly(job, rows):
    """Each row commits by itself."""

    @job.step(start=0)
    def process(step):
        for row in range(step.cursor, rows):
            Order.objects.create(number=row)
            step.set(row + 1)

    return Order.objects.count()


@app.job
def import_in_transactions(job, rows):
    """Each row with its cursor, in a transaction of the step's."""

    @job.step(start=0)
    def process(step):
        for row in range(step.cursor, rows):
            with step.transaction(connection) as tx:
                Order.objects.create(number=row)
                tx.save(row + 1)

    return Order.objects.count()


@app.job
def import_with_commits(job, rows):
    """Each row with its cursor, in a transaction of the job's own."""

    @job.step(start=0)
    def process(step):
        for row in range(step.cursor, rows):
            with transaction.atomic():
                Order.objects.create(number=row)
                step.commit(row + 1, connection)

    return Order.objects.count()


@app.job(save_every=0.02)
def import_slowly(job, rows):
    """Goes on for longer than it is between two saves."""

    @job.step(start=0)
    def process(step):
        for row in range(step.cursor, rows):
            Order.objects.create(number=row)
            step.set(row + 1)
            time.sleep(0.1)

    return Order.objects.count()


@app.job
async def aimport(job, rows):
    """On an event loop."""

    @job.step(start=0)
    async def process(step):
        for row in range(step.cursor, rows):
            await asyncio.sleep(0)
            step.set(row + 1)
        return rows

    return await process


@app.job
def fail_in_a_transaction(job, rows):
    """Its last row is rolled back with its cursor."""

    @job.step(start=0)
    def process(step):
        step.total = rows
        for row in range(step.cursor, rows):
            with step.transaction(connection) as tx:
                Order.objects.create(number=row)
                tx.save(row + 1)
                if row == rows - 1:
                    raise ValueError("<script>no luck")


@app.job
def checkpoint_in_a_transaction(job):
    """Which would undo what the cursor has counted."""

    @job.step(start=0)
    def process(step):
        with transaction.atomic():
            Order.objects.create(number=1)
            step.set(1)
