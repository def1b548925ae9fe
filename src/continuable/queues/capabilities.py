"""What differs from queue to queue, as questions that the suite for queues asks each of them."""

from __future__ import annotations

from typing import ClassVar


class Capabilities:
    """The flags of a queue. `continuable.conformance.QueueSuite` tests or skips by each of them."""

    worker_kinds: ClassVar[tuple[str, ...]] = ("worker",)
    """Which kinds of worker run jobs?"""
    isolating_kinds: ClassVar[frozenset[str]] = frozenset()
    """In which of these has a job a process of its own, apart from the worker's?"""
    patient_kinds: ClassVar[frozenset[str]] = frozenset()
    """Which of these wait for their jobs however often they are told to stop?"""
    is_on_server: ClassVar[bool] = True
    """Is there a server that may restart under running jobs?"""
    commits_by_default: ClassVar[bool] = False
    """Does its own store commit the cursor together with your rows?"""
    runs_async_jobs: ClassVar[bool] = True
    """Are `async def` jobs run?"""
    supports_delay: ClassVar[bool] = True
    """Can a job be sent to start later?"""
    supports_priority: ClassVar[bool] = True
    """Do jobs of a higher priority run first?"""
    supports_unique: ClassVar[bool] = False
    """Is a job with the `unique=` of an unfinished one taken for that one?"""
    joins_transactions: ClassVar[bool] = False
    """Can a job be enqueued in an open transaction of yours, with its own store?"""
    retries_failures: ClassVar[bool] = True
    """Does the engine itself run a failed job again, by rules of its own?"""
