"""Workers forget old jobs by themselves."""

import threading
from datetime import timedelta

import pytest

from continuable import App
from continuable.model.states import State
from continuable.queues.embedded.worker import Worker, WorkerOptions
from tests.waiting import until


def test_a_worker_forgets_completed_jobs_and_leaves_failed_ones(path):
    app = App(f"sqlite:///{path}", keep_finished=timedelta())
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


@pytest.mark.parametrize("age", [timedelta(seconds=-1), 30, "30d"])
def test_what_is_no_age_is_refused(age):
    with pytest.raises(ValueError, match=r"keep_finished is a timedelta, such as timedelta\(days="):
        App(keep_finished=age)
