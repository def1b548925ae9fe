"""The database while workers run: moved away, damaged, and on a disk that is full."""

import resource
import shutil
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from continuable import App
from continuable.errors import StoreError
from continuable.model.states import State
from continuable.queues.embedded.liveness import live_workers
from tests.queues.embedded.working.jobs import Marks
from tests.waiting import DEADLINE, until


def make_app(path: Path) -> App:  # noqa: C901 - one job after the other
    app = App(f"sqlite:///{path}", defaults={"resume_options": {"wait": 0.0}})
    marks = Marks(path.parent)

    @app.job(name="add")
    def add(job, a, b=0):
        return a + b

    @app.job(name="loop", save_every=0.05)
    def loop(job):
        @job.step(start=0)
        def turn(step):
            marks.leave(f"started-{job.executions}")
            while not marks.is_left("go"):
                step.advance()
                time.sleep(0.002)

    @app.job(name="filling", save_every=0.02)
    def filling(job, frees):
        """The disk fills up while it runs, until a mark says that there is room again."""

        @job.step(start=0)
        def turn(step):
            while not step.resumed and not app.handle(job.id).info().cursor:
                step.advance()
                time.sleep(0.002)
            if not step.resumed:
                fill_disk(path)
                if frees:
                    threading.Thread(target=free_at_mark, daemon=True).start()
                marks.leave("full", str(step.cursor))
            while not marks.is_left("go"):
                step.advance()
                if step.cursor % 100 == 0:
                    marks.leave("goes on", str(step.cursor))
                time.sleep(0.002)

    def free_at_mark():
        marks.await_("room")
        free_disk()

    return app


def fill_disk(path: Path) -> None:
    """From now on no file of this process becomes larger than the log of the database is."""
    log = path.with_name(f"{path.name}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (log, resource.RLIM_INFINITY))


def free_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.fixture
def app(path):
    app = make_app(path)
    with closing(app.queue):
        app.queue.database.open()
        yield app


@pytest.fixture
def work_elsewhere(work_elsewhere):
    return lambda **options: work_elsewhere(jobs=__name__, **options)


# --- a full disk


def test_progress_that_a_full_disk_refuses_is_saved_when_there_is_room(app, work_elsewhere, marks):
    handle = app.jobs["filling"].enqueue(True)
    worker = work_elsewhere()
    until(lambda: marks.is_left("full"))
    worker.await_log("Jobs go on, and it is tried again")
    saved = handle.info().cursor
    until(lambda: marks.is_left("goes on") and int(marks.read("goes on")) > saved + 200)
    assert handle.info().cursor == saved
    assert handle.state() is State.RUNNING
    assert worker.log.count("Jobs go on, and it is tried again") == 1
    assert "jobs.db cannot be used: " in worker.log
    marks.leave("room")
    until(lambda: handle.info().cursor > saved)
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    assert worker.stop() == 0


def test_an_interrupt_that_a_full_disk_refuses_is_written_within_the_grace(
    app, work_elsewhere, marks
):
    handle = app.jobs["filling"].enqueue(True)
    worker = work_elsewhere(grace=30)
    until(lambda: marks.is_left("full"))
    until(lambda: marks.is_left("goes on"))
    worker.send(signal.SIGTERM)
    worker.await_log(f"How job {handle.id} ended cannot be written yet")
    assert handle.state() is State.RUNNING
    marks.leave("room")
    assert worker.wait() == 0
    info = handle.info()
    assert (info.state, info.reason) == (State.INTERRUPTED, "stopping")
    assert info.cursor >= int(marks.read("goes on"))
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    assert (handle.state(), handle.info().executions) == (State.COMPLETED, 2)


def test_what_a_full_disk_refuses_for_longer_than_the_grace_resumes_from_the_last_save(
    app, work_elsewhere, marks
):
    handle = app.jobs["filling"].enqueue(False)
    worker = work_elsewhere(grace=0.5)
    until(lambda: marks.is_left("full"))
    until(lambda: marks.is_left("goes on"))
    assert worker.stop() == 1
    assert handle.info().cursor <= int(marks.read("full"))
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    info = handle.info()
    assert (info.state, info.executions, info.resumptions) == (State.COMPLETED, 2, 1)


def test_jobs_that_a_full_disk_refuses_are_refused_to_the_caller(app, path):
    first = app.jobs["add"].enqueue(1)
    fill_disk(path)
    try:
        with pytest.raises(StoreError, match="cannot be used"):
            app.jobs["add"].enqueue(2)
        with pytest.raises(StoreError, match="cannot be used"):
            app.jobs["add"].enqueue_many([(n,) for n in range(1000)])
    finally:
        free_disk()
    assert app.queue.board.counts() == {State.WAITING: 1}
    last = app.jobs["add"].enqueue(3)
    assert [app.queue.table.claim_next("me").id for _ in range(2)] == [first.id, last.id]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# --- moved away


def test_while_the_file_is_moved_away_jobs_go_on_and_none_are_taken(
    app, work_elsewhere, marks, path
):
    running = app.jobs["loop"].enqueue()
    worker = work_elsewhere(threads=2)
    until(lambda: marks.is_left("started-1"))
    due = app.jobs["add"].using(wait=1.0).enqueue(1)
    away = path.with_name("away.db")
    path.rename(away)
    worker.await_log("jobs.db was moved, deleted or replaced while it was open: put it back")
    worker.await_log("cannot take jobs now and tries again")
    with pytest.raises(StoreError, match="moved, deleted or replaced"):
        app.jobs["add"].enqueue(2)
    run_at = due.info().run_at.timestamp()
    marks.leave("go")
    until(lambda: time.time() > run_at + 0.3)
    assert due.state() is State.WAITING
    assert not path.exists()
    away.rename(path)
    assert due.result(timeout=DEADLINE) == 1
    until(lambda: running.state() is State.COMPLETED)
    assert running.info().executions == 1
    assert app.jobs["add"].enqueue(2).result(timeout=DEADLINE) == 2
    assert worker.log.count("cannot take jobs now") == 1
    assert worker.stop() == 0


def test_a_worker_whose_file_has_gone_for_good_stops_all_the_same(app, work_elsewhere, marks, path):
    app.jobs["loop"].enqueue()
    worker = work_elsewhere(grace=0.5)
    until(lambda: marks.is_left("started-1"))
    path.unlink()
    worker.await_log("was moved, deleted or replaced")
    worker.stop()
    assert "stops; its jobs have 0.5 s" in worker.log
    assert not path.exists()


@pytest.mark.parametrize("is_busy", [True, False])
def test_a_worker_whose_file_was_replaced_ends_and_the_next_one_opens_the_new_file(
    app, work_elsewhere, marks, path, is_busy
):
    if is_busy:
        app.jobs["loop"].enqueue()
    worker = work_elsewhere()
    worker.await_start()
    until(lambda: not is_busy or marks.is_left("started-1"))
    app.queue.close()
    for file in (path, *(path.with_name(f"{path.name}-{log}") for log in ("wal", "shm"))):
        file.unlink()
    new = make_app(path)
    handle = new.jobs["add"].enqueue(1)
    assert live_workers(path) == {}
    assert worker.wait() == 1
    assert work_elsewhere(drain=True).wait() == 0
    assert handle.result() == 1
    new.queue.close()


# --- damaged


def damage(path):
    """Break the first page of every table and index of the jobs."""
    roots = "SELECT rootpage FROM sqlite_schema WHERE tbl_name <> 'continuable_schema'"
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        starts = [(page - 1) * size for (page,) in connection.execute(roots) if page]
    content = bytearray(path.read_bytes())
    for start in starts:
        content[start : start + size] = b"\xff" * size
    path.write_bytes(content)


def test_a_worker_on_a_damaged_file_says_so_and_the_mended_file_has_all_jobs(
    app, work_elsewhere, path
):
    app.jobs["add"].enqueue_many([(n,) for n in range(500)])
    app.queue.close()
    backup = path.with_name("backup.db")
    shutil.copyfile(path, backup)
    damage(path)
    worker = work_elsewhere()
    worker.await_start()
    worker.await_log("it is damaged: stop the workers, then restore a backup")
    worker.await_log("cannot take jobs now and tries again")
    assert worker.stop() == 1  # it cannot even tell whether it holds jobs
    for file in path.parent.glob("jobs.db*"):
        if file.is_file():
            file.unlink()
    backup.rename(path)
    assert work_elsewhere(drain=True).wait() == 0
    assert app.queue.board.counts() == {State.COMPLETED: 500}
