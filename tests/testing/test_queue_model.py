"""Whatever is done to a test queue, its jobs stand where a short model says."""

from contextlib import nullcontext
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from continuable import App
from continuable.model.states import REQUESTS, State
from continuable.testing import TestQueue

ITEMS = 3
READY = {State.WAITING, State.INTERRUPTED}


@dataclass
class Expected:
    """A job that does three items, as the model knows it."""

    fails: bool
    state: State = State.WAITING
    cursor: int = 0


class Queue(RuleBasedStateMachine):
    jobs = Bundle("jobs")

    def __init__(self):
        super().__init__()
        self.queue = TestQueue()
        self.app = App(queue=self.queue)
        self.expected = {}
        self.order = []
        self.done = []
        self.expected_done = []

        @self.app.job(resume_errors_after_advancing=False)
        def work(job, fails):
            @job.step(start=0)
            def items(step):
                while step.cursor < ITEMS:
                    self.done.append((job.id, step.cursor))
                    step.advance()

            if fails:
                raise LookupError(job.id)
            return job.id

        self.work = work

    @initialize(target=jobs)
    def enqueue_two(self):
        return multiple(self.enqueue(fails=False), self.enqueue(fails=False))

    @rule(target=jobs, fails=st.booleans())
    def enqueue(self, fails):
        job_id = f"job-{len(self.expected)}"
        self.work.using(id=job_id).enqueue(fails)
        self.expected[job_id] = Expected(fails)
        self.order.append(job_id)
        return job_id

    @rule(job_id=jobs, verb=st.sampled_from([*REQUESTS]))
    def request(self, job_id, verb):
        job = self.expected[job_id]
        before = job.state
        if before not in REQUESTS[verb]:
            return
        self.queue.board.request(job_id, verb)
        job.state = REQUESTS[verb][before]
        if verb == "restart":
            job.cursor = 0
        if job.state not in READY or before not in READY or verb == "restart":
            self.order = [other for other in self.order if other != job_id]
            self.order += [job_id] if job.state in READY else []

    @rule(stop_at=st.none() | st.integers(1, ITEMS), reason=st.sampled_from(["stopping", "paused"]))
    def run(self, stop_at, reason):
        self.queue.stopping = lambda job: reason if job.cursor == stop_at else None
        failed = self.model_run(stop_at, reason)
        with nullcontext() if failed is None else pytest.raises(LookupError, match=failed):
            self.queue.run_enqueued()

    def model_run(self, stop_at, reason):
        """The id of the job that fails, if one does."""
        for job_id in [*self.order]:
            job = self.expected[job_id]
            self.order.remove(job_id)
            stops = stop_at is not None and job.cursor < stop_at
            until = stop_at if stops else ITEMS
            self.expected_done += [(job_id, cursor) for cursor in range(job.cursor, until)]
            job.cursor = until
            if stops:
                job.state = State.PAUSED if reason == "paused" else State.INTERRUPTED
                self.order += [] if reason == "paused" else [job_id]
            else:
                job.state = State.FAILED if job.fails else State.COMPLETED
                if job.fails:
                    return job_id
        return None

    @invariant()
    def every_job_is_where_it_should_be(self):
        states = {job_id: self.app.handle(job_id).state() for job_id in self.expected}
        assert states == {job_id: job.state for job_id, job in self.expected.items()}
        assert self.done == self.expected_done

    @invariant()
    def those_that_wait_do_so_in_order(self):
        assert [job.id for job in self.queue.enqueued] == self.order


TestTheQueue = Queue.TestCase
TestTheQueue.settings = settings(max_examples=60, stateful_step_count=25)
