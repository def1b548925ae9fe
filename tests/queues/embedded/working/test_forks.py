"""Jobs that start processes of their own: those hold no lock of the worker's, and cost it none."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path

import pytest

from continuable import App
from continuable.model.states import State
from continuable.queues.embedded.liveness import dead_workers
from tests.queues.embedded.working.jobs import Marks
from tests.queues.embedded.working.process import is_alive
from tests.waiting import until

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def make_app(path: Path) -> App:
    app = App(f"sqlite:///{path}", defaults={"resume_options": {"wait": 0.0}})
    marks = Marks(path.parent)

    @app.job(name="add")
    def add(job, a):
        return a + 1

    @app.job(name="starting", save_every=0.05)
    def starting(job, child):
        @job.step(start=0)
        def turn(step):
            if job.executions == 1:
                marks.leave("child", str(CHILDREN[child](app, marks)))
            marks.leave(f"started-{job.executions}")
            while not marks.is_left("go"):
                step.advance()
                time.sleep(0.002)

    return app


def forked(app: App, marks: Marks) -> int:
    return os.fork() or time.sleep(600)


def forked_and_busy(app: App, marks: Marks) -> int:
    """A child that uses the queue, asks which workers are alive, and closes all it has."""
    pid = os.fork()
    if pid == 0:
        told = ""
        try:
            app.jobs["add"].enqueue(1)
            app.queue.board.list()
            path = app.queue.database.path
            assert not dead_workers(path, app.queue.table.workers())
            app.jobs["add"].enqueue(2)
            app.queue.close()
            os.closerange(3, 1000)
        except BaseException:
            told = traceback.format_exc()
        marks.leave("trouble of the child", told)
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def forked_and_astray(app: App, marks: Marks) -> int:
    """A child whose exception escapes from the job, as it does where nothing catches it."""
    pid = os.fork()
    if pid == 0:
        raise ValueError("in the child")
    os.waitpid(pid, 0)
    return pid


def started(app: App, marks: Marks) -> int:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


CHILDREN = {
    "forked": forked,
    "forked and astray": forked_and_astray,
    "forked and busy": forked_and_busy,
    "started": started,
}


@pytest.fixture
def app(path):
    app = make_app(path)
    with closing(app.queue):
        yield app


@pytest.fixture
def child(marks):
    """The process that the job has started; it does not outlive the test."""
    yield lambda: int(marks.read("child"))
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(marks.read("child")), signal.SIGKILL)


@pytest.mark.parametrize("how", ["forked", "started"])
def test_a_child_that_outlives_its_worker_does_not_keep_the_job(
    app, work_elsewhere, marks, child, how
):
    handle = app.jobs["starting"].enqueue(how)
    victim = work_elsewhere(jobs=__name__)
    until(lambda: marks.is_left("started-1"))
    other = work_elsewhere(jobs=__name__)
    other.await_start()
    victim.kill()
    until(lambda: marks.is_left("started-2"))
    assert is_alive(child())
    assert (handle.info().reason, handle.info().resumptions) == ("died", 1)
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    assert other.stop() == 0


def test_a_child_that_comes_out_of_the_job_ends_and_settles_nothing(app, work_elsewhere, marks):
    handle = app.jobs["starting"].enqueue("forked and astray")
    worker = work_elsewhere(jobs=__name__)
    until(lambda: marks.is_left("started-1"))
    assert handle.state() is State.RUNNING
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    info = handle.info()
    assert (info.executions, info.resumptions, info.error) == (1, 0, None)
    assert worker.stop() == 0


def test_a_child_that_uses_the_queue_and_ends_does_not_cost_the_worker_its_lock(
    app, work_elsewhere, marks, path
):
    handle = app.jobs["starting"].enqueue("forked and busy")
    worker = work_elsewhere(jobs=__name__)
    until(lambda: marks.is_left("started-1"))
    assert marks.read("trouble of the child") == ""
    assert dead_workers(path, app.queue.table.workers()) == set()
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    assert handle.info().executions == 1
    until(lambda: app.queue.board.counts() == {State.COMPLETED: 3})
    assert worker.stop() == 0
