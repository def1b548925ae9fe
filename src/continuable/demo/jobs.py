"""The jobs of the demo, for its workers: one import, written in three ways."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from continuable import Job, Step
from continuable.demo.stages import Place, stage_of
from continuable.demo.upload import Upload, record
from continuable.sources import batches, csv_rows

place = Place.from_environment()
stage = stage_of(place.queue)(place)
app = stage.app
engine_app = stage.engine_app


@app.job(resume_options={"wait": 0.0})
def process_import(job: Job, path: Path) -> int:
    """Rows and cursor are committed together: no row is ever imported twice."""
    with closing(stage.table()) as table:
        upload = Upload(path, table)
        total = job.step(upload.validate)

        @job.step
        def process_records(step: Step[int | None]) -> None:
            step.total = total
            for rows, behind in batches(csv_rows(path), 100).items(step.cursor):
                records = [record(number, row) for number, row in enumerate(rows, step.done + 1)]
                with step.transaction(table.connection) as transaction:
                    table.insert(records)
                    transaction.save(behind, items=len(records))

        return job.step(upload.finalize)


@app.job(resume_options={"wait": 0.0}, save_every=1.0)
def process_import_without_commit(job: Job, path: Path) -> int:
    """The cursor is saved once a second, so that rows are imported again after a kill.

    Each row is written under a key that is the same each time.
    """
    with closing(stage.table()) as table:
        upload = Upload(path, table)
        job.step(upload.validate)

        @job.step
        def process_records(step: Step[int | None]) -> None:
            for row in step.iterate(csv_rows(path)):
                number = step.done + 1
                with table.transaction():
                    table.put(f"{job.id}/{step.name}/{number}", record(number, row))

        return job.step(upload.finalize)


@app.job(resume_options={"wait": 0.0})
def process_import_without_steps(_job: Job, path: Path) -> int:
    """The same without continuations: after any stop, it starts again at the first row."""
    with closing(stage.table()) as table:
        upload = Upload(path, table)
        upload.validate()
        done = 0
        for rows, _ in batches(csv_rows(path), 100).items(None):
            records = [record(number, row) for number, row in enumerate(rows, done + 1)]
            with table.transaction():
                table.insert(records)
            done += len(records)
        return upload.finalize()
