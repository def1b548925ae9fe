"""Short jobs, many at a time: each runs once, whatever happens to their workers."""

import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest

from continuable import App
from continuable.model.states import State
from continuable.queues.embedded.liveness import workers_folder
from tests.waiting import until

JOBS = 3000


def make_app(path: Path) -> App:
    app = App(f"sqlite:///{path}", defaults={"resume_options": {"wait": 0.0}, "max_deaths": 99})
    journal = os.open(path.with_name("journal"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    @app.job(name="note")
    def note(job, number):
        os.write(journal, f"{number}\n".encode())
        return number

    @app.job(name="kill")
    def kill(job):
        if job.executions == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    return app


@pytest.fixture
def app(path):
    app = make_app(path)
    yield app
    app.queue.close()


@pytest.fixture
def noted(path):
    """How often each number was noted."""
    return lambda: Counter(map(int, path.with_name("journal").read_text().split()))


def calls(count, start=0):
    return [(number,) for number in range(start, start + count)]


def left_behind(path):
    return [file.suffix for file in workers_folder(path).iterdir()]


def test_what_has_returned_is_not_run_again_when_a_later_job_kills_the_worker(
    app, work_elsewhere, noted, path
):
    app.jobs["note"].enqueue_many(calls(200))
    killer = app.jobs["kill"].enqueue()
    handles = app.jobs["note"].enqueue_many(calls(200, 200))
    assert work_elsewhere(jobs=__name__).wait() == -signal.SIGKILL
    before = sum(noted().values())
    assert before == 200
    assert work_elsewhere(jobs=__name__, drain=True).wait() == 0
    assert noted() == Counter(range(400))
    assert (killer.info().executions, killer.info().resumptions) == (2, 1)
    assert {handle.info().executions for handle in handles} == {1}
    assert [handle.result() for handle in handles] == list(range(200, 400))
    assert left_behind(path) == []


def test_workers_that_are_killed_at_any_moment_redo_only_what_they_were_at(
    app, work_elsewhere, noted
):
    """Two workers at a time, so that each also finds what the other has left."""
    chance = random.Random(7)
    handles = app.jobs["note"].enqueue_many(calls(JOBS))
    kills = 0
    workers = [work_elsewhere(jobs=__name__) for _ in range(2)]
    while (done := len(noted())) < JOBS:
        goal = min(JOBS, done + chance.randrange(1, 600))
        until(lambda goal=goal: len(noted()) >= goal)
        workers.pop(0).kill()
        kills += 1
        workers.append(work_elsewhere(jobs=__name__))
    until(lambda: app.queue.board.counts() == {State.COMPLETED: JOBS})
    for worker in workers:
        worker.await_start()
        assert worker.stop() == 0
    assert sum(noted().values()) - JOBS <= kills
    assert sum(handle.info().executions for handle in handles) - JOBS <= kills
    assert set(noted()) == set(range(JOBS))


def test_a_stop_among_short_jobs_leaves_everything_settled(app, work_elsewhere, noted, path):
    handles = app.jobs["note"].enqueue_many(calls(JOBS))
    worker = work_elsewhere(jobs=__name__)
    until(lambda: len(noted()) > 100)
    assert worker.stop() == 0
    states = Counter(handle.state() for handle in handles)
    assert set(states) == {State.COMPLETED, State.WAITING}
    assert states[State.COMPLETED] == len(noted())
    assert {handle.info().executions for handle in handles} == {0, 1}
    assert left_behind(path) == []
    assert work_elsewhere(jobs=__name__, drain=True, threads=3).wait() == 0
    assert noted() == Counter(range(JOBS))
