"""What ends the demo from outside, and must leave it the time to end its processes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Have Ctrl-C, SIGTERM and SIGHUP raise, once: an impatient second one is let pass."""
    before = {number: signal.getsignal(number) for number in ENDS}
    minded = [number for number in ENDS if before[number] is not signal.SIG_IGN]  # `nohup`

    def end(number: int, _frame: FrameType | None) -> None:
        for minded_too in minded:
            signal.signal(minded_too, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    for number in minded:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in minded:
            signal.signal(number, before[number])


@contextmanager
def signals_held() -> Iterator[None]:
    """Let a signal wait until the end of the block: what was started in it is known by then."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in ENDS}
    minded = [number for number in ENDS if before[number] is not signal.SIG_IGN]
    for number in minded:
        signal.signal(number, lambda which, _frame: came.append(which))
    try:
        yield
    finally:
        for number in minded:
            signal.signal(number, before[number])
        for first in came[:1]:
            signal.raise_signal(first)
