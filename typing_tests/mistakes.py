"""Mistakes that mypy and pyright tell users of; an ignore that ignores nothing is an error."""

from continuable import App, Job, Step

app = App()


@app.job
def process_import(job: Job, import_id: int) -> int:
    total: str = job.step(count)  # type: ignore[assignment]
    print(total)

    @job.step(start=0)
    def numbers(step: Step[int]) -> None:
        step.set("seven")  # type: ignore[arg-type]
        step.iterate(7)  # type: ignore[arg-type]

    job.step(name_of, start=0)  # type: ignore[arg-type]
    return import_id


def name_of(step: Step[str]) -> str:
    return step.cursor


def count() -> int:
    return 3


@app.job
async def crawl(job: Job, depth: int) -> None: ...


process_import.enqueue("42")  # type: ignore[arg-type]
process_import.enqueue()  # type: ignore[call-arg]
process_import.enqueue(42, dry=True)  # type: ignore[call-arg]
process_import.enqueue_many(7)  # type: ignore[arg-type]
process_import.using(queue="slow").enqueue("42")  # type: ignore[arg-type]
process_import.using(colour="red")  # type: ignore[call-arg]
process_import("42")  # type: ignore[arg-type]
name: str = process_import.enqueue(42).result()  # type: ignore[assignment]
crawl.enqueue("deep")  # type: ignore[arg-type]
