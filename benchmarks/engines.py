"""Jobs on the engines of others, against the plain tasks of these: run by the same worker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import procrastinate

from benchmarks.latency import PATIENCE, until
from benchmarks.projects import jobs, tasks
from benchmarks.stores import started
from benchmarks.table import Figure, median_of_ratios
from continuable.model.states import State
from tests.servers.postgresql import PostgreSQL
from tests.servers.redis import RedisServer

NOOP_ROUNDS = 100
"""Two batches that follow each other differ by a tenth of what they take, either way."""
ROWS_WORKERS = 3
ROWS_ROUNDS = 3
LONGEST = 300.0
"""Seconds for all the rounds of one worker."""
STOPS = 3
LEASE = 2.0
TARGET = ">= 0.7"


@dataclass(frozen=True)
class Way:
    """One kind of worker, and how many no-op jobs it does in about a tenth of a second."""

    name: str
    options: tuple[str, ...]
    jobs: int
    job: str = "noop"
    target: str = TARGET


@dataclass(frozen=True)
class Engine:
    name: str
    server: Callable[[], Any]
    project: str
    command: tuple[str, ...]
    """Of a worker with the engine's own defaults."""
    ways: tuple[Way, ...]
    of_one: tuple[str, ...] = ()
    """Options of a worker that runs one job at a time."""
    of_two: tuple[str, ...] = ()
    """Options of a worker that leaves jobs to another one."""
    prepare: Callable[[Any], object] = field(default=lambda _server: None)

    def start(self, server: Any, marks: Path, *options: str) -> subprocess.Popen[bytes]:
        environment = {tasks.SERVER: server.url, tasks.MARKS: str(marks)}
        command = [part.format(url=server.url) for part in (*self.command, *options)]
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            stdout=subprocess.DEVNULL,
            stderr=(marks.parent / "log").open("a"),
            start_new_session=True,
        )


def make_tables(server: PostgreSQL) -> None:
    conninfo = server.url.replace("+psycopg", "")
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo))
    with app.open():
        app.schema_manager.apply_schema()


CELERY = Engine(
    "Celery",
    RedisServer,
    "benchmarks.projects.on_celery",
    ("celery", "-q", "-A", "benchmarks.projects.on_celery:celery_app", "worker"),
    (
        Way("prefork", (), 100),
        Way("prefork, -c 1", ("-c", "1"), 70, target=""),
        Way("threads, -c 1", ("-c", "1", "--pool", "threads"), 70, target=""),
    ),
    of_one=("-c", "1"),
    of_two=("-c", "1", "--prefetch-multiplier", "1"),
)
RQ = Engine(
    "RQ",
    RedisServer,
    "benchmarks.projects.on_rq",
    ("rq", "worker", "--quiet", "--url", "{url}"),
    (
        # Else each work horse imports the module of its job.
        Way("Worker", ("--config", "benchmarks.projects.on_rq"), 10),
        Way("Worker that imports nothing", (), 3, target=""),
        Way("SimpleWorker", ("-w", "rq.SimpleWorker"), 20, target=""),
    ),
)
ON_PROCRASTINATE = "benchmarks.projects.on_procrastinate"
PROCRASTINATE = Engine(
    "Procrastinate",
    PostgreSQL,
    ON_PROCRASTINATE,
    (
        "procrastinate",
        "--log-level",
        "warning",
        "-a",
        f"{ON_PROCRASTINATE}.procrastinate_app",
        "worker",
    ),
    (Way("plain", (), 40), Way("async", (), 40, job="anoop")),
    prepare=make_tables,
)


def figures() -> Iterator[Figure]:
    for engine in (CELERY, RQ, PROCRASTINATE):
        with started(engine.server) as server, tempfile.TemporaryDirectory() as folder:
            engine.prepare(server)
            marks = Path(folder) / "marks"
            with imported(engine, server) as project:
                for way in engine.ways:
                    yield noop_figure(engine, way, server, marks, project)
                yield rows_figure(engine, server, marks, project)
            with imported(engine, server, lease=LEASE) as project:
                yield from stop_figures(engine, server, marks, project)


@contextmanager
def imported(engine: Engine, server: Any, lease: float | None = None) -> Iterator[ModuleType]:
    """The project as this process has it, to enqueue with."""
    os.environ[tasks.SERVER] = server.url
    if lease is not None:
        os.environ[jobs.LEASE] = str(lease)
    sys.modules.pop(engine.project, None)
    project = import_module(engine.project)
    opened = getattr(project, "procrastinate_app", None)
    try:
        with opened.open() if opened else contextlib.nullcontext():
            yield project
        project.app.queue.store.close()
    finally:
        os.environ.pop(jobs.LEASE, None)


def noop_figure(engine: Engine, way: Way, server: Any, marks: Path, project: ModuleType) -> Figure:
    """From the first to the last start of each batch; all of them wait before the worker starts."""
    send = getattr(project, f"send_{way.job}")
    job = getattr(project, way.job)
    marks.unlink(missing_ok=True)
    for turn in range(NOOP_ROUNDS):
        for number in range(way.jobs):
            send(f"plain {turn}", number, way.jobs)
        job.enqueue_many([(f"ours {turn}", number, way.jobs) for number in range(way.jobs)])
    with ended(engine.start(server, marks, *way.options)):
        found = await_marks(marks, 4 * NOOP_ROUNDS)
    plain, ours = (
        [max(b) - min(b) for n, b in found.items() if n.startswith(who)]
        for who in ("plain", "ours")
    )
    each = [statistics.median(taken) / (way.jobs - 1) * 1e3 for taken in (ours, plain)]
    what = f"no-op jobs / plain tasks, {engine.name} ({way.name})"
    detail = "{:.2f} ms against {:.2f} ms".format(*each)
    return Figure(what, median_of_ratios(plain, ours), "x", way.target, detail)


def rows_figure(engine: Engine, server: Any, marks: Path, project: ModuleType) -> Figure:
    def run(names: list[str], send: Callable[[], None]) -> dict[str, list[float]]:
        marks.unlink(missing_ok=True)
        with ended(engine.start(server, marks, *engine.of_one)):
            send()
            return await_marks(marks, len(names))

    def send_rows() -> None:
        for plain, ours in zip(names[::2], names[1::2], strict=True):
            project.send_rows(plain, turns)
            project.rows.enqueue(ours, turns)

    [turns] = run(["turns"], lambda: project.send_calibrate("turns"))["turns"]
    names = [f"{who} {turn}" for turn in range(ROWS_ROUNDS) for who in ("plain", "ours")]
    taken: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(ROWS_WORKERS):
        for name, found in run(names, send_rows).items():
            taken[name.split()[0]] += found
    what = f"80,000 rows of 20 us, saved each second, {engine.name}"
    return Figure(what, median_of_ratios(taken["ours"], taken["plain"]), "x", "<= 1.03")


def stop_figures(engine: Engine, server: Any, marks: Path, project: ModuleType) -> Iterator[Figure]:
    start = partial(engine.start, server, marks, *engine.of_two)
    taken = statistics.median(term_to_gone(project, start) for _ in range(STOPS))
    yield Figure(f"SIGTERM to worker gone and job on its queue, {engine.name}", taken * 1e3, "ms")
    taken = statistics.median(kill_to_resumed(project, start) for _ in range(STOPS))
    what = f"SIGKILL to resumed elsewhere, {engine.name}"
    yield Figure(what, taken, "s", detail=f"on one machine, a lease of {LEASE:g} s")


def term_to_gone(project: ModuleType, start: Callable[[], subprocess.Popen[bytes]]) -> float:
    handle = project.long.enqueue()
    with ended(start()) as worker:
        until(lambda: handle.info().saved_at is not None)
        sent = time.perf_counter()
        worker.send_signal(signal.SIGTERM)
        worker.wait(PATIENCE)
        taken = time.perf_counter() - sent
    assert handle.state() is State.INTERRUPTED, handle.state()
    handle.cancel()
    return taken


def kill_to_resumed(project: ModuleType, start: Callable[[], subprocess.Popen[bytes]]) -> float:
    handle = project.long.enqueue()
    with ended(start()) as first:
        until(lambda: handle.info().saved_at is not None)
        with ended(start()):
            project.noop.enqueue("", 1, 3).result(timeout=PATIENCE)  # the second one works
            for pid in family(first.pid):
                os.kill(pid, signal.SIGKILL)
            killed = time.perf_counter()
            until(lambda: handle.info().executions > 1)
            taken = time.perf_counter() - killed
            handle.cancel()
            until(lambda: handle.state() is State.CANCELLED)
    return taken


def family(pid: int) -> list[int]:
    """A process and all that it has started, in whatever group these are."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in map(int, children) for found in family(child))]


def await_marks(marks: Path, count: int) -> dict[str, list[float]]:
    """What the tasks have written, by batch, once it is all there."""

    def lines() -> list[str]:
        return marks.read_text().splitlines() if marks.exists() else []

    end = time.monotonic() + LONGEST
    while len(lines()) < count:
        if time.monotonic() > end:
            raise TimeoutError((marks.parent / "log").read_text()[-3000:])
        time.sleep(0.02)
    found: dict[str, list[float]] = defaultdict(list)
    for batch, what in map(json.loads, lines()):
        found[batch].append(what)
    return found


@contextmanager
def ended(worker: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The worker, which is gone afterwards with all its processes."""
    try:
        yield worker
        if worker.poll() is None:
            worker.terminate()
            worker.wait(PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(PATIENCE)
