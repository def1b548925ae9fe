"""What holds for every test: an order that fails fast, servers to share, nothing left behind."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from continuable import App
from continuable.testing import TestQueue

if TYPE_CHECKING:
    from tests.servers.mariadb import MariaDB
    from tests.servers.postgresql import PostgreSQL
    from tests.servers.redis import RedisServer

# The machine decides how long an example takes, so a slow one is no failure.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

TESTS = Path(__file__).parent

# Folders from the smallest cause of a failure to the largest; others come in between.
FIRST = ("fundamentals", "core", "sources", "progress", "testing", "cli", "queues")
LAST = ("docs", "servers", "chaos")

SERVERS = {"postgresql_server", "redis_server", "mariadb_server", "mariadb", "rabbitmq", "place"}
"""The fixtures that start a server, or look for one; `place` is a store on one of them."""
TOGETHER = re.compile(
    r"test_code_blocks.py::.*\[(?P<page>.+):|(?P<mariadb>-mariadb\b)|(?P<rabbitmq>test_rabbitmq.py)"
)
"""What runs in one test process: a page of the docs, and what needs a server that starts slowly."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: position(item.path.relative_to(TESTS).parts[0]))
    for item in items:
        if SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("server")
        if "work_elsewhere" in getattr(item, "fixturenames", ()):
            item.add_marker("workers")


def pytest_configure() -> None:
    # A shell starts what runs in its background with SIGINT ignored, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return Scheduling(config, log)


class Scheduling(LoadScopeScheduling):
    """Each test goes to the process that is free, but for those that share what takes long."""

    def _split_scope(self, nodeid: str) -> str:
        found = TOGETHER.search(nodeid)
        return nodeid if found is None else str(found.groupdict())


def position(folder: str) -> int:
    if folder in FIRST:
        return FIRST.index(folder)
    if folder in LAST:
        return len(FIRST) + 1 + LAST.index(folder)
    return len(FIRST)


# --- an app whose jobs run when the test says so


@pytest.fixture
def queue() -> TestQueue:
    return TestQueue()


@pytest.fixture
def app(queue: TestQueue) -> App:
    return App(queue=queue)


# --- servers: one of each kind for all tests of a test process, so that a test may restart it


@pytest.fixture(scope="session")
def postgresql_server() -> "Iterator[PostgreSQL]":
    from tests.servers.postgresql import PostgreSQL

    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> "Iterator[RedisServer]":
    from tests.servers.redis import RedisServer

    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> "Iterator[MariaDB]":
    """A MariaDB of the tests' own, where it is installed."""
    from tests.servers import mariadb

    if not mariadb.is_there():
        pytest.skip("mariadbd is not installed (mariadb-server)")
    with mariadb.MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[str]:
    """The url of a database in the MariaDB or MySQL that is found here."""
    from tests.servers.found import MARIADB, mariadb_url

    with mariadb_url() as url:
        if url is None:
            pytest.skip(f"no MariaDB or MySQL answers at {MARIADB} (CONTINUABLE_TEST_MARIADB)")
        yield url


# --- nothing left behind


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """No thread that would keep a process alive, and no signal handler, outlives its test."""
    threads, handlers = set(threading.enumerate()), signal_handlers()
    yield
    left = still_running(set(threading.enumerate()) - threads)
    assert not left, f"threads left running: {left}"
    assert signal_handlers() == handlers, "a signal handler was left changed"


def signal_handlers() -> dict[str, object]:
    return {name: signal.getsignal(getattr(signal, name)) for name in ("SIGTERM", "SIGINT")}


def still_running(threads: set[threading.Thread], grace: float = 10.0) -> list[threading.Thread]:
    until = time.monotonic() + grace
    started = [thread for thread in threads if not thread.daemon]
    for thread in started:
        thread.join(max(0.0, until - time.monotonic()))
    return [thread for thread in started if thread.is_alive()]
