"""Jobs that Procrastinate finds by itself, before its app is ready."""

import asyncio
import time
from pathlib import Path

from django.db import connection

from shop.background import app
from shop.models import Order


@app.job
def import_orders(job, folder, rows):
    """Copy rows into a table, each with its cursor; wait at every third for the file `go`."""

    @job.step(start=0)
    def process(step):
        for row in range(step.cursor, rows):
            with step.transaction(connection) as tx:
                Order.objects.create(number=row)
                tx.save(row + 1)
            while row % 3 == 2 and not Path(folder, "go").exists():
                step.checkpoint()
                time.sleep(0.005)

    return job.executions


@app.job
async def aimport_orders(job, folder, rows):
    """The same on the event loop of the worker, where Django commits for itself."""

    @job.step(start=0)
    async def process(step):
        is_there = Path(folder, "go").exists
        for row in range(step.cursor, rows):
            await Order.objects.acreate(number=row)
            step.set(row + 1)
            while row % 3 == 2 and not is_there():
                step.checkpoint()
                await asyncio.sleep(0.005)

    await process
    return job.executions
