"""Each example does what it says, in real worker processes that are stopped in the middle."""

import ast
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest

from continuable import App
from continuable.model.states import State
from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parents[2]
# Those on other engines have their tests in the folders of these.
ENGINES = ("celery_", "procrastinate_", "rq_")
EXAMPLES = sorted(
    path for path in (ROOT / "examples").glob("*.py") if not path.name.startswith(ENGINES)
)


class Reader:
    """Someone who follows the docstring of an example, in a folder of their own."""

    def __init__(self, example: str, folder: Path, database: str = "continuable.db") -> None:
        self.example = ROOT / "examples" / example
        self.folder = folder
        self.jobs = App(f"sqlite:///{folder / database}")
        self.worker: subprocess.Popen[bytes] | None = None

    def enqueue(self, *arguments: str) -> str:
        """Enqueue the job in the docstring, with arguments of our own; its id."""
        words = ["enqueue", str(self.example), job_of(self.example), *arguments]
        return self._run(*words).stdout.strip()

    def start_worker(self) -> None:
        with self.log.open("ab") as log:
            self.worker = subprocess.Popen(
                [*PROGRAM, "worker", str(self.example)],
                cwd=self.folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )

    def stop_worker(self, number: int = signal.SIGTERM) -> int:
        assert self.worker is not None
        self.worker.send_signal(number)
        return self.worker.wait(DEADLINE)

    def work(self) -> None:
        """Work until there is nothing left to do."""
        self._run("worker", str(self.example), "--drain")

    @property
    def log(self) -> Path:
        return self.folder / "worker.log"

    def close(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.stop_worker(signal.SIGKILL)
        self.jobs.queue.close()

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *words],
            check=True,
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )


PROGRAM = [sys.executable, "-m", "continuable"]


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    readers: list[Reader] = []

    def follow(example: str, **options: str) -> Reader:
        readers.append(Reader(example, tmp_path, **options))
        return readers[-1]

    yield follow
    for reader in readers:
        reader.close()


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("CONTINUABLE_")}


def commands_of(example: Path) -> list[list[str]]:
    """The commands in the docstring of an example."""
    text = ast.get_docstring(ast.parse(example.read_text(encoding="utf-8")), clean=False) or ""
    return [shlex.split(line) for line in text.splitlines() if line.startswith("    continuable ")]


def job_of(example: Path) -> str:
    return next(words[3] for words in commands_of(example) if words[1] == "enqueue")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_an_example_begins_with_how_to_run_it(example: Path):
    commands = commands_of(example)
    assert [words[1] for words in commands][:2] == ["enqueue", "worker"]
    assert {words[2] for words in commands} == {f"examples/{example.name}"}


def test_import_csv_imports_every_row_once_although_its_worker_is_killed(
    follow: Callable[..., Reader], tmp_path: Path
):
    rows = 100_000
    with open(tmp_path / "orders.csv", "w", encoding="utf-8") as file:
        file.write("order,amount\n")
        file.writelines(f"A-{number},{number}.50\n" for number in range(rows))
    reader = follow("import_csv.py", database="shop.db")
    job = reader.jobs.handle(reader.enqueue("orders.csv"))

    reader.start_worker()
    until(lambda: job.info().done > 0)
    reader.stop_worker(signal.SIGKILL)
    killed_at = job.info().done
    reader.work()

    assert 0 < killed_at < rows
    assert job.result() == rows
    assert job.info().executions == 2
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        found = shop.execute('SELECT count(*), count(DISTINCT "order") FROM orders').fetchone()
    assert found == (rows, rows)


def test_send_letters_sends_each_letter_once_although_its_worker_is_killed(
    follow: Callable[..., Reader], tmp_path: Path
):
    customers = range(1, 2_001)
    with closing(sqlite3.connect(tmp_path / "customers.db")) as connection, connection:
        connection.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, address TEXT)")
        rows = [(number, f"{number} Main Street") for number in customers]
        connection.executemany("INSERT INTO customers VALUES (?, ?)", rows)
    reader = follow("send_letters.py")
    job = reader.jobs.handle(reader.enqueue("Our new opening hours"))
    outbox = tmp_path / "outbox"

    reader.start_worker()
    until((outbox / f"{job.id}-send-200").exists)
    reader.stop_worker(signal.SIGKILL)
    sent = len(list(outbox.iterdir()))
    reader.work()

    assert 200 <= sent < len(customers)
    assert job.result() == len(customers)
    assert {path.name for path in outbox.iterdir()} == {f"{job.id}-send-{n}" for n in customers}
    assert (outbox / f"{job.id}-send-7").read_text() == "7 Main Street: Our new opening hours"


@pytest.mark.slow
@pytest.mark.sample
def test_crawl_api_fetches_each_page_once_over_an_error_and_a_deploy(
    follow: Callable[..., Reader], tmp_path: Path
):
    reader = follow("crawl_api.py")
    with Api(pages=12, fails_at=3, waits_at=6) as api:
        job = reader.jobs.handle(reader.enqueue(api.url))
        reader.start_worker()
        until(api.is_waiting.is_set)
        assert reader.worker is not None
        reader.worker.send_signal(signal.SIGTERM)
        until(lambda: "stops" in reader.log.read_text())
        api.may_go_on.set()
        exit_code = reader.worker.wait(DEADLINE)
        interrupted = job.info()
        reader.work()

    assert exit_code == 0
    assert (interrupted.state, interrupted.reason) == (State.INTERRUPTED, "stopping")
    assert interrupted.step == "store_articles"
    assert job.result() == 12
    assert api.served == [0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    with closing(sqlite3.connect(tmp_path / "articles.db")) as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM articles ORDER BY id")]
    assert ids == list(range(120))


class Api:
    """Articles in pages of ten; it fails at one page, once, and waits at another."""

    def __init__(self, pages: int, fails_at: int, waits_at: int) -> None:
        self.served: list[int] = []
        self.is_waiting, self.may_go_on = threading.Event(), threading.Event()
        self._pages, self._fails_at, self._waits_at = pages, fails_at, waits_at
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}/articles"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        page = int(parse_qs(urlsplit(request.path).query).get("after", ["0"])[0])
        self.served.append(page)
        if page == self._fails_at and self.served.count(page) == 1:
            request.send_error(503)
            return
        if page == self._waits_at:
            self.is_waiting.set()
            self.may_go_on.wait(DEADLINE)
        numbers = range(page * 10, page * 10 + 10)
        document: dict[str, Any] = {"items": [{"id": n, "title": f"No. {n}"} for n in numbers]}
        if page + 1 < self._pages:
            document["next"] = str(page + 1)
        request.send_response(200)
        request.end_headers()
        request.wfile.write(json.dumps(document).encode())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.may_go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_nightly_report_remembers_its_totals_when_the_writing_has_failed(
    follow: Callable[..., Reader], tmp_path: Path
):
    reader = follow("nightly_report.py")
    with sales(tmp_path) as connection:
        connection.execute("CREATE TABLE sales (day TEXT, region TEXT, amount INTEGER)")
        rows = [("2026-08-01", region, 1000) for region in ("north", "north", "south")]
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
    report = tmp_path / "report-2026-08-01.txt"
    report.mkdir()  # so that it cannot be written
    job = reader.jobs.handle(reader.enqueue("2026-08-01"))

    reader.work()
    failed = job.info()
    report.rmdir()
    with sales(tmp_path) as connection:
        connection.execute("DELETE FROM sales")
    job.retry()
    reader.work()

    assert failed.state is State.FAILED
    assert failed.completed == [f"total of {name}" for name in ("north", "east", "south", "west")]
    assert (failed.executions, failed.resumptions) == (2, 0)  # `write` had one of its own
    assert job.result() == report.name
    assert " ".join(report.read_text().split()) == "north 2,000 east 0 south 1,000 west 0"


@contextmanager
def sales(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / "sales.db")) as connection, connection:
        yield connection
