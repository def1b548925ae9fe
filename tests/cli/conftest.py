"""The command line, called in this process, with an app in a folder of its own."""

import importlib
import itertools
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from continuable.cli.program import program
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.embedded.table import JobTable
from continuable.sqlite import forks

HEADER = 'from continuable import App\n\napp = App("sqlite:///jobs.db")\n\n\n'

numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder, and nothing said by the environment; modules are forgotten after."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CONTINUABLE_") or name in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}:
            monkeypatch.delenv(name)
    path, modules = sys.path.copy(), set(sys.modules)
    yield tmp_path
    for connection in list(forks.alive):  # as the end of the process would
        connection.close()
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def write(folder: Path) -> Callable[..., str]:
    """Write a module that no other test has; its name."""

    def write(source: str, name: str | None = None) -> str:
        name = name or f"jobs_of_test_{next(numbers)}"
        (folder / f"{name}.py").write_text(dedent(source))
        importlib.invalidate_caches()
        return name

    return write


@pytest.fixture
def jobs(write: Callable[..., str]) -> Callable[..., str]:
    """Write a module with an `app`, on the database `jobs.db`, and these jobs; `module:app`."""
    return lambda source: f"{write(HEADER + dedent(source))}:app"


@pytest.fixture
def add(jobs: Callable[..., str]) -> str:
    """An app whose only job adds."""
    return jobs(
        """
        @app.job
        def add(job, a, b=0):
            return a + b
        """
    )


@pytest.fixture
def walk(jobs: Callable[..., str]) -> str:
    """An app whose job writes a thousand rows, slowly until a file `hurry` is there."""
    return jobs(
        """
        import time
        from pathlib import Path

        @app.job(save_every=0.02, resume_options={"wait": 0.0})
        def walk(job, rows=1000):
            @job.step(start=0)
            def write(step):
                step.total = rows
                for row in range(step.cursor, rows):
                    with open("rows", "a") as file:
                        file.write(f"{row}\\n")
                    step.advance()
                    if not Path("hurry").exists():
                        time.sleep(0.01)

            return rows
        """
    )


@pytest.fixture
def elsewhere(write: Callable[..., str]) -> str:
    """An app whose job adds, on a queue that is not the embedded one."""
    module = write(
        """
        from continuable import App
        from continuable.testing import TestQueue

        app = App(queue=TestQueue())

        @app.job
        def add(job, a, b=0):
            return a + b
        """
    )
    return f"{module}:app"


def rows() -> list[int]:
    """What `walk` has written."""
    path = Path("rows")
    return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def call() -> Callable[..., Result]:
    """Call the command line; an exception that would be a traceback there fails the test."""

    def call(*words: object, **environment: str) -> Result:
        return CliRunner().invoke(
            program,
            [str(word) for word in words],
            env=environment,
            catch_exceptions=False,
            prog_name="continuable",
        )

    return call


@pytest.fixture
def table(folder: Path) -> Iterator[JobTable]:
    """The jobs, seen past the command line."""
    queue = EmbeddedQueue(folder / "jobs.db")
    yield queue.table
    queue.close()


@pytest.fixture
def quiet_log() -> Iterator[None]:
    """Whatever log is set up is taken down again."""
    root = logging.getLogger()
    handlers, level = root.handlers.copy(), root.level
    yield
    root.handlers[:], root.level = handlers, level


def sentence(result: Result, exit_code: int) -> str:
    """What a verb that fails says: one sentence, on stderr, and this exit code."""
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")
