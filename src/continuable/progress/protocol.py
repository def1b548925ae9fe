"""What a store of durable progress does: the contract of ours and of a third party's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from continuable.core.outcome import storable
from continuable.errors import DeserializationError
from continuable.model.info import JobInfo, JobResult
from continuable.model.payload import JobRecord
from continuable.model.states import State

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Collection

    from continuable.core.definition import Definition
    from continuable.core.outcome import Outcome
    from continuable.model.info import HistoryEntry


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a job may come back."""

    max_deaths: int = 3
    """Deaths in a row without progress after which it has failed."""
    max_resumptions: int | None = None
    """Resumptions after interruptions, errors and deaths; `None`: any number."""

    @classmethod
    def of(cls, job: Definition | None) -> Limits:
        """Those of a job; `None`: its code is not here."""
        if job is None:
            return DEFAULT_LIMITS
        return cls(job.options.max_deaths, job.options.max_resumptions)


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)  # not frozen: one is made for every save and commit
class Save:
    """The progress of a running job at one checkpoint."""

    id: str
    fence: int
    worker: str
    """With the fence, the proof that the claim is the writer's: worker ids are never used again."""
    sequence: int
    """Counts up within an execution: an older save never replaces a newer one."""
    document: str
    made_progress: bool = True
    """Whether a step was completed or a cursor moved since the execution began."""


LONGEST_NOTE = 16 * 1024
"""Characters of JSON."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Note:
    """What a running job itself wants told."""

    at: float
    """Seconds since the epoch."""
    event: str
    data: str
    """JSON."""

    @classmethod
    def of(cls, event: str, data: dict[str, Any]) -> Note:
        """A note of now. What JSON cannot carry is noted as its `repr`, and long text is cut."""
        try:
            text = json.dumps(data, default=repr)
        except (TypeError, ValueError):  # a key that is no text, or a circle
            text = json.dumps({"data": repr(data)})
        if len(text) > LONGEST_NOTE:
            text = json.dumps({"cut": text[:LONGEST_NOTE]})
        return cls(time.time(), storable(event[:LONGEST_NAME]), text)


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every execution
class Claim:
    """A job that its worker alone may run, until the claim ends or is taken away."""

    id: str
    name: str
    arguments: str
    queue: str | None
    priority: int
    executions: int
    """Including this one."""
    resumptions: int
    delivery: int
    """The number of the job's newest message."""
    envelope: str | None
    worker: str
    fence: int
    """The number of the claim: a higher one means that it has been taken away."""
    failures: int
    """In a row, without progress."""
    reason: str | None
    """Why it was interrupted last."""
    progress: str
    """JSON; the newest, be it from the message or from the store."""

    def record(self) -> JobRecord:
        """The job as plain data; `DeserializationError` where its progress is damaged."""
        record = self.identity()
        record.progress = self._read_progress()
        return record

    def identity(self) -> JobRecord:
        """The same without its progress, which may be damaged."""
        return JobRecord(
            id=self.id,
            name=self.name,
            arguments=self.arguments,
            queue=self.queue,
            priority=self.priority,
            executions=self.executions,
            resumptions=self.resumptions,
            delivery=self.delivery,
            envelope=self.envelope,
        )

    def _read_progress(self) -> dict[str, Any]:
        try:
            progress = json.loads(self.progress)
            if isinstance(progress, dict):
                return progress
            raise TypeError("it is of another shape")
        except (ValueError, TypeError, RecursionError) as error:
            raise DeserializationError(
                f"The progress of job {self.id!r} cannot be read: {self.progress[:200]!r}. Its "
                f"row was damaged, or written by something else; restart the job or discard it"
            ) from error


@dataclass(frozen=True, slots=True)
class Leased:
    """Another worker runs the job: look again when its lease can have ended."""

    seconds: float
    worker: str
    """Who."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The job is paused: its message may go, `resume` sends another."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The message is of no use any more: the job has ended, or a newer message was claimed."""

    state: State


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a job when its execution ended."""

    state: State | None
    """`None`: a newer execution had taken over, and nothing was written."""
    record: JobRecord | None = None
    """The message that resumes it, to be sent and then confirmed; `None`: it waits for none."""


@dataclass(frozen=True, slots=True)
class Requested:
    """What became of a request."""

    info: JobInfo
    record: JobRecord | None = None
    """The message that runs the job now, to be sent and then confirmed."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A job whose lease has ended."""

    info: JobInfo
    """As it is now."""
    worker: str | None
    """The id of the worker that held it; `None`: its message was never confirmed."""
    record: JobRecord | None = None
    """The message that resumes it, to be sent and then confirmed; `None`: it has failed, or what
    was asked of it has come about."""
    wait: float = 0.0
    """Seconds before which the message must not be delivered."""


class Keeper(Protocol):
    """Where the progress of running jobs is kept, and where they hear what is wanted of them."""

    is_durable: ClassVar[bool] = True
    """Does progress outlive its process, so that others can look for a job that was killed?"""
    can_commit: ClassVar[bool]
    """Does `commit` write into a transaction of the user's?"""
    controls_every: ClassVar[float]
    """Seconds between two looks at what is wanted of running jobs."""

    def save(self, saves: Iterable[Save], timeout: float | None = None) -> list[str]:
        """Write `saves`, and take their workers for alive.

        Args:
            saves: What to write. A lower sequence number leaves the newer progress as it is.
            timeout: Seconds to wait for a lock. The thread of a job waits briefly, since it may
                be its own transaction that holds the lock.

        Returns:
            The ids of the jobs that were taken away: nothing is written for those.

        Raises:
            StoreError: The store is away, full or locked: the same may be tried again.
        """
        ...

    def commit(self, connection: Any, save: Save, *, again: bool = False) -> bool:
        """Write `save` within the transaction that is open on the user's `connection`.

        `again`: the job's last commit was on this very connection, so it need not be looked at.

        Returns:
            Whether it was written; False: the job was taken away, so roll back.

        Raises:
            CheckpointError: There is no open transaction, it is on a database that does not hold
                this store, or the store cannot do that at all.
        """
        ...

    def is_in_transaction(self, connection: Any) -> bool:
        """Whether a transaction of the user's is open.

        On the `connection` of the last commit, which is `None` where there was none; or wherever
        else this store can see one.
        """
        ...

    def is_written(self, save: Save) -> bool:
        """Whether `save`, or a newer one of the same claim, is there for all to see."""
        ...

    def note(self, job_id: str, note: Note, timeout: float | None = None) -> None:
        """Add to a job's history. `JobNotFoundError` where it is gone."""
        ...

    def controls(self, worker: str) -> list[tuple[str, int, State]]:
        """The jobs that `worker` holds, each with its fence and what is wanted of it.

        A job it believes to hold that is missing here, or has another fence, was taken away.
        """
        ...

    def version(self) -> object:
        """Changes whenever `controls` may give another answer; `None`: only that can tell."""
        ...


class ProgressStore(Keeper, Protocol):
    """Durable progress of jobs that a queue delivers: one row per job, kept until pruned.

    Every method is one transaction: it has happened when it returns, and has not when it raises.
    All may be called from any thread. `StoreError` says that the store cannot be reached.
    """

    lease: float
    """Seconds for which a claim holds without a sign of life from its worker."""

    def add(self, records: Sequence[JobRecord]) -> None:
        """Jobs are enqueued from now on: people see them before they start.

        Raises `DuplicateJobError` for an id that is taken. Not everything that a queue delivers
        was added: whatever it knows nothing of, the store learns from its first claim.
        """
        ...

    def add_within(self, connection: Any, jobs: Sequence[tuple[JobRecord, float]]) -> None:
        """Jobs are enqueued if, and when, the transaction commits that is open on `connection`.

        Each comes with the seconds before which it must not start.
        Their messages are sent and confirmed after that; `recover` finds those that are not
        confirmed. Raises `QueueError` where the store cannot do that: it has no transactions, none
        is open, or `connection` is to another database.
        """
        ...

    def open_transaction(self) -> Any:
        """The connection of this thread with a transaction that new jobs are to join, if any."""
        ...

    def withdraw(self, job_id: str) -> None:
        """Forget a job that was added and never claimed: it could not be put on its queue."""
        ...

    def claim(
        self,
        record: JobRecord,
        worker: str,
        *,
        limits: Limits = DEFAULT_LIMITS,
        is_retry: bool = False,
    ) -> Claim | Leased | Paused | Stale:
        """Make the job of a delivered message `worker`'s, for `lease` seconds.

        The newest progress wins: that of the message where it comes from a later execution than
        the store knows of, else the store's own. A job whose lease has ended had a worker that
        died: this counts as a resumption with reason `died`, and as a failure where it exceeds
        `limits`. What `worker` holds already by a message of the same number it
        is granted again, since the first answer may have been lost: it must not ask twice on
        purpose. A job that has failed is over, unless this `is_retry`: its
        queue runs it again by a rule of its own.
        """
        ...

    def renew(self, worker: str) -> None:
        """Take `worker` for alive: the leases of all its jobs begin anew."""
        ...

    def holders(self) -> builtins.list[tuple[str, str]]:
        """The jobs that are held by a worker: the id of each, and whose it is."""
        ...

    def expire(self, job_id: str, worker: str) -> None:
        """`worker` has died: if it holds the job, its lease ends now."""
        ...

    def settle(
        self,
        claim: Claim,
        outcome: Outcome,
        *,
        longest_gap: float = 0.0,
        retry_in: float | None = None,
        notes: Sequence[Note] = (),
    ) -> Settled:
        """Write how an execution ended, if the claim still holds.

        What was asked for in the meantime wins: a pause holds the job, a cancel ends it. A
        `Failed` job is retried after `retry_in` seconds, where that is not `None`. The same end
        written again, since the answer was lost, changes nothing and gives the same answer.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Give back what was claimed and never started, as if it had not been."""
        ...

    def confirm(self, record: JobRecord) -> None:
        """The message that resumes a job is on its queue: there it can be waited for."""
        ...

    def recover(
        self, *, limits: Callable[[str], Limits] | None = None, limit: int = 100
    ) -> builtins.list[Recovered]:
        """Take jobs from workers whose leases have ended.

        Also those whose message was not confirmed for `lease` seconds. The caller of this
        sends the messages and confirms them; if it dies before, others find the jobs again.
        `limits` is asked by the name of each job whose worker has died.
        """
        ...

    def lose(self, job_id: str, executions: int) -> JobInfo | None:
        """The engine has no message of a job that waits for one: it fails with reason `lost`.

        `None`: nothing was written. It does not wait any more, has run since it had `executions`,
        or has waited for less than a lease, in which its message may be under way. A lost job runs
        nevertheless if its message is delivered after all.
        """
        ...

    def unconfirm(self, job_id: str, executions: int, wait: float) -> None:
        """The message of a job that waits for one is gone: `recover` has another in `wait` seconds.

        Nothing is written where the job does not wait any more, or has run since.
        """
        ...

    def find(self, job_id: str) -> JobInfo:
        """One job; `JobNotFoundError` where there is none."""
        ...

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first."""
        ...

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state that has any."""
        ...

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        """What was worth telling of a job, oldest first; the newest 200 entries."""
        ...

    def result(self, job_id: str) -> JobResult:
        """How a job stands; `JobNotFoundError` where there is none."""
        ...

    def request(self, job_id: str, verb: str, *, reason: str | None = None) -> Requested:
        """Pause, resume, cancel, retry or restart a job; `JobStateError` where that cannot be.

        `reason`: why it is cancelled, to be shown.
        """
        ...

    def discard(self, job_id: str) -> bool:
        """Forget a job with its progress, result and history. False: it has not ended, or is gone.

        A message of one that has not ended would bring it back.
        """
        ...

    def prune(self, older_than: float, *, failed: bool = False, limit: int | None = None) -> int:
        """Forget jobs that finished `older_than` seconds ago or earlier; how many those were.

        Those that have failed stay, for somebody to retry, unless `failed` says otherwise.
        `limit`: at most so many in this call.
        """
        ...
