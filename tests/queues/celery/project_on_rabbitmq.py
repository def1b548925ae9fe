"""What a worker of the tests imports: the same, with RabbitMQ as the broker."""

import os

import celery
from redis import Redis

from continuable import App
from continuable.conformance.jobs import LEASE, declare
from continuable.progress.redis import RedisProgress
from continuable.queues.celery import CeleryQueue
from tests.queues.celery.project import IS_OLDER, REDIS, TriesOnDemand

RABBITMQ = os.environ.get("CONTINUABLE_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
QUEUE = "continuable-tests"

celery_app = celery.Celery("project_on_rabbitmq", broker=RABBITMQ, backend=REDIS)
celery_app.conf.update(
    task_default_queue=QUEUE,
    task_queue_max_priority=9,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=5.0,
)
app = App(
    queue=CeleryQueue(
        celery_app,
        task_options={
            "*": {
                "base": TriesOnDemand,
                "autoretry_for": (ValueError,),
                "retry_kwargs": {"countdown": 0},
            }
        },
    ),
    progress=RedisProgress(Redis.from_url(REDIS), lease=LEASE),
)
if not IS_OLDER:
    declare(app, globals())
