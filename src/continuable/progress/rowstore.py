"""A store made of rows: what all of ours have in common."""

from __future__ import annotations

import builtins
import contextlib
import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar, TypeVar

from continuable.core.outcome import Completed, Outcome
from continuable.errors import JobNotFoundError, QueueError, StoreBusyError, StoreError
from continuable.model.info import JobInfo, JobResult
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import lifecycle
from continuable.progress.lifecycle import Told
from continuable.progress.protocol import (
    DEFAULT_LIMITS,
    Claim,
    Leased,
    Limits,
    Note,
    Paused,
    ProgressStore,
    Recovered,
    Requested,
    Settled,
    Stale,
)
from continuable.progress.row import Row

logger = logging.getLogger("continuable")

A = TypeVar("A")

LEASE = 30.0
CONTROLS_EVERY = 0.5
HISTORY = 200
"""Entries that the history of a job keeps."""

Transition = Callable[[Row, float, list[Told]], A]


class RowStore(ProgressStore):
    """A `ProgressStore` on anything that can change one row atomically.

    Args:
        lease: Seconds for which a claim holds without a sign of life from its worker. A worker
            that is killed has its jobs resumed elsewhere after at most that long.
    """

    can_commit: ClassVar[bool] = False
    controls_every: ClassVar[float] = CONTROLS_EVERY

    def __init__(self, *, lease: float = LEASE) -> None:
        if lease <= 0:
            raise ValueError(f"lease is a number of seconds greater than 0, not {lease!r}")
        self.lease = lease
        self._told_damaged: set[str] = set()

    # --- for workers

    def claim(
        self,
        record: JobRecord,
        worker: str,
        *,
        limits: Limits = DEFAULT_LIMITS,
        is_retry: bool = False,
    ) -> Claim | Leased | Paused | Stale:
        if not is_retry and (claimed := self._claim_at_once(record, worker)) is not None:
            return claimed
        transition = partial(
            lifecycle.claim,
            record=record,
            worker=worker,
            lease=self.lease,
            limits=limits,
            is_retry=is_retry,
        )
        return self._change(record.id, transition, record=record)

    def add(self, records: Sequence[JobRecord]) -> None:
        added: builtins.list[str] = []
        try:
            for record in records:
                self._change(record.id, partial(lifecycle.add, record=record), record=record)
                added.append(record.id)
        except BaseException:
            for job_id in added:
                self.withdraw(job_id)
            raise

    def add_within(self, connection: Any, jobs: Sequence[tuple[JobRecord, float]]) -> None:  # noqa: ARG002 - see there
        raise QueueError(
            f"{self!r} has no transaction that a job could join: enqueue after your commit, or "
            f"keep progress in your database (progress=SQLAlchemyProgress(...), DjangoProgress())"
        )

    def open_transaction(self) -> Any:
        return None

    def settle(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        longest_gap: float = 0.0,
        retry_in: float | None = None,
        notes: Sequence[Note] = (),
    ) -> Settled:
        if isinstance(outcome, Completed) and not notes:  # noqa: SIM102 - two questions
            if self._complete_at_once(claim, outcome, longest_gap):
                return Settled(State.COMPLETED)
        transition = self._to_settle(
            claim, outcome, longest_gap=longest_gap, retry_in=retry_in, notes=notes
        )
        return self._change(claim.id, transition, is_retried=True)

    def release(self, claim: Claim) -> None:
        self._change(claim.id, partial(lifecycle.release, claim=claim))

    def confirm(self, record: JobRecord) -> None:

        def confirmed(row: Row, _now: float, _told: list[Told]) -> None:
            if row.issued == record.delivery and not row.state.is_running:
                row.lease_until = None

        self._change(record.id, confirmed)

    def recover(
        self, *, limits: Callable[[str], Limits] | None = None, limit: int = 100
    ) -> builtins.list[Recovered]:
        asked = limits or (lambda _name: DEFAULT_LIMITS)
        transition = partial(lifecycle.recover, limits=asked, lease=self.lease)
        found: builtins.list[Recovered] = []
        for job_id in self._expired(limit):
            try:
                recovered = self._change(job_id, transition)
            except StoreBusyError:
                continue  # it is found again
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - a damaged row has many
                self._tell_damaged(job_id, error)
                self._set_aside(job_id)
            else:
                found += [] if recovered is None else [recovered]
        return found

    def lose(self, job_id: str, executions: int) -> JobInfo | None:
        transition = partial(lifecycle.lose, executions=executions, lease=self.lease)
        with contextlib.suppress(JobNotFoundError):
            return self._change(job_id, transition)
        return None

    def unconfirm(self, job_id: str, executions: int, wait: float) -> None:
        transition = partial(lifecycle.unconfirm, executions=executions, wait=wait)
        with contextlib.suppress(JobNotFoundError):
            self._change(job_id, transition)

    def expire(self, job_id: str, worker: str) -> None:

        def expired(row: Row, now: float, _told: list[Told]) -> None:
            if row.worker == worker:
                row.lease_until = now

        with contextlib.suppress(JobNotFoundError):
            self._change(job_id, expired)

    # --- for people

    def find(self, job_id: str) -> JobInfo:
        return self._read(job_id).info()

    def result(self, job_id: str) -> JobResult:
        return self._read(job_id).ending()

    def request(self, job_id: str, verb: str, *, reason: str | None = None) -> Requested:
        transition = partial(lifecycle.request, verb=verb, lease=self.lease, reason=reason)
        return self._change(job_id, transition)

    def _infos(self, rows: Iterable[tuple[str, Callable[[], Row]]]) -> Iterator[JobInfo]:
        """Jobs as people see them, without those that cannot be read, by id and what reads each."""
        for job_id, read in rows:
            try:
                info = read().info()
            except JobNotFoundError:
                continue  # it was pruned meanwhile
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - as in `recover`
                self._tell_damaged(job_id, error)
            else:
                yield info

    def _tell_damaged(self, job_id: str, error: Exception) -> None:
        if job_id not in self._told_damaged:
            self._told_damaged.add(job_id)
            logger.error("Job %s cannot be read in %r and is set aside: %r", job_id, self, error)

    def _to_settle(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        longest_gap: float,
        retry_in: float | None,
        notes: Sequence[Note],
    ) -> Transition[Settled]:
        return partial(
            lifecycle.settle,
            claim=claim,
            outcome=outcome,
            retry_in=retry_in,
            longest_gap=longest_gap,
            notes=notes,
            lease=self.lease,
        )

    # --- what a store may do in one round trip, where no more is to it

    def _claim_at_once(self, record: JobRecord, worker: str) -> Claim | None:  # noqa: ARG002 - as a store sees it
        """Claim a job that simply waits; `None`: see what it needs."""
        return None

    def _complete_at_once(self, claim: Claim, outcome: Completed, longest_gap: float) -> bool:  # noqa: ARG002 - as above
        """Write that the job has returned, if `claim` still holds; False: see what it needs."""
        return False

    # --- what each of ours does in its own way

    @abstractmethod
    def _change(
        self,
        job_id: str,
        transition: Transition[A],
        *,
        record: JobRecord | None = None,
        is_retried: bool = False,
    ) -> A:
        """Read a row, change it, and write it and what is told, atomically.

        Where there is none, it is made from `record`; `JobNotFoundError` without that.
        `is_retried`: the caller tries again, so that no lock need be waited for at length.
        """

    @abstractmethod
    def _read(self, job_id: str) -> Row:
        """One row; `JobNotFoundError` where there is none."""

    @abstractmethod
    def _expired(self, limit: int) -> list[str]:
        """The ids of rows whose leases have ended."""

    @abstractmethod
    def _set_aside(self, job_id: str) -> None:
        """A row cannot be read: recovery finds it no more."""

    def version(self) -> object:
        """Not known: to ask for it would take as long as to ask for the requests."""
        return None
