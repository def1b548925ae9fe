"""Whatever workers, people and zombies do to the job table, its jobs stand where a model says."""

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from continuable.core.interrupt import DIED, PAUSED, STOPPING
from continuable.core.options import DEFAULTS
from continuable.core.outcome import Cancelled, Completed, ErrorReport, Failed, Suspended
from continuable.errors import JobStateError, QueueError
from continuable.model.states import REQUESTS, State
from continuable.progress import Save
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.liveness import WorkerLock
from continuable.queues.embedded.table import JobTable
from continuable.worker.runner import RunResult
from tests.queues.embedded.conftest import Clock, enqueueing

WORKERS = ("one", "two")
READY = {State.WAITING, State.INTERRUPTED}
WHICH = st.sampled_from([0, 0, 1, 2, 3, 4])
"""Of the claims, those that hold first."""
MOST = 4
"""Jobs: more would seldom meet."""
CURSORS = st.integers(1, 4)


@dataclass
class Expected:
    """A job, as the model knows it."""

    id: str
    number: int
    queue: str
    priority: int
    unique: str | None
    due: float | None
    state: State = State.WAITING
    worker: str | None = None
    claim: object = None
    """The claim that may write."""
    cursor: int | None = None
    executions: int = 0
    resumptions: int = 0
    deaths: int = 0
    ended: object = None
    """The claim whose end was written last, and may be written again."""


@dataclass
class Zombie:
    """A claim, which may have been taken away long ago."""

    claimed: object
    job: Expected
    began_at: int | None
    sequence: int = 0

    @property
    def holds(self) -> bool:
        return self.job.claim is self

    def next_save(self, cursor: int) -> Save:
        self.sequence += 1
        return Save(
            self.claimed.id,
            self.claimed.fence,
            self.claimed.worker,
            self.sequence,
            document(cursor),
            made_progress=cursor != self.began_at,
        )


def document(cursor: int | None) -> str:
    return "{}" if cursor is None else f'{{"completed":[],"current":["rows",{cursor}]}}'


class Table(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "jobs.db"
        self.clock = Clock()
        self.table = JobTable(JobDatabase(self.path, clock=self.clock))
        self.locks = [WorkerLock(self.path, worker) for worker in WORKERS]
        for lock in self.locks:
            lock.acquire()
        self.expected: dict[str, Expected] = {}
        self.zombies: list[Zombie] = []

    def teardown(self):
        for lock in self.locks:
            lock.release()
        self.table.database.close()
        self.folder.cleanup()

    # --- the application

    @initialize()
    def begin(self):
        for priority in (1, 0):
            self.enqueue("x", priority, 0, "k")
        self.claim("one", None)

    @precondition(lambda self: len(self.expected) < MOST)
    @rule(
        queue=st.sampled_from("xy"),
        priority=st.integers(0, 2),
        wait=st.sampled_from([0, 5]),
        unique=st.sampled_from([None, None, "k"]),
    )
    def enqueue(self, queue, priority, wait, unique):
        number = len(self.expected)
        item = enqueueing(f"job-{number}", queue=queue, priority=priority, wait=wait, unique=unique)
        [added] = self.table.enqueue([item])
        holder = self.holder(unique)
        assert (added.id, added.is_new) == (holder.id if holder else item.record.id, not holder)
        if not holder:
            due = self.clock.now + wait if wait else None
            self.expected[added.id] = Expected(added.id, number, queue, priority, unique, due)

    @rule(seconds=st.sampled_from([1.0, 4.0, 10.0]))
    def pass_time(self, seconds):
        self.clock.pass_by(seconds)

    # --- workers

    @rule(worker=st.sampled_from(WORKERS), queues=st.sampled_from([None, None, ["x"], ["y", "x"]]))
    def claim(self, worker, queues):
        self.taken(self.table.claim_next(worker, queues), self.next(queues), worker)

    @rule(which=WHICH, cursor=CURSORS)
    def save(self, which, cursor):
        zombie = self.pick(which)
        gone = self.table.save([zombie.next_save(cursor)])
        self.saved(zombie, cursor, is_written=not gone)

    @rule(which=WHICH, cursor=CURSORS, ending=st.sampled_from(["COMMIT", "ROLLBACK"]))
    def commit(self, which, cursor, ending):
        zombie = self.pick(which)
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            is_written = self.table.commit(connection, zombie.next_save(cursor))
            assert is_written is zombie.holds
            connection.execute(ending)
        if ending == "COMMIT":
            self.saved(zombie, cursor, is_written=is_written)

    @rule(which=WHICH, cursor=CURSORS, more=st.booleans())
    def complete(self, which, cursor, more):
        outcome = Completed(result="1", progress=document(cursor))
        self.settle(self.pick(which), outcome, cursor, more=more)

    @rule(
        which=WHICH,
        cursor=CURSORS,
        wait=st.sampled_from([0.0, 5.0]),
        reason=st.sampled_from([STOPPING, "isolating", PAUSED]),
        asked=st.sampled_from([None, None, "pause", "cancel"]),
    )
    def suspend(self, which, cursor, wait, reason, asked):
        zombie = self.pick(which)
        if asked:
            self.request(zombie.job, asked)
        outcome = Suspended(
            reason=reason,
            description="somewhere",
            progress=document(cursor),
            wait=wait,
            queue=None,
            priority=None,
            is_counted=reason == STOPPING,
        )
        self.settle(zombie, outcome, cursor)

    @rule(which=WHICH, retry_in=st.sampled_from([None, 0.0, 5.0]))
    def fail(self, which, retry_in):
        zombie = self.pick(which)
        failed = Failed(
            error=ValueError(),
            report=ErrorReport("ValueError", ""),
            progress=zombie.claimed.progress,
            made_progress=False,
            may_retry=True,
        )
        self.settle(zombie, failed, zombie.began_at, retry_in=retry_in)

    @rule(which=WHICH, cursor=CURSORS)
    def give_up(self, which, cursor):
        outcome = Cancelled(reason="no use", progress=document(cursor))
        self.settle(self.pick(which), outcome, cursor)

    @rule(which=WHICH)
    def release(self, which):
        zombie = self.pick(which)
        if zombie.sequence:
            return  # it was started
        self.table.release(zombie.claimed)
        if zombie.holds:
            job = zombie.job
            job.executions -= 1
            self.put_back(job, State.INTERRUPTED if job.executions else State.WAITING)

    @rule(worker=st.sampled_from(WORKERS), has_died=st.booleans())
    def lose(self, worker, has_died):
        held = [job for job in self.expected.values() if job.worker == worker]
        lost = self.table.reclaim([worker], DIED if has_died else STOPPING)
        assert sorted(info.id for info in lost) == sorted(job.id for job in held)
        for job in held:
            job.deaths += has_died
            is_poison = has_died and job.deaths >= DEFAULTS.max_deaths
            wanted = self.put_back(job, State.FAILED if is_poison else State.INTERRUPTED)
            job.resumptions += wanted not in {State.FAILED, State.CANCELLED}

    # --- people

    @rule(number=st.integers(0, MOST - 1), verb=st.sampled_from(sorted(REQUESTS)))
    def ask(self, number, verb):
        if job := self.expected.get(f"job-{number}"):
            self.request(job, verb)

    def request(self, job, verb):
        state = REQUESTS[verb].get(job.state)
        revives = state and job.state.is_finished and not state.is_finished
        if state is None:
            with pytest.raises(JobStateError):
                self.table.request(job.id, verb)
            return
        if revives and self.holder(job.unique):
            with pytest.raises(QueueError, match="unique key"):
                self.table.request(job.id, verb)
            return
        self.table.request(job.id, verb)
        job.state, job.due = state, None
        if verb in {"retry", "restart"}:
            job.resumptions = job.deaths = 0
        if verb == "restart":
            job.worker = job.claim = job.cursor = job.ended = None

    # --- what must hold

    @invariant()
    def every_job_stands_where_it_should(self):
        found = {job.id: job for job in self.table.list(limit=1000)}
        assert found.keys() == self.expected.keys()
        for job_id, job in self.expected.items():
            info = found[job_id]
            assert info.state is job.state
            assert (info.worker, info.cursor) == (job.worker, job.cursor)
            assert (info.executions, info.resumptions) == (job.executions, job.resumptions)
            assert info.deaths == job.deaths
            assert (info.finished_at is not None) is job.state.is_finished
            assert (info.worker is not None) is job.state.is_running

    @invariant()
    def they_are_counted(self):
        states = [job.state for job in self.expected.values()]
        assert self.table.counts() == {state: states.count(state) for state in set(states)}

    # --- the model

    def holder(self, unique):
        jobs = self.expected.values()
        keys = (job for job in jobs if job.unique == unique and not job.state.is_finished)
        return next(keys, None) if unique else None

    def next(self, queues):
        ready = [
            job
            for job in self.expected.values()
            if job.state in READY
            and (job.due is None or job.due <= self.clock.now)
            and (queues is None or job.queue in queues)
        ]
        return min(ready, key=lambda job: (-job.priority, job.number), default=None)

    def pick(self, which):
        claims = sorted(self.zombies, key=lambda zombie: not zombie.holds)
        return claims[which % len(claims)]

    def taken(self, claimed, job, worker):
        assert (claimed and claimed.id) == (job and job.id)
        if claimed is None:
            return
        zombie = job.claim = Zombie(claimed, job, job.cursor)
        self.zombies.insert(0, zombie)
        job.state, job.worker, job.due, job.ended = State.RUNNING, worker, None, None
        job.executions += 1
        assert claimed.progress == document(job.cursor)

    def saved(self, zombie, cursor, *, is_written):
        assert is_written is zombie.holds
        if is_written:
            self.move(zombie.job, cursor, zombie.began_at)

    def move(self, job, cursor, before):
        job.cursor = cursor
        if cursor != before:
            job.deaths = 0

    def settle(self, zombie, outcome, cursor, *, more=False, retry_in=None):
        holds = zombie.holds
        ran = RunResult(zombie.claimed, outcome, retry_in=retry_in)
        if not more:
            is_again = zombie.job.ended is zombie
            assert (self.table.end(ran).state is not None) is (holds or is_again)
        else:
            following = self.table.end_and_claim_next(ran)
        if holds:
            self.ended(zombie, outcome, cursor, retry_in)
        if more:
            self.taken(following, self.next(None), zombie.claimed.worker)

    def ended(self, zombie, outcome, cursor, retry_in):
        job = zombie.job
        job.ended = zombie
        match outcome:
            case Completed():
                job.cursor, job.deaths = cursor, 0
                job.state, job.worker, job.claim = State.COMPLETED, None, None
                return
            case Suspended(reason=reason, wait=wait):
                job.resumptions += outcome.is_counted
                self.put_back(job, State.PAUSED if reason == PAUSED else State.INTERRUPTED, wait)
            case Failed() if retry_in is not None:
                self.put_back(job, State.INTERRUPTED, retry_in)
            case _:
                state = State.FAILED if isinstance(outcome, Failed) else State.CANCELLED
                job.state, job.worker, job.claim = state, None, None
        self.move(job, cursor, zombie.began_at)

    def put_back(self, job, state, wait=0.0):
        """The job is nobody's again; what was asked for meanwhile wins."""
        asked = {State.PAUSING: State.PAUSED, State.CANCELLING: State.CANCELLED}
        job.state = asked.get(job.state, state)
        job.worker = job.claim = job.due = None
        if wait and job.state is State.INTERRUPTED:
            job.due = self.clock.now + wait
        return job.state


TestTable = Table.TestCase
TestTable.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
