"""Import a CSV file into the PostgreSQL that Procrastinate uses, each row exactly once.

`DATABASE_URL` says where that is, as in `postgresql://shop@localhost/shop`; and once:

    PYTHONPATH=examples procrastinate --app procrastinate_import.procrastinate_app schema --apply

Then

    continuable enqueue examples/procrastinate_import.py process_import orders.csv
    PYTHONPATH=examples procrastinate --app procrastinate_import.procrastinate_app worker

`orders.csv` has a header `order,amount`. Send the worker SIGTERM or SIGKILL in the middle and start
another one: it goes on behind the last batch that was committed.
"""

import os

import sqlalchemy as sa
from procrastinate import App as Procrastinate
from procrastinate import PsycopgConnector

from continuable import App, Job, Step
from continuable.queues.procrastinate import ProcrastinateQueue
from continuable.sources import batches, csv_rows

DATABASE_URL = os.environ["DATABASE_URL"]

procrastinate_app = Procrastinate(connector=PsycopgConnector(conninfo=DATABASE_URL))
app = App(queue=ProcrastinateQueue(procrastinate_app))

# Orders and progress are in one database, so that one transaction can hold both.
shop = sa.create_engine(sa.make_url(DATABASE_URL).set(drivername="postgresql+psycopg"))


@app.job(queue="imports", max_resumptions=50)
def process_import(job: Job, path: str) -> int:
    with shop.begin() as connection:
        connection.execute(sa.text('CREATE TABLE IF NOT EXISTS orders ("order" text, amount text)'))

    @job.step
    def process_records(step: Step[int | None]) -> None:
        insert = sa.text("INSERT INTO orders VALUES (:order, :amount)")
        with shop.connect() as connection:
            for batch in step.iterate(batches(csv_rows(path), 100)):
                with step.transaction(connection) as transaction:
                    connection.execute(insert, batch)
                    transaction.save(step.next_cursor)

    @job.step
    def finalize() -> int:
        with shop.connect() as connection:
            count: int = connection.execute(sa.text("SELECT count(*) FROM orders")).scalar_one()
            return count

    return finalize
