"""Import a file on Celery: a deploy in the middle costs nothing, nor does a worker that is killed.

    continuable enqueue examples/celery_import.py process_import orders.csv
    celery --workdir examples -A celery_import:celery_app worker -Q imports

`orders.csv` has a header `order,amount`; its rows go to the hash `orders` of the Redis at
`REDIS_URL`, which is Celery's too. Send the worker SIGTERM or SIGKILL in the middle and start
another one: it goes on at the last row that was saved. Watch it from another terminal:

    continuable watch examples/celery_import.py
"""

import os

from celery import Celery
from redis import Redis

from continuable import App, Job, Step
from continuable.queues.celery import CeleryQueue
from continuable.sources import csv_rows

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379")

celery_app = Celery("shop", broker=REDIS_URL, backend=REDIS_URL)
app = App(queue=CeleryQueue(celery_app))
shop = Redis.from_url(REDIS_URL)


@app.job(queue="imports", max_resumptions=50)
def process_import(job: Job, path: str) -> int:
    rows = csv_rows(path)

    @job.step
    def validate() -> None:
        first, _ = next(rows.items(None))
        if first.keys() != {"order", "amount"}:
            raise ValueError(f"{path} has the columns {', '.join(first)}")

    @job.step
    def process_records(step: Step[int | None]) -> None:
        for row in step.iterate(rows):
            # The same row again changes nothing, so it does no harm if a kill has it done twice.
            shop.hset("orders", row["order"], row["amount"])

    return job.step(lambda: int(shop.hlen("orders")), name="finalize")
