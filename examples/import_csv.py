"""Import a CSV file so that every row is in the database exactly once, whatever happens.

    continuable enqueue examples/import_csv.py process_import orders.csv
    continuable worker examples/import_csv.py

`orders.csv` has a header `order,amount`. Send the worker SIGTERM or SIGKILL in the middle and start
another one: it goes on behind the last batch that was committed. Or without a worker, in this
terminal:

    continuable run examples/import_csv.py process_import orders.csv
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from continuable import App, Job, Step
from continuable.sources import batches, csv_rows

# The orders and the jobs are in one file, so that one transaction can hold both.
DATABASE = "shop.db"

app = App(f"sqlite:///{DATABASE}")


@app.job(queue="imports", max_resumptions=50)
def process_import(job: Job, path: str) -> int:
    rows = csv_rows(path)

    @job.step
    def validate() -> None:
        first, _ = next(rows.items(None))
        if first.keys() != {"order", "amount"}:
            raise ValueError(f"{path} has the columns {', '.join(first)}")

    with shop() as connection:

        @job.step
        def process_records(step: Step[int | None]) -> None:
            for batch in step.iterate(batches(rows, 100)):
                with step.transaction(connection) as transaction:
                    connection.executemany("INSERT INTO orders VALUES (:order, :amount)", batch)
                    transaction.save(step.next_cursor)

        @job.step
        def finalize() -> int:
            count: int = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
            return count

    return finalize


@contextmanager
def shop() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(DATABASE, timeout=30)) as connection:
        connection.execute('CREATE TABLE IF NOT EXISTS orders ("order" TEXT, amount TEXT)')
        yield connection
