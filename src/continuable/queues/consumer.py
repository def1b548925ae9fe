"""Jobs that a queue delivers run here, against a store of durable progress."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from continuable.core.definition import Definition
from continuable.core.interrupt import CANCELLED, DIED, STOPPING
from continuable.core.outcome import Cancelled, Completed, Failed, Suspended
from continuable.errors import JobNotFoundError, StoreError
from continuable.events.emission import Emission
from continuable.events.log import try_to_log
from continuable.model.info import JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import ON_QUEUE, State
from continuable.progress.protocol import (
    Claim,
    Leased,
    Limits,
    Paused,
    ProgressStore,
    Settled,
    Stale,
)
from continuable.worker.deaths import tell_died, tell_failed
from continuable.worker.heartbeat import Heartbeat
from continuable.worker.identity import has_died, new_worker_id
from continuable.worker.maintenance import Maintenance, pruning
from continuable.worker.periodic import PeriodicTask
from continuable.worker.retrying import until_written
from continuable.worker.run import RunningJob
from continuable.worker.runner import Runner, RunResult

logger = logging.getLogger("continuable")

STOPPING_EVERY = 0.05
"""Seconds between two looks whether the process is to stop, where these cost next to nothing."""
DEATHS_INTERVAL = 5.0
"""Seconds between two looks for jobs of processes of this machine that are gone."""
LOOKS_AT = 1000
"""Jobs, the newest that wait: beyond these a look for lost messages would take long."""
UNREACHABLE_PAUSE = 1.0
"""Seconds until a delivery is tried again that the store could not be asked about."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The job has ended: so may its message."""

    outcome: Completed | Failed | Cancelled


@dataclass(frozen=True, slots=True)
class Requeue:
    """The job is to be resumed: send `record`, tell `Consumer.sent`, and then acknowledge."""

    record: JobRecord
    wait: float
    """Seconds before it may resume."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The job has raised `error`, and the engine runs it again, as `is_retried` has said.

    Once the engine's message is on its queue, tell `Consumer.sent` with `record`. A message of the
    engine's that is lost is followed by another one, as any that was not confirmed.
    """

    record: JobRecord
    error: BaseException


@dataclass(frozen=True, slots=True)
class Snooze:
    """Deliver the same message again, in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Discard:
    """The message is of no use: the job has ended, is paused, or another execution has it."""

    state: State | None


Delivered = Finished | Requeue | Retried | Snooze | Discard

A = TypeVar("A")


class Consumer:
    """What a worker process shares to run the jobs that its queue delivers.

    Args:
        jobs: Those whose code is here, by their names.
        store: Where their progress is kept.
        send: Puts a message on the queue, to be delivered in so many seconds. False: it may get
            lost, so that the job is to be looked at again when a lease has gone by.
        grace: Seconds that running jobs have once the process is to stop.
        passes: Exceptions that mean something to the queue, and come out of `run` untouched.
        is_stopping: Asked while jobs are running, where nobody calls `interrupt`.
        stopping_every: Seconds between two times.
        heartbeats: What else shows the engine that this process lives, or is told by it. It must
            not take long.
        maintenance: What else this process is to do now and then.
        missing: Of which of these jobs the engine has no message.
        keep_finished: Seconds after which completed and cancelled jobs are forgotten.
        begins_at_once: Whether it looks at its start for what others have left behind.
        recovers: Whether it looks for that at all.
    """

    def __init__(
        self,
        jobs: Mapping[str, Definition],
        store: ProgressStore,
        send: Callable[[JobRecord, float], bool | None],
        *,
        grace: float = 30.0,
        passes: tuple[type[BaseException], ...] = (),
        is_stopping: Callable[[], bool] | None = None,
        stopping_every: float = STOPPING_EVERY,
        heartbeats: Sequence[PeriodicTask] = (),
        maintenance: Sequence[PeriodicTask] = (),
        missing: Callable[[Sequence[JobInfo]], Collection[str]] | None = None,
        keep_finished: float | None = None,
        begins_at_once: bool = True,
        recovers: bool = True,
    ) -> None:
        self.worker = new_worker_id()
        self._jobs = jobs
        self._store = store
        self._send = send
        self._grace = grace
        self._unsendable: set[str] = set()
        self._taken: set[tuple[str, int]] = set()
        self._taking = threading.Lock()
        self._stops_at: float | None = None
        beats = [PeriodicTask("leases", store.lease / 3, self._renew), *heartbeats]
        if is_stopping is not None:
            beats.append(PeriodicTask("stopping", stopping_every, self._look_out, is_for_jobs=True))
        recovery = PeriodicTask("recovery", min(store.lease / 2, DEATHS_INTERVAL), self.recover)
        tasks = [recovery] if recovers else []
        if keep_finished is not None and store.is_durable:
            tasks.append(pruning(store, keep_finished))
        if missing is not None and store.is_durable:
            look = partial(self._look_for_lost, missing)
            tasks.append(PeriodicTask("lost messages", store.lease, look))
        self._is_stopping = is_stopping
        self._maintenance = Maintenance(
            self.worker, [*tasks, *maintenance], begins_at_once=begins_at_once
        )
        self._heartbeat = Heartbeat(store, self.worker, grace, beats, self._maintenance)
        self._runner = Runner(jobs, store, self._heartbeat, passes)

    def start(self) -> None:
        """Begin to mind what will be delivered, and what others have left behind."""
        self._heartbeat.start()

    def look_back(self) -> None:
        """See at once what others have left behind, and to all else that is done now and then."""
        self._maintenance.run_all()

    def interrupt(self, reason: str = STOPPING) -> None:
        """The process is to stop: running jobs at their next checkpoint, new ones not at all."""
        self._stops_at = time.monotonic() + self._grace
        self._heartbeat.interrupt_all(reason)

    def interrupt_running(self, reason: str = STOPPING) -> None:
        """Running jobs at their next checkpoint; the process goes on and takes others."""
        self._heartbeat.interrupt_all(reason)

    def close(self) -> None:
        """Once nothing runs any more."""
        self._runner.close()
        self._heartbeat.stop()

    def run(
        self,
        record: JobRecord,
        *,
        is_retry: bool = False,
        time_limit: float | None = None,
        is_retried: Callable[[BaseException], bool] | None = None,
    ) -> Delivered:
        """Run the job of a message that was delivered, if it may run here and now.

        `is_retry`: the queue delivers it again after a failure, by a rule of its own.
        `time_limit`: seconds after which the queue would end the execution by force, so that it
        had better be interrupted before.
        `is_retried`: whether the engine runs the job again after this error, by a rule of its own.
        Between the two the job waits, and has not failed.

        Raises `StoreError` where its end could not be written within the grace: then the message
        must not end, so that it is delivered again.
        """
        answer = self._claim(record, is_retry=is_retry)
        if not isinstance(answer, Claim):
            return answer
        with self._taken_once(answer) as is_taken:
            if not is_taken:
                return Snooze(self._store.lease)
            with self._given_back_if_unwritten(answer):
                started = partial(self._started, time_limit=time_limit, is_retried=is_retried)
                ran = self._runner.run(answer, started)
                settled = self._settle(ran)
            self._tell(ran, settled)
            return _delivered(ran, settled)

    async def arun(self, record: JobRecord, *, is_retry: bool = False) -> Delivered:
        """The same for an `async def` job, which runs on the event loop of the caller.

        A cancellation of the caller's reaches the job, whose progress is saved, and comes out.
        """
        answer = await undisturbed(lambda: self._claim(record, is_retry=is_retry))
        if not isinstance(answer, Claim):
            return answer
        with self._taken_once(answer) as is_taken:
            if not is_taken:
                return Snooze(self._store.lease)
            with self._given_back_if_unwritten(answer):
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError  # it came while the job was claimed
                ran = await self._runner.arun(answer, self._started)
                settled = await undisturbed(lambda: self._settle(ran))
            self._tell(ran, settled)
            return _delivered(ran, settled)

    def sent(self, record: JobRecord) -> None:
        """The message that resumes a job is on its queue."""
        try:
            self._store.confirm(record)
        except StoreError:
            return  # then it is sent once more, and the second one is found to be stale

    def recover(self) -> None:
        """Bring back the jobs of workers that have died, wherever they were.

        This process does so now and then by itself.
        """
        for job_id, worker in self._store.holders():
            if has_died(worker):
                self._store.expire(job_id, worker)
        for found in self._store.recover(limits=self._limits):
            if found.worker is not None:
                self._tell_died(found.info, found.worker)
            if found.record is not None:
                self._send_again(found.record, found.wait)

    def _look_for_lost(self, missing: Callable[[Sequence[JobInfo]], Collection[str]]) -> None:
        found = self._store.list(states=ON_QUEUE, limit=LOOKS_AT)
        # A store may be shared with an app whose messages are elsewhere.
        waiting = {job.id: job for job in found if job.name in self._jobs}
        for job_id in missing(list(waiting.values())):
            lost = self._store.lose(job_id, waiting[job_id].executions)
            if lost is not None:  # of a job that is registered here
                tell_failed(self._definition(lost.name).events, lost)

    def _send_again(self, record: JobRecord, wait: float) -> None:
        """A job that cannot be sent is tried again when a lease has gone by, and told of once."""
        try:
            if self._send(record, wait) is not False:
                self._store.confirm(record)
            self._unsendable.discard(record.id)
        except StoreError:
            raise
        except BaseException:  # noqa: BLE001 - the engine's, or of a user's code that it calls
            if record.id not in self._unsendable:
                self._unsendable.add(record.id)
                message = "Job %s cannot be put on its queue, and it is tried again"
                try_to_log(logging.ERROR, message, record.id, exc_info=True)

    def _claim(self, record: JobRecord, *, is_retry: bool) -> Claim | Snooze | Discard:
        self._look_out()
        if self._stops_at is not None:
            return Snooze(0.0)
        try:
            answer = self._ask_for(record, is_retry=is_retry)
            if isinstance(answer, Leased) and has_died(answer.worker):
                dead = answer.worker
                self._store.expire(record.id, dead)
                answer = self._ask_for(record, is_retry=is_retry)
                if not isinstance(answer, Leased):
                    self._tell_found_dead(record.id, dead)
        except StoreError:
            return Snooze(UNREACHABLE_PAUSE)
        match answer:
            case Leased(seconds):
                return Snooze(seconds)
            case Paused():
                return Discard(State.PAUSED)
            case Stale(state):
                return Discard(state)
            case claim:
                return claim

    def _ask_for(self, record: JobRecord, *, is_retry: bool) -> Claim | Leased | Paused | Stale:
        limits = self._limits(record.name)
        return self._store.claim(record, self.worker, limits=limits, is_retry=is_retry)

    @contextmanager
    def _taken_once(self, claim: Claim) -> Iterator[bool]:
        """While a job runs here. False: it runs already, under the very same claim.

        The store grants a claim again to the worker that holds it, whose answer may be lost.
        """
        taken = (claim.id, claim.fence)
        with self._taking:
            is_taken = taken not in self._taken
            self._taken.add(taken)
        try:
            yield is_taken
        finally:
            if is_taken:
                with self._taking:
                    self._taken.discard(taken)

    @contextmanager
    def _given_back_if_unwritten(self, claim: Claim) -> Iterator[None]:
        """While a job runs. An exception means that its end was not written: release the claim."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(StoreError):  # then its lease ends
                self._store.release(claim)
            raise

    def _settle(self, ran: RunResult) -> Settled:
        def settle(_timeout: float) -> Settled:
            return self._store.settle(
                ran.claimed,
                ran.outcome,
                longest_gap=ran.longest_gap,
                retry_in=ran.retry_in,
                notes=ran.notes,
            )

        return until_written(settle, ran.claimed.id, error=ran.error, is_over=self._is_grace_over)

    def _is_grace_over(self) -> bool:
        self._look_out()  # the job does not run any more, so that the heartbeat does not ask
        return self._stops_at is not None and time.monotonic() >= self._stops_at

    def _started(
        self,
        running: RunningJob,
        *,
        time_limit: float | None = None,
        is_retried: Callable[[BaseException], bool] | None = None,
    ) -> None:
        if time_limit is not None:
            running.limit(time_limit)
        if is_retried is not None:
            running.is_retried = is_retried
        if self._stops_at is not None:
            # It came between the stop and the call to all running jobs.
            running.attention.interrupt(STOPPING)

    # --- periodic tasks

    def _look_out(self) -> None:
        if self._stops_at is None and self._is_stopping is not None and self._is_stopping():
            self.interrupt()

    def _renew(self) -> None:
        if self._taken:
            self._store.renew(self.worker)

    def _limits(self, name: str) -> Limits:
        return Limits.of(self._jobs.get(name))

    # --- what the history tells and no execution does

    def _tell(self, ran: RunResult, settled: Settled) -> None:
        """A request has won over the way in which the execution ended."""
        if not isinstance(ran.outcome, Suspended):
            return
        description = ran.outcome.description
        if settled.state is State.PAUSED:
            self._emit(ran.claimed.identity(), "job.paused", description=description)
        elif settled.state is State.CANCELLED:
            self._emit(
                ran.claimed.identity(), "job.cancelled", reason=CANCELLED, description=description
            )

    def _tell_found_dead(self, job_id: str, worker: str) -> None:
        """The death of the job's worker was noticed when its message came again."""
        with contextlib.suppress(JobNotFoundError):  # it has just been pruned
            job = self._store.find(job_id)
            if job.reason == DIED and job.state is not State.COMPLETED:
                self._tell_died(job, worker)

    def _tell_died(self, job: JobInfo, worker: str) -> None:
        if self._jobs:
            tell_died(self._definition(job.name).events, job, worker)

    def _emit(self, record: JobRecord, name: str, **data: Any) -> None:
        if self._jobs:
            Emission(self._definition(record.name).events, record).emit(name, **data)

    def _definition(self, name: str) -> Definition:
        """That of the job, or of any: they share the events of their app."""
        return self._jobs.get(name) or next(iter(self._jobs.values()))


def _delivered(ran: RunResult, settled: Settled) -> Delivered:
    if settled.record is not None:
        if ran.is_engines_retry and ran.error is not None:
            return Retried(settled.record, ran.error)
        return Requeue(settled.record, _wait(ran))
    if settled.state is None or isinstance(ran.outcome, Suspended):
        return Discard(settled.state)  # taken over; or paused, or cancelled meanwhile
    return Finished(ran.outcome)  # type: ignore[arg-type]  # the only ones left


def _wait(ran: RunResult) -> float:
    if isinstance(ran.outcome, Suspended):
        return ran.outcome.wait
    return ran.retry_in or 0.0


async def undisturbed(work: Callable[[], A]) -> A:
    """Call `work` in a thread, to its end even if the caller is cancelled meanwhile."""
    working = asyncio.get_running_loop().run_in_executor(None, work)
    while not working.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([working])
    return working.result()
