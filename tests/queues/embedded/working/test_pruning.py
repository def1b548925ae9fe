"""Workers forget old jobs by themselves."""

import threading

import pytest

from continuable import App
from continuable.model.states import State
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.embedded.worker import Worker, WorkerOptions
from tests.waiting import until


def test_a_worker_forgets_completed_jobs_and_leaves_failed_ones(path):
    app = App(queue=EmbeddedQueue(path, keep_finished=0.0))
    stop = threading.Event()

    @app.job(name="fine")
    def fine(job): ...

    @app.job(name="failing")
    def failing(job):
        raise ValueError("no luck")

    @app.job(name="last")
    def last(job):
        until(lambda: done.id not in ids())
        stop.set()

    def ids():
        return [job.id for job in app.queue.board.list()]

    done, failed = fine.enqueue(), failing.enqueue()
    Worker(app.queue, WorkerOptions(drain=True)).run()
    last.enqueue()
    Worker(app.queue, WorkerOptions(drain=True)).run()
    assert stop.is_set()
    assert failed.state() is State.FAILED
    app.queue.close()


def test_an_age_below_zero_is_refused(path):
    with pytest.raises(ValueError, match="keep_finished"):
        EmbeddedQueue(path, keep_finished=-1)
