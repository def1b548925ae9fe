"""Several worker processes as one: started, replaced when they die, and stopped together."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

logger = logging.getLogger("continuable")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
LONGEST_SLEEP = 1.0
READ_AT_ONCE = 4096
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
LIVED_LONG = 10.0
"""Seconds after which the death of a worker says nothing about the next one."""


def supervise(command: Sequence[str], processes: int) -> int:
    """Keep `processes` workers running until a signal, or until all have ended by themselves.

    Args:
        command: Starts one worker, which stops when its standard input ends: so it does, too,
            when this process is killed.
        processes: How many.

    Returns:
        The exit code: 0 if every worker has ended with 0.
    """
    return Supervisor(command, processes).run()


@dataclass
class Place:
    """One of the places that workers take in turn."""

    worker: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    starts_at: float = 0.0
    pause: float = field(default=FIRST_PAUSE)
    exit_code: int | None = None
    """That of a worker which has ended well, or when all were to stop."""


class Supervisor:
    """See `supervise`. Workers are in a session of their own: Ctrl-C reaches them through here."""

    def __init__(self, command: Sequence[str], processes: int) -> None:
        self._command = list(command)
        self._places = [Place() for _ in range(processes)]
        self._signals_to_stop: list[int] = []

    @property
    def _stop_requests(self) -> int:
        return len(self._signals_to_stop)

    def run(self) -> int:
        """Supervise; in the main thread."""
        with self._signals() as pipe:
            obeyed = 0
            while any(place.exit_code is None for place in self._places):
                self._mind()
                if self._stop_requests != obeyed:
                    obeyed = self._stop_requests
                    self._stop(at_once=obeyed > 1)
                if select.select([pipe], [], [], LONGEST_SLEEP)[0]:
                    os.read(pipe, READ_AT_ONCE)
        return int(any(place.exit_code for place in self._places))

    def _mind(self) -> None:
        """Start who is due, and see who has ended."""
        now = time.monotonic()
        for place in self._places:
            if place.exit_code is not None:
                continue
            if place.worker is None:
                if self._stop_requests:
                    place.exit_code = 0
                elif now >= place.starts_at:
                    self._start(place, now)
            elif (code := place.worker.poll()) is not None:
                self._ended(place, place.worker, code, now)

    def _start(self, place: Place, now: float) -> None:
        place.started_at = now
        place.worker = subprocess.Popen(  # noqa: S603 - our own command line
            self._command, stdin=subprocess.PIPE, start_new_session=True
        )

    def _ended(self, place: Place, worker: subprocess.Popen[bytes], code: int, now: float) -> None:
        place.worker = None
        if worker.stdin is not None:
            worker.stdin.close()
        if code == 0 or self._stop_requests:
            # A signal to all of them kills one that is starting and has no handler for it yet.
            place.exit_code = 0 if code == -signal.SIGTERM else code
            return
        if now - place.started_at > LIVED_LONG:
            place.pause = FIRST_PAUSE
        place.starts_at = now + place.pause
        logger.error(
            "Worker process %d ended (exit code %d) and is replaced in %g s",
            worker.pid,
            code,
            place.pause,
        )
        place.pause = min(place.pause * 2, LONGEST_PAUSE)

    def _stop(self, *, at_once: bool) -> None:
        for place in self._places:
            if place.worker is None or place.worker.stdin is None:
                continue
            place.worker.stdin.close()
            if at_once:
                # To a worker that is stopping, a signal means: now. Two, since it may be that it
                # has not been told to stop yet; different ones, since equal ones may merge.
                place.worker.send_signal(signal.SIGTERM)
                place.worker.send_signal(signal.SIGINT)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)

        def count(number: int, _frame: FrameType | None) -> None:
            # Not a number that is added to: a handler may come in the middle of another one.
            if number != signal.SIGCHLD:
                self._signals_to_stop.append(number)

        handlers = {number: signal.signal(number, count) for number in SIGNALS}
        wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(reader)
            os.close(writer)
