"""`EngineSuite`: what the tests of a queue are given, be they ours or a third party's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from continuable.app import App
from continuable.conformance.jobs import HELD_AT, LEASE
from continuable.conformance.journal import Journal
from continuable.conformance.workers import DEADLINE, Worker
from continuable.declaration.handle import Handle

Command = Callable[[str], Sequence[str]]
StartWorker = Callable[..., Worker]


class EngineSuite:
    """An app on an engine, and what starts its workers."""

    kinds: ClassVar[Sequence[str]] = ()
    """What kinds of worker are there, as `command` knows them? The first runs most tests."""

    @pytest.fixture
    def app(self) -> App:
        """The app whose jobs are declared with `jobs.declare`, on an empty queue."""
        raise NotImplementedError("Give the suite a fixture `app`")

    @pytest.fixture
    def command(self) -> Command:
        """The command line of a worker of a kind."""
        raise NotImplementedError("Give the suite a fixture `command`")

    @pytest.fixture
    def environment(self) -> Mapping[str, str]:
        """What a worker finds in its environment beside what is there."""
        return {}

    @pytest.fixture
    def is_shown_as_failed(self) -> Callable[[str], bool]:
        """Whether the engine shows a job as failed."""
        return lambda _job_id: False

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run the tests that ask for a `kind` with each of them."""
        if "kind" in metafunc.fixturenames:
            metafunc.parametrize("kind", self.kinds)

    # --- what the tests use

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        """Where the job of a test writes its journal."""
        return str(folder_of(tmp_path, "job"))

    @pytest.fixture
    def journal(self, folder: str) -> Iterator[Journal]:
        """What the job of a test does; it is let go on at the end of the test, come what may."""
        journal = Journal(folder)
        yield journal
        journal.release()

    @pytest.fixture
    def start_worker(
        self, command: Command, environment: Mapping[str, str], tmp_path: Path
    ) -> Iterator[StartWorker]:
        """Starts another worker, of the first kind and with the short lease by default."""
        workers: list[Worker] = []

        def start(kind: str | None = None, *, lease: float = LEASE) -> Worker:
            log = tmp_path / f"worker-{len(workers) + 1}.log"
            own = {**environment, "CONTINUABLE_CONFORMANCE_LEASE": str(lease)}
            workers.append(Worker(command(kind or self.kinds[0]), own, log))
            return workers[-1]

        yield start
        for worker in workers:
            worker.end()


# --- how the tests say what they mean


def job_of(app: App, name: str) -> Any:
    """The job that `declare` has made of the function of that name."""
    (job,) = (job for job in app.jobs.values() if job.__name__ == name)
    return job


def enqueue(app: App, name: str, *args: Any) -> Handle[Any]:
    """Put a job on its queue."""
    handle: Handle[Any] = job_of(app, name).enqueue(*args)
    return handle


def result(handle: Handle[Any], worker: Worker) -> Any:
    """What the job returns; where it does not end, what its worker has to say."""
    try:
        return handle.result(timeout=DEADLINE)
    except TimeoutError as error:
        raise AssertionError(f"{error}: {handle.info()}\n{worker.log}") from None


def await_hold(journal: Journal, worker: Worker) -> None:
    """Wait until the job has come to where it waits."""
    worker.until(lambda: len(journal.rows) == HELD_AT, "the job in its middle")


def folder_of(parent: Path, name: str) -> Path:
    """A new folder."""
    folder = parent / name
    folder.mkdir()
    return folder
