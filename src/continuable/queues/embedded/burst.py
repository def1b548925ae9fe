"""Short jobs come in bursts: claimed several at a time, and settled in the same transaction."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

from continuable.core.outcome import Completed
from continuable.errors import StoreError
from continuable.queues.embedded.claiming import Claimed, Queues
from continuable.queues.embedded.ledger import Ledger
from continuable.queues.embedded.table import JobTable
from continuable.queues.embedded.wakeup import ring
from continuable.worker.retrying import patiently
from continuable.worker.runner import Ran

SHORT = 0.0005
"""Seconds a job on average, below which more are claimed at a time."""
MOST = 32
"""Jobs that are claimed at a time."""
PATIENCE = 0.02
"""Seconds after which what was claimed ahead is handed back, and what has ended is told."""
LOCK_WAIT = 0.05
"""Seconds to wait for the table's lock meanwhile: the main thread has signals to hear."""


class Burst:
    """The jobs of one thread: one runs, some may be claimed ahead, some have ended untold.

    It claims one job at a time until they turn out short. `follow` and `give_up` are for the
    thread itself, `settle_up` for another that sees it held up.

    Args:
        table: Where the jobs are.
        ledger: Where the ends of jobs are safe until the table knows them.
        worker: The id of the worker.
        queues: The queues to take jobs from.
        clock: Seconds, from whenever.
    """

    def __init__(
        self,
        table: JobTable,
        ledger: Ledger,
        worker: str,
        queues: Queues = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._ledger = ledger
        self._worker = worker
        self._queues = queues
        self._lock = threading.Lock()
        self._ahead: deque[Claimed] = deque()
        self._ended: list[Ran[Claimed]] = []
        # What is in a ledger does not survive a power cut.
        self._most = 1 if table.database.is_full else MOST
        self._size = 1
        self._clock = clock
        self._claimed_at = -math.inf

    @property
    def is_on(self) -> bool:
        """Whether jobs are claimed ahead, so that `settle_up` is to be called now and then."""
        return self._size > 1

    def follow(self, ran: Ran[Claimed], *, claims: bool) -> Claimed | None:
        """Keep how a job ended, safe from now on; the job to run next, if there is one.

        Args:
            ran: The job, which is this worker's until its end is written, however long that takes.
            claims: Whether another one is wanted.
        """
        with self._lock:
            if claims and self._ahead and self._is_noted(ran):
                self._ended.append(ran)
                return self._ahead.popleft()
            ended = [*self._ended, ran]
            return patiently(
                lambda timeout: self._turn_over(ended, claims=claims, timeout=timeout),
                ran.claimed.id,
                error=ran.error,
            )

    def give_up(self, claimed: Claimed) -> None:
        """Hand back `claimed`, which has not started, and all that was claimed after it."""
        with self._lock:
            self._ahead.appendleft(claimed)
        self.settle_up()

    def settle_up(self, patience: float = 0.0) -> None:
        """Tell the table what has ended, and hand back what was claimed ahead.

        Nothing happens within `patience` seconds of the last claim, or while the thread itself is
        at it. Where the table cannot be written, it is left to the next call.
        """
        is_early = self._clock() - self._claimed_at < patience
        if is_early or not self._lock.acquire(blocking=False):
            return
        try:
            if self._ahead or self._ended:
                is_any_free = bool(self._ahead)
                with contextlib.suppress(StoreError):
                    self._turn_over(self._ended, claims=False)
                    if is_any_free:
                        ring(self._table.database.path)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Settle up for the last time."""
        self.settle_up()
        if not self._ahead and not self._ended:
            self._ledger.close()

    def _is_noted(self, ran: Ran[Claimed]) -> bool:
        """Whether the table may hear of the end of the job later, and the ledger knows it."""
        return (
            type(ran.outcome) is Completed
            and not ran.notes
            and self._ledger.turn(
                ran.claimed,
                ran.outcome,
                ran.longest_gap,
                self._table.database.clock(),
                self._ahead[0],
            )
        )

    def _turn_over(
        self, ended: Sequence[Ran[Claimed]], *, claims: bool, timeout: float = LOCK_WAIT
    ) -> Claimed | None:
        """Write how the jobs ended, and either claim the next ones or hand back what is left."""
        if claims and self._ahead:
            self._tell(ended, timeout=timeout)
            self._ledger.start(self._ahead[0])
        elif claims:
            self._ahead.extend(self._tell(ended, timeout=timeout, claims=self._next_size()))
            self._ledger.turn_page()
        else:
            self._tell(ended, timeout=timeout, releases=self._ahead)
            self._ahead.clear()
        self._ended.clear()
        if self._ahead:
            return self._ahead.popleft()
        self._size = 1
        return None

    def _tell(
        self,
        ended: Sequence[Ran[Claimed]],
        *,
        timeout: float,
        claims: int = 0,
        releases: Collection[Claimed] = (),
    ) -> list[Claimed]:
        """Write to the table how jobs ended; those that were claimed with it."""
        _, claimed = self._table.turn_over(
            ended,
            self._worker,
            claims=claims,
            queues=self._queues,
            claiming=lambda these: self._ledger.prepare(these[1:]),
            releases=releases,
            timeout=timeout,
        )
        return claimed

    def _next_size(self) -> int:
        """How many jobs to claim: twice as many as the last time, as long as they are short."""
        now = self._clock()
        are_short = now - self._claimed_at < self._size * SHORT
        self._size = min(2 * self._size, self._most) if are_short else 1
        self._claimed_at = now
        return self._size
