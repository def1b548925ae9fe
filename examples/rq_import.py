"""Import a file on RQ: a deploy in the middle costs nothing, nor does a worker that is killed.

    continuable enqueue examples/rq_import.py process_import orders.csv
    rq worker --path examples --with-scheduler imports

`orders.csv` has a header `order,amount`; its rows go to the hash `orders` of the Redis at
`REDIS_URL`, which is RQ's too. Send the worker SIGTERM or SIGKILL in the middle and start another
one: it goes on at the last row that was saved. Watch it from another terminal:

    continuable watch examples/rq_import.py
"""

import os

from redis import Redis

from continuable import App, Job, Step
from continuable.queues.rq import RQQueue
from continuable.sources import csv_rows

connection = Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379"))

app = App(queue=RQQueue(connection))


@app.job(queue="imports", max_resumptions=50, resume_options={"wait": 1.0})
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
            connection.hset("orders", row["order"], row["amount"])

    return job.step(lambda: int(connection.hlen("orders")), name="finalize")
