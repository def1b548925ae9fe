"""An app on a fresh file, workers in this process, and workers in processes of their own."""

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from continuable import App
from continuable.queues.embedded.finishing import finish
from continuable.queues.embedded.worker import Worker, WorkerOptions
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.runner import Runner
from tests.queues.embedded.working.jobs import Marks, make_app, make_table
from tests.queues.embedded.working.process import WorkerProcess


@pytest.fixture
def app(path: Path) -> Iterator[App]:
    """The app whose jobs `work_elsewhere` runs."""
    app = make_app(path)
    yield app
    app.queue.close()


@pytest.fixture
def own(path: Path) -> Iterator[App]:
    """An app that the test gives its jobs."""
    app = App(f"sqlite:///{path}", defaults={"resume_options": {"wait": 0.0}})
    yield app
    app.queue.close()


@pytest.fixture
def work() -> Callable[..., int]:
    """Run a worker in this process until there is no work left; its exit code."""

    def work(app: App, **options: object) -> int:
        return Worker(app.queue, WorkerOptions(drain=True, **options)).run()

    return work


@pytest.fixture
def execute() -> Callable[[App, str], None]:
    """Run one execution of one job here, whatever its delay, and write its end."""

    def execute(app: App, job_id: str) -> None:
        table = app.queue.table
        claimed = table.claim_job("me", job_id)
        assert claimed is not None
        finish(table, Runner(app.jobs, table, Heartbeat(table, "me", 600.0)).run(claimed))

    return execute


@pytest.fixture
def work_elsewhere(path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Start a worker in a process of its own, on `path` if it is not to be the fixture's."""
    processes: list[WorkerProcess] = []
    numbers = count(1)

    def start(path: Path = path, **options: object) -> WorkerProcess:
        process = WorkerProcess(path, next(numbers), options)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.end()


@pytest.fixture
def marks(path: Path) -> Marks:
    return Marks(path.parent)


@pytest.fixture
def target(path: Path, app: App) -> Path:
    """The jobs' own file, with a table of the user's in it."""
    app.queue.database.open()
    make_table(path)
    return path


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "continuable")
    return caplog


@pytest.fixture
def beside() -> Iterator[Callable[..., None]]:
    """Do something in a thread beside the worker in this one, and let its errors be seen."""
    threads, errors = [], []

    def beside(work, finally_=lambda: None):
        def run():
            try:
                work()
            except BaseException as error:
                errors.append(error)
            finally:
                finally_()

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)

    yield beside
    for thread in threads:
        thread.join()
    assert errors == []
