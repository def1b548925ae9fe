"""Send a letter to every customer, each exactly once as far as the customer can see.

    continuable enqueue examples/send_letters.py send_letters "Our new opening hours"
    continuable worker examples/send_letters.py

A letter cannot be taken back and is part of no transaction. If the worker is killed after a letter
has gone out and before its cursor was saved, the letter is sent again. So it carries a key that is
the same each time, and the post office refuses a key that it has seen: `post` stands in for an API
that takes an `Idempotency-Key`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from continuable import App, Job, Step

CUSTOMERS = "customers.db"  # a table customers (id INTEGER PRIMARY KEY, address TEXT)
OUTBOX = Path("outbox")

app = App()


@app.job(queue="letters")
def send_letters(job: Job, subject: str) -> int:
    @job.step(start=0)
    def send(step: Step[int]) -> int:
        for customer, address in customers(after=step.cursor):
            post(f"{job.id}-{step.name}-{customer}", f"{address}: {subject}")
            step.done += 1
            step.set(customer)  # a resume starts behind this customer
        return step.done

    return send


def customers(*, after: int) -> Iterator[tuple[int, str]]:
    """In the order of their ids, a hundred at a time: no query stays open while letters go out."""
    query = "SELECT id, address FROM customers WHERE id > ? ORDER BY id LIMIT 100"
    with closing(sqlite3.connect(CUSTOMERS)) as connection:
        while found := connection.execute(query, [after]).fetchall():
            yield from found
            after, _ = found[-1]


def post(key: str, letter: str) -> None:
    """Send `letter`, unless one with this `key` was sent before."""
    OUTBOX.mkdir(exist_ok=True)
    try:
        with open(OUTBOX / key, "x", encoding="utf-8") as file:
            file.write(letter)
    except FileExistsError:
        pass
