"""How the jobs of a worker learn that it is to stop, in every pool, before Celery acts on it.

Celery tells too late, and never its pool's processes. So one byte of memory is shared by the
worker with all of these, whether they are forked or spawned, and set first of all: by the signal
handlers of the worker, which are wrapped; by `worker_shutting_down`; and by a bootstep, which
sees `app.control.shutdown()`. The signal may go to every process of a group: a pool process that
runs a job takes the first SIGTERM for the request that it is. One that comes later ends the
process. So does the worker's own in a cold shutdown, a second later, unless the job has stopped.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import signal
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from billiard.process import current_process
from celery import bootsteps, signals
from celery.apps.worker import Worker

from continuable.queues.celery.broker import on_broker

logger = logging.getLogger("continuable")

COLD_HANDLER = "worker_Cold"
"""What Celery calls its handlers of a cold shutdown."""
PATH = "CONTINUABLE_CELERY_FLAG"
"""Names the file that is mapped to a process which is spawned."""

SIGNALS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGQUIT") if hasattr(signal, name)
]


AT_ONCE = 1.0
"""Seconds within which a signal to all processes has come to each of them."""
TIME = struct.Struct("d")
COLD = 1 + TIME.size
"""Where the byte is that says so of a shutdown."""
SIZE = COLD + 1


class Flag:
    """A few bytes, shared by the processes of one worker: is it to stop, and since when?"""

    def __init__(self) -> None:
        self._bytes: mmap.mmap | None = None
        self._path: Path | None = None
        self._subscribers: list[Callable[[], None]] = []

    def create(self) -> None:
        """In the worker, before its pool starts."""
        file, path = tempfile.mkstemp(prefix="continuable-celery-")
        with open(file, "r+b") as opened:
            opened.write(bytes(SIZE))
            opened.flush()
            self._bytes = mmap.mmap(opened.fileno(), SIZE)
        self._path = Path(path)
        os.environ[PATH] = path

    def join(self) -> None:
        """In a process of its pool: one that is forked has it already."""
        if self._bytes is None and PATH in os.environ:
            with contextlib.suppress(OSError), open(os.environ[PATH], "r+b") as opened:
                self._bytes = mmap.mmap(opened.fileno(), SIZE)

    def remove(self) -> None:
        """In the worker, at its end."""
        if self._path is not None:
            with contextlib.suppress(OSError):  # Windows keeps a file that is mapped
                self._path.unlink()

    @property
    def worker(self) -> str:
        """The worker that this process is, or is part of; told apart from all others."""
        return f"{socket.gethostname()}:{Path(os.environ.get(PATH, '')).name}"

    def subscribe(self, subscriber: Callable[[], None]) -> None:
        """Call `subscriber` when the flag is raised by this process."""
        self._subscribers.append(subscriber)

    def lift(self) -> None:
        """The worker is to stop."""
        if self._bytes is not None and not self._bytes[0]:
            TIME.pack_into(self._bytes, 1, time.monotonic())  # of all processes the same
            self._bytes[0] = 1
        for subscriber in self._subscribers:
            subscriber()

    def chill(self) -> None:
        """The worker is about to end its pool processes."""
        if self._bytes is not None:
            self._bytes[COLD] = 1

    def is_cold(self) -> bool:
        """Whether it is."""
        return self._bytes is not None and self._bytes[COLD] == 1

    def is_raised(self) -> bool:
        """Whether it is; no call of the system's."""
        return self._bytes is not None and self._bytes[0] == 1

    def was_raised_before(self, seconds: float) -> bool:
        """Whether it has been for so many seconds."""
        if self._bytes is None or not self._bytes[0]:
            return False
        (raised_at,) = TIME.unpack_from(self._bytes, 1)
        return bool(time.monotonic() - raised_at > seconds)


flag = Flag()
"""Of the worker that this process is, or is part of."""


class StopStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Sees the start of a worker, and every end, also one that no signal has brought about."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Called before the worker takes a message, which its death might take with it."""
        on_broker(parent.app, lambda broker: broker.note_alive(flag.worker))

    def stop(self, parent: Any) -> None:
        """See `close`."""

    def close(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Called before the pool is waited for."""
        flag.lift()


@contextlib.contextmanager
def surviving_one_sigterm(interrupt: Callable[[], None]) -> Iterator[None]:
    """In a pool process: the first SIGTERM calls `interrupt`, a later one ends the process.

    Not by the `SystemExit` of its own handler, which the job would take for an error.
    """
    is_pool_process = current_process()._name != "MainProcess"  # noqa: SLF001 - as Celery asks
    if not is_pool_process or threading.current_thread() is not threading.main_thread():
        # Anywhere else the handler is the worker's own, and must stay.
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    end: threading.Timer | None = None

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        nonlocal end
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if flag.was_raised_before(AT_ONCE):
            os.kill(os.getpid(), signal.SIGTERM)
        interrupt()
        if flag.is_cold():
            end = threading.Timer(AT_ONCE, os.kill, (os.getpid(), signal.SIGTERM))
            end.daemon = True
            end.start()

    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGTERM, interrupted)
    try:
        yield
    finally:
        if end is not None:
            end.cancel()
        signal.signal(signal.SIGTERM, before)


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _worker_is_made(**_: Any) -> None:
    flag.create()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _worker_has_its_handlers(sender: Any, **_: Any) -> None:
    """Celery's handler of a cold shutdown waits and kills before it tells: be first."""
    if isinstance(sender.controller, Worker):  # not one that a test runs in a thread
        _be_first()


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _worker_shuts_down(**_: Any) -> None:
    flag.lift()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]
def _worker_has_ended(sender: Any, **_: Any) -> None:
    on_broker(sender.app, lambda broker: broker.note_ended(flag.worker))
    flag.remove()


def _be_first() -> None:
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler) and not isinstance(handler, _Lifting):
            signal.signal(number, _Lifting(handler))


class _Lifting:
    """A handler that lifts the flag before it does what the one of Celery's does."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        self._handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        flag.lift()
        if getattr(self._handler, "__name__", "") == COLD_HANDLER:
            flag.chill()
        try:
            self._handler(number, frame)
        except NotImplementedError:
            # Celery's cold shutdown, in a pool that cannot end jobs by force: the solo pool's job
            # would take it for an error of its own. They stop at their next checkpoint.
            logger.warning("Jobs of this pool cannot be ended by force: they go on for now")
        finally:
            _be_first()  # it may have put another in its place
