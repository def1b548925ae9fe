"""Celery passes the suite for queues with RabbitMQ as its broker, where there is one."""

import contextlib
import os
import signal
from importlib import import_module
from pathlib import Path

import kombu
import pytest
from amqp.exceptions import NotFound
from celery.states import FAILURE

from continuable.conformance import QueueSuite
from continuable.conformance.engine import await_hold, enqueue, folder_of, result
from continuable.conformance.jobs import ELSEWHERE, HELD_AT, ROWS
from continuable.model.states import State
from tests.queues.celery.conftest import OLDER, worker_command
from tests.servers.rabbitmq import RabbitMQServer, commands

pytestmark = pytest.mark.slow

PROJECT = "tests.queues.celery.project_on_rabbitmq"
ADDRESS = "CONTINUABLE_TEST_RABBITMQ"


@pytest.fixture(scope="module")
def rabbitmq():
    """A node that a test may restart; `None`: there is only one that others use too, or none."""
    if ADDRESS in os.environ or commands() is None:
        yield None
        return
    server = RabbitMQServer()
    os.environ[ADDRESS] = server.url
    yield server
    del os.environ[ADDRESS]
    server.end()


@pytest.fixture(scope="module")
def project_on_rabbitmq(worker_environment, rabbitmq):
    project = import_module(PROJECT)
    try:
        with kombu.Connection(project.RABBITMQ, connect_timeout=2) as connection:
            connection.connect()
    except OSError as error:
        pytest.skip(f"no RabbitMQ at {project.RABBITMQ} (CONTINUABLE_TEST_RABBITMQ): {error}")
    each_queue(project, "queue_delete")  # it may have been declared otherwise
    yield project
    each_queue(project, "queue_delete")


def each_queue(project, method):
    with kombu.Connection(project.RABBITMQ) as connection:
        for name in (project.QUEUE, ELSEWHERE):
            with contextlib.suppress(NotFound), connection.channel() as channel:
                getattr(channel, method)(name)


class TestCeleryOnRabbitMQ(QueueSuite):
    kinds = ("prefork",)
    hurries = ((signal.SIGINT, signal.SIGINT),)

    # What the broker has no part in is shown on Redis.
    test_a_running_job_is_paused_and_resumed = None
    test_a_waiting_job_is_paused_and_resumed = None
    test_a_running_job_is_cancelled_and_called_back = None
    test_a_waiting_job_is_cancelled = None
    test_a_failed_job_is_retried_where_it_failed_and_restarted_from_the_beginning = None
    test_a_waiting_job_runs_once_whatever_was_asked_of_it = None
    test_a_running_job_is_restarted_and_its_old_execution_stops = None
    test_an_isolated_step_has_an_execution_of_its_own = None
    test_an_async_job_is_handed_over_too = None
    test_an_error_after_progress_resumes_the_job = None
    test_a_failed_job_that_is_discarded_is_forgotten = None

    @pytest.fixture
    def app(self, project_on_rabbitmq):
        # Not deleted: this process declares a queue once.
        each_queue(project_on_rabbitmq, "queue_purge")
        return project_on_rabbitmq.app

    @pytest.fixture
    def command(self, project_on_rabbitmq):
        def command(kind):
            names = {"app": f"{PROJECT}:celery_app", "queues": project_on_rabbitmq.QUEUE}
            return worker_command(kind, **names)

        return command

    @pytest.fixture
    def environment(self, worker_environment):
        return worker_environment

    @pytest.fixture
    def enqueue_with_retry(self, app):
        def enqueue(job, *args):
            return app.queue.task(job).apply_async(args, headers={"tries": 1}).id

        return enqueue

    @pytest.fixture
    def is_shown_as_failed(self, project_on_rabbitmq):
        return lambda job_id: project_on_rabbitmq.celery_app.AsyncResult(job_id).state == FAILURE

    @pytest.fixture
    def restart_server(self, rabbitmq):
        return None if rabbitmq is None else rabbitmq.restart

    def test_a_job_that_an_older_worker_does_not_know_waits_for_one_that_does(
        self, app, start_worker, monkeypatch, journal, folder
    ):
        monkeypatch.setenv(OLDER, "yes")
        older = start_worker()
        handle = enqueue(app, "note_that_it_ran", folder, "ran")
        older.until(lambda: older.log.count("Received unregistered task") >= 2, "another try")
        monkeypatch.delenv(OLDER)
        assert result(handle, start_worker()) == "ran"
        assert len(journal.begins) == 1

    def test_a_job_outlives_the_connections_of_its_worker(
        self, app, start_worker, journal, folder, rabbitmq
    ):
        if rabbitmq is None:
            pytest.skip("others have connections to this RabbitMQ too")
        handle = enqueue(app, "copy_rows", folder)
        worker = start_worker()
        await_hold(journal, worker)
        for _ in range(2):
            before = worker.log.count("Connection to broker lost")
            rabbitmq.evaluate('rabbit_networking:close_all_connections("by a test").')
            worker.until(
                lambda: worker.log.count("Connection to broker lost") > before,  # noqa: B023
                "the loss",
            )
        journal.release()
        assert result(handle, worker) == ROWS
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 1

    def test_a_job_that_is_longer_than_the_consumer_timeout_is_interrupted(
        self, app, start_worker, journal, folder, rabbitmq
    ):
        if rabbitmq is None:
            pytest.skip("the timeout of this RabbitMQ is for others too")
        rabbitmq.evaluate(
            "application:set_env(rabbit, consumer_timeout, 1000), "
            "application:set_env(rabbit, channel_tick_interval, 500)."
        )
        try:
            handle = enqueue(app, "copy_rows", folder)
            worker = start_worker()
            await_hold(journal, worker)
            # Celery stops a worker whose message was not acknowledged in time.
            worker.until(lambda: handle.state() is State.INTERRUPTED, "the stop")
            assert "PRECONDITION_FAILED" in worker.log
            assert (handle.info().reason, handle.info().cursor) == ("stopping", HELD_AT)
            worker.end()  # its pool may wait for ever for the process that ran the job
        finally:
            rabbitmq.evaluate("application:unset_env(rabbit, consumer_timeout).")
        journal.release()
        second = start_worker()
        assert result(handle, second) == ROWS
        # Both messages, the one that timed out and the one that resumes it, are through by then.
        behind = enqueue(app, "note_that_it_ran", str(folder_of(Path(folder), "behind")), "ran")
        assert result(behind, second) == "ran"
        assert journal.rows == list(range(ROWS))
        assert len(journal.begins) == 2
        assert not journal.runs_overlap
