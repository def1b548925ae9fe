"""The imports: the same rows, kept in step with the cursor in three ways."""

import time

from tests.chaos.rows import Row

SAVE_EVERY = 0.2
PAUSE = 0.002
"""Seconds that a row takes at least: what is redone is counted in rows, and bounded in seconds."""
BATCH = 20

PROJECT = "tests.chaos.project"
"""The module in which workers of other engines find the job."""

PATIENT = {
    "save_every": SAVE_EVERY,
    # Not what this is about: a job may be struck as often as it happens to be.
    "max_deaths": 1_000_000,
    "max_retries": 1_000_000,
    "retry_wait": 0.1,
    "resume_options": {"wait": 0.0},
}


def add_imports(app, rows, journal):
    """Register the one job, `import`, that writes `rows` and tells the journal; the job."""

    def import_rows(job, way, count):
        @job.step(start=0)
        def process(step):
            run = journal.begin(job, step)
            with rows.connected() as connection:
                for first in range(step.cursor, count, BATCH):
                    numbers = range(first, min(first + BATCH, count))
                    WAYS[way](step, rows, connection, [Row(job.id, n, run) for n in numbers])

        return job.step(lambda: count, name="count")

    import_rows.__module__, import_rows.__qualname__ = PROJECT, import_rows.__name__

    @app.subscribe
    def saved(event):
        if event.name == "progress.saved" and event.cursor is not None:
            journal.tell("saved", job=event.job_id, cursor=event.cursor)

    return app.job(name="import", **PATIENT)(import_rows)


def in_a_transaction(step, rows, connection, batch):
    time.sleep(PAUSE * (len(batch) - 1))
    with step.transaction(connection) as transaction:
        rows.insert(connection, batch)
        time.sleep(PAUSE)  # a stop may come before the cursor,
        transaction.save(behind(batch), items=len(batch))


def with_commit(step, rows, connection, batch):
    time.sleep(PAUSE * (len(batch) - 1))
    with rows.begun(connection):
        rows.insert(connection, batch)
        step.commit(behind(batch), connection, items=len(batch))
        time.sleep(PAUSE)  # or between the cursor and the commit
    step.checkpoint()


def without_commit(step, rows, connection, batch):
    for row in batch:
        time.sleep(PAUSE)
        with rows.begun(connection):
            rows.insert(connection, [row._replace(at=time.time())])
        step.set(row.n + 1)


def behind(batch):
    return batch[-1].n + 1


WAYS = {"transaction": in_a_transaction, "commit": with_commit, "set": without_commit}
