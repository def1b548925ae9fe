"""What holds for every test: an order that fails fast, and nothing left behind."""

import signal
import threading
import time
from pathlib import Path

import pytest
from hypothesis import settings

# The machine decides how long an example takes, so a slow one is no failure.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

TESTS = Path(__file__).parent

# Folders from the smallest cause of a failure to the largest; others come in between.
FIRST = ("fundamentals", "core", "sources", "progress", "testing", "cli", "queues")
LAST = ("docs", "servers", "chaos")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: position(item.path.relative_to(TESTS).parts[0]))


def position(folder: str) -> int:
    if folder in FIRST:
        return FIRST.index(folder)
    if folder in LAST:
        return len(FIRST) + 1 + LAST.index(folder)
    return len(FIRST)


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


def still_running(threads: set[threading.Thread], grace: float = 1.0) -> list[threading.Thread]:
    until = time.monotonic() + grace
    started = [thread for thread in threads if not thread.daemon]
    for thread in started:
        thread.join(max(0.0, until - time.monotonic()))
    return [thread for thread in started if thread.is_alive()]
