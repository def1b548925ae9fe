"""Jobs that are looked at again and again, in a view, while a worker runs them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

from continuable.cli.showing.views import PlainView, View
from continuable.errors import QueueError
from continuable.model.info import JobInfo

INTERVAL = 0.125
"""Seconds between two looks."""

Look = Callable[[], Sequence[JobInfo]]


def view() -> View:
    """The view that fits standard output: bars on a terminal, lines elsewhere."""
    if not sys.stdout.isatty():
        return PlainView()
    from continuable.cli.showing.bars import Screen

    return Screen()


def watch(look: Look, view: View, *, until: Callable[[JobInfo], bool]) -> None:
    """Show the jobs that `look` returns, until `until` holds for all of them."""
    with view:
        while True:
            jobs = look()
            view.show(jobs)
            if jobs and all(map(until, jobs)):
                return
            time.sleep(INTERVAL)


class Spectator(threading.Thread):
    """A thread that shows jobs in a view while the main thread runs them."""

    def __init__(self, look: Look, view: View) -> None:
        super().__init__(name="continuable-spectator", daemon=True)
        self._look = look
        self._view = view
        self._over = threading.Event()

    def __enter__(self) -> None:
        self._view.__enter__()
        self.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self._show()
        self._view.__exit__(None, None, None)

    def run(self) -> None:
        """Show the jobs until the block ends."""
        while not self._over.wait(INTERVAL):
            self._show()

    def _show(self) -> None:
        try:
            self._view.show(self._look())
        except QueueError:
            return  # the database is busy, or the job was discarded: the main thread tells it
        except BrokenPipeError:
            # The reader of the pipe has left; the job goes on.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
