"""A Redis of the tests' own, and the project that workers import."""

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from rq import SimpleWorker

from continuable.conformance.journal import Journal
from continuable.conformance.workers import Worker

ROOT = Path(__file__).parents[3]
RQ = str(Path(sys.executable).with_name("rq"))


@pytest.fixture(scope="session")
def worker_environment(redis_server) -> dict[str, str]:
    """Of the workers, and of the tests themselves."""
    places = [str(ROOT / "src"), str(ROOT)]
    found = {"CONTINUABLE_TEST_RQ": redis_server.url, "PYTHONPATH": os.pathsep.join(places)}
    os.environ.update(found)
    return found


@pytest.fixture(scope="session")
def loaded_project(worker_environment) -> ModuleType:
    return import_module("tests.queues.rq.project")


@pytest.fixture
def project(loaded_project) -> ModuleType:
    """The project, on an empty Redis."""
    loaded_project.connection.flushall()
    return loaded_project


@pytest.fixture
def worker_command(redis_server):
    """The command line of a worker of a kind."""
    classes = {
        "Worker": "rq.Worker",
        "SpawnWorker": "rq.SpawnWorker",
        "SimpleWorker": "rq.SimpleWorker",
    }
    queues = ["default", "elsewhere"]
    url = ["--url", redis_server.url]

    def command(kind: str, *options: str, has_scheduler: bool = True) -> list[str]:
        if kind == "worker-pool":
            return [RQ, "worker-pool", *url, "--num-workers", "1", *options, *queues]
        scheduler = ["--with-scheduler"] if has_scheduler else []
        return [RQ, "worker", *url, "-w", classes[kind], *scheduler, *options, *queues]

    return command


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path)
    yield journal
    journal.release()


@pytest.fixture
def start(worker_command, worker_environment, tmp_path):
    """Starts a worker of a kind, with options of its command and more in its environment."""
    workers = []

    def start(kind="Worker", *options, has_scheduler=True, **environment):
        log = tmp_path / f"worker-{len(workers)}.log"
        command = worker_command(kind, *options, has_scheduler=has_scheduler)
        workers.append(Worker(command, worker_environment | environment, log))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


class QuietWorker(SimpleWorker):
    """A worker in the tests' own process, which leaves its signals alone."""

    def _install_signal_handlers(self):
        pass


@pytest.fixture
def work(project):
    """Runs what waits on the queues, in this process, until nothing does."""

    def work(*queues: str) -> QuietWorker:
        worker = QuietWorker([*queues, "default", "elsewhere"], connection=project.connection)
        worker.log_job_description = False
        worker.work(burst=True, logging_level="ERROR")
        return worker

    yield work
    for app in (project.app, project.without_store):
        app.queue.close()


@pytest.fixture
def notes(tmp_path) -> str:
    """Where jobs write."""
    return str(tmp_path / "notes")
