"""Celery passes the suite for queues, in each of its pools."""

import signal
from importlib.util import find_spec

import pytest
from celery.states import FAILURE

from continuable.conformance import QueueSuite
from continuable.queues.celery import CeleryQueue
from tests.queues.celery.conftest import worker_command

pytestmark = pytest.mark.slow


class TestCelery(QueueSuite):
    kinds = tuple(
        kind for kind in CeleryQueue.worker_kinds if kind != "eventlet" or find_spec("eventlet")
    )
    hurries = ((signal.SIGINT, signal.SIGINT),)

    @pytest.fixture
    def app(self, project):
        return project.app

    @pytest.fixture
    def command(self):
        return worker_command

    @pytest.fixture
    def environment(self, worker_environment):
        return worker_environment

    @pytest.fixture
    def enqueue_with_retry(self, app):
        def enqueue(job, *args):
            return app.queue.task(job).apply_async(args, headers={"tries": 1}).id

        return enqueue

    @pytest.fixture
    def is_shown_as_failed(self, project):
        return lambda job_id: project.celery_app.AsyncResult(job_id).state == FAILURE

    @pytest.fixture
    def restart_server(self, redis_server):
        return redis_server.restart
