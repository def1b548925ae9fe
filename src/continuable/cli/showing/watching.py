"""Looking at jobs again and again while somebody else works on them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

from continuable.cli.showing.views import View
from continuable.errors import QueueError
from continuable.model.info import JobInfo

INTERVAL = 0.125

Look = Callable[[], Sequence[JobInfo]]


def watch(look: Look, view: View, *, until: Callable[[JobInfo], bool]) -> None:
    """Show what `look` finds until it is all over."""
    with view:
        while True:
            jobs = look()
            view.show(jobs)
            if jobs and all(map(until, jobs)):
                return
            time.sleep(INTERVAL)


class Spectator(threading.Thread):
    """Shows jobs from a thread of its own, while the main thread is busy working on them."""

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
        """Look until it is over."""
        while not self._over.wait(INTERVAL):
            self._show()

    def _show(self) -> None:
        try:
            self._view.show(self._look())
        except QueueError:
            return  # the database is busy, or the job was discarded: the work itself will say so
        except BrokenPipeError:
            # Whoever read has seen enough, and the work goes on.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
