"""Celery on a Redis that is its broker, and nothing else."""

import os

import celery

from benchmarks.projects import tasks
from benchmarks.projects.jobs import declare, lease
from continuable import App
from continuable.progress.redis import RedisProgress
from continuable.queues.celery import CeleryQueue

url = os.environ[tasks.SERVER]
celery_app = celery.Celery("benchmarks", broker=url)
celery_app.conf.task_default_priority = 9  # so that plain tasks and jobs take turns
store = {"progress": RedisProgress(url, **lease())} if lease() else {}
app = App(queue=CeleryQueue(celery_app), **store)
declare(app, globals())

plain_noop = celery_app.task(tasks.noop, name="plain_noop")
plain_rows = celery_app.task(tasks.rows, name="plain_rows")
calibrate = celery_app.task(tasks.calibrate, name="calibrate")
send_noop, send_rows, send_calibrate = plain_noop.delay, plain_rows.delay, calibrate.delay
