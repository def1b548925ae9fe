"""A table that jobs copy rows into: each row and the cursor behind it are one transaction."""

import time

import sqlalchemy as sa

ROWS = 400


def create(engine):
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE copied (row integer)"))


def rows(engine):
    """What is there, in order."""
    with engine.begin() as connection:
        return list(connection.scalars(sa.text("SELECT row FROM copied ORDER BY row")))


def copy_row(engine, step, row):
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO copied VALUES (:row)"), {"row": row})
        step.commit(row + 1, connection)


def copy_rows(engine, job):
    """The step of a job that takes a few seconds."""

    @job.step(start=0)
    def copy(step):
        for row in range(step.cursor, ROWS):
            copy_row(engine, step, row)
            step.checkpoint()
            time.sleep(0.005)
