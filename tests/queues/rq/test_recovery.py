"""Jobs that were on no queue when their worker died, and that idle or new workers bring back."""

import signal
import socket

import pytest
from rq.job import Job

from continuable.conformance.jobs import ROWS
from continuable.queues.rq import sentry
from tests.queues.rq.test_workers import hold
from tests.waiting import DEADLINE

pytestmark = pytest.mark.slow


def is_scheduled(project, handle):
    return handle.id in project.app.queue.queue(None).scheduled_job_registry.get_job_ids()


def is_stood(project):
    """Whether a worker stands it, and has seen to it that the next one to start does."""
    return any(
        project.connection.zcount(project.app.queue.queue(name).started_job_registry.key, 1, 1)
        for name in ("default", "elsewhere")
    )


@pytest.mark.parametrize("whom", ["an idle worker", "a new worker"])
def test_a_job_comes_back_after_its_wait_though_its_scheduler_was_killed(
    project, start, tmp_path, whom
):
    handle = project.come_back_much_later.enqueue(str(tmp_path / "notes"))
    first = start()
    first.until(lambda: is_scheduled(project, handle), "the wait")
    first.until(lambda: is_stood(project), "the sentry")
    if whom == "an idle worker":
        second = start(has_scheduler=False)
        second.until(lambda: "Listening" in second.log, "its start")
    first.signal_all(signal.SIGKILL)
    first.wait()
    if whom == "a new worker":
        start()
    assert handle.result(timeout=DEADLINE) is None
    before, after = map(float, (tmp_path / "notes").read_text().split())
    assert after - before >= project.LONG_WAIT
    assert handle.info().executions == 2


def test_a_sentry_that_is_stood_when_all_are_killed_is_stood_by_the_next_worker(
    project, start, journal, tmp_path
):
    handle = project.copy_rows.enqueue(str(tmp_path))
    first = start()
    hold(journal, first)
    second = start()
    second.until(lambda: is_stood(project), "the sentry")
    for worker in (first, second):
        worker.signal_all(signal.SIGKILL)
        worker.wait()
    third = start()
    third.until(lambda: len(journal.begins) == 2, "another execution")
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    third.until(lambda: not project.connection.exists(Job.key_for(sentry.ID)), "the sentry's end")


def test_one_worker_stands_the_sentry_however_many_start(project, start, journal, tmp_path):
    handle = project.copy_rows.enqueue(str(tmp_path))
    hold(journal, start())
    workers = [start() for _ in range(3)]

    def standing():
        return [worker for worker in workers if worker.log.count("stands by") > 0]

    workers[0].until(standing, "the sentry")
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    workers[0].until(lambda: not project.connection.keys(f"*{sentry.ID}*"), "its end")
    assert not project.app.queue.queue(None).failed_job_registry.get_job_ids()


# --- Redis that takes no writes


def fill(client):
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")


def drain(client):
    client.config_set("maxmemory", "0")


def follow(client):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client.replicaof("127.0.0.1", unused.getsockname()[1])


def lead(client):
    client.replicaof("NO", "ONE")


@pytest.fixture
def refusing(redis_server):
    """Have Redis take no writes, and take them again."""
    with redis_server.connected() as client:
        yield lambda how: {"full": fill, "read-only": follow}[how](client)
        drain(client)
        lead(client)


@pytest.fixture
def accepting(redis_server):
    def accept():
        with redis_server.connected() as client:
            drain(client)
            lead(client)

    return accept


@pytest.mark.parametrize("whom", ["an idle worker", "a new worker"])
@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_job_that_is_stopped_while_redis_takes_no_writes_is_back_when_it_does(
    project, start, journal, tmp_path, refusing, accepting, how, whom
):
    handle = project.copy_rows.enqueue(str(tmp_path))
    first = start()
    hold(journal, first)
    if whom == "an idle worker":
        second = start(has_scheduler=False)
        second.until(lambda: is_stood(project), "the sentry")
    refusing(how)

    def stopped():
        first.signal_main(signal.SIGTERM)
        return not first.is_alive

    first.until(stopped, "its end")
    accepting()
    if whom == "a new worker":
        second = start()
    second.until(lambda: len(journal.begins) == 2, "another execution")
    journal.release()
    assert handle.result(timeout=DEADLINE) == ROWS
    assert journal.rows == list(range(ROWS))
