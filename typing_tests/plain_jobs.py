"""What users of plain jobs write, as mypy and pyright see it. Checked, never run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, assert_type

from continuable import App, Job, Step
from continuable.declaration.handle import Handle

app = App()


class Upload:
    def validate(self) -> None: ...

    def count(self) -> int:
        return 3

    def records(self, start: int) -> Iterator[int]:
        yield from range(start, 3)


upload = Upload()


@app.job
def plain(job: Job) -> str:
    return job.id


@app.job(queue="imports", max_resumptions=50, resume_options={"wait": 2.0, "queue": "imports"})
def process_import(job: Job, import_id: int, *, dry: bool = False) -> int:
    job.step(upload.validate)

    @job.step(start=0)
    def process_records(step: Step[int]) -> None:
        assert_type(step.cursor, int)
        assert_type(step.resumed, bool)
        assert_type(step.total, int | None)
        step.total = 3
        step.done += 1
        for record in upload.records(start=step.cursor):
            step.set(record)
            step.advance()
            step.advance(past=record)

    @job.step
    def summarise() -> list[str]:
        return ["done"]

    assert_type(summarise, list[str])

    @job.step(start="a", name="letters")
    def last_letter(step: Step[str]) -> str:
        return step.cursor

    assert_type(last_letter, str)

    total = job.step(upload.count, isolated=True)
    assert_type(total, int)
    assert_type(job.step(lambda: 1.5, name="half"), float)
    assert_type(job.step(dump, start=7, formerly="export"), bytes)
    assert_type(job.state, dict[str, Any])
    job.checkpoint()
    job.notify("imported", rows=total, dry=dry, of=import_id)
    return total


def dump(step: Step[int]) -> bytes:
    for letter in step.iterate(["a", "b"]):
        assert_type(letter, str)
    return b""


handle = process_import.enqueue(42)
assert_type(handle, Handle[int])
assert_type(handle.id, str)
assert_type(handle.result(timeout=60), int)
assert_type(process_import.enqueue(42, dry=True), Handle[int])
assert_type(process_import.enqueue(import_id=42), Handle[int])
assert_type(process_import.enqueue_many([(1,), (2,)]), list[Handle[int]])
assert_type(process_import(42), int)
assert_type(plain(), str)
assert_type(plain.enqueue().result(), str)

later = process_import.using(
    id="import-42", unique="upload:42", at=datetime.now(UTC), wait=5.0, queue="slow", priority=3
)
assert_type(later.enqueue(42), Handle[int])


async def from_async_code() -> None:
    assert_type(await process_import.aenqueue(42), Handle[int])
