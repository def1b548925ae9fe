"""A Redis of the tests' own, and the project that workers import."""

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from redis import Redis

from continuable.conformance.engine import folder_of
from continuable.conformance.jobs import ELSEWHERE, HELD_AT
from continuable.conformance.journal import Journal
from continuable.conformance.workers import Worker
from tests.waiting import until

ROOT = Path(__file__).parents[3]
PROJECT = "tests.queues.celery.project"
APP = f"{PROJECT}:celery_app"
OLDER = "CONTINUABLE_TEST_OLDER"
"""Set for a worker of an older release, which has not the jobs of the suite."""
POOLS = {
    "prefork": ["--pool", "prefork"],
    "spawn": ["--pool", "prefork"],
    "threads": ["--pool", "threads"],
    "solo": ["--pool", "solo"],
    "gevent": ["--pool", "gevent"],
    "eventlet": ["--pool", "eventlet"],
}


def await_hold(journal: Journal) -> None:
    """Wait until the job has come to where it waits."""
    until(lambda: len(journal.rows) == HELD_AT, "the job in its middle")


class Workers:
    """Starts workers, and leaves none behind."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._started: list[Worker] = []

    def __call__(self, kind: str = "prefork", *options: str, settings=None, **names: str) -> Worker:
        environment = dict(self._environment)
        if settings is not None:
            environment["CONTINUABLE_TEST_SETTINGS"] = json.dumps(settings)
        log = self._folder / f"worker-{len(self._started) + 1}.log"
        self._started.append(Worker(worker_command(kind, *options, **names), environment, log))
        return self._started[-1]

    def end(self) -> None:
        for worker in self._started:
            worker.end()


@pytest.fixture
def start_worker(worker_environment, tmp_path) -> Iterator[Workers]:
    workers = Workers(tmp_path, worker_environment)
    yield workers
    workers.end()


@pytest.fixture
def folder(tmp_path) -> str:
    """Where the job of a test writes its journal."""
    return str(folder_of(tmp_path, "job"))


@pytest.fixture
def journal(folder) -> Iterator[Journal]:
    """What the job of a test does; it is let go on at the end of the test, come what may."""
    journal = Journal(folder)
    yield journal
    journal.release()


@pytest.fixture(scope="session")
def worker_environment(redis_server) -> dict[str, str]:
    """Of the workers, and of the tests themselves."""
    places = [str(ROOT / "src"), str(ROOT)]
    found = {"CONTINUABLE_TEST_REDIS": redis_server.url, "PYTHONPATH": os.pathsep.join(places)}
    os.environ.update(found)
    return found


@pytest.fixture(scope="session")
def loaded_project(worker_environment) -> ModuleType:
    return import_module(PROJECT)


@pytest.fixture
def project(loaded_project, redis_server) -> ModuleType:
    """The project, on an empty Redis."""
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return loaded_project


def worker_command(kind: str, *options: str, app: str = APP, queues: str = "celery"):
    """The command line of a worker of a kind, which runs one job at a time."""
    setting = ["--pool-start-method", "spawn"] if kind == "spawn" else []
    return [
        *[sys.executable, "-m", "celery", "-A", app, "worker", *POOLS[kind], *setting],
        *["-c", "1", "-Q", f"{queues},{ELSEWHERE}", "--loglevel", "INFO"],
        *["--without-gossip", "--without-mingle", "-n", f"{uuid4().hex[:8]}@%h", *options],
    ]
