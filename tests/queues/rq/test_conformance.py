"""RQ passes the suite for queues, with each of its kinds of worker."""

import signal

import pytest
from rq import Retry

from continuable.conformance import QueueSuite
from continuable.queues.rq import RQQueue

pytestmark = pytest.mark.slow


class TestRQ(QueueSuite):
    kinds = RQQueue.worker_kinds
    hurries = ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT))

    @pytest.fixture
    def app(self, project):
        return project.app

    @pytest.fixture
    def command(self, worker_command):
        return worker_command

    @pytest.fixture
    def environment(self, worker_environment):
        return worker_environment

    @pytest.fixture
    def enqueue_with_retry(self, app):
        def enqueue(job, *args):
            return app.queue.queue(None).enqueue(app.queue.task(job), *args, retry=Retry(1)).id

        return enqueue

    @pytest.fixture
    def restart_server(self, redis_server):
        return redis_server.restart

    @pytest.fixture
    def retries_used(self, app):
        return lambda job_id: app.queue.queue(None).fetch_job(job_id).number_of_retries or 0

    @pytest.fixture
    def is_shown_as_failed(self, app):
        return lambda job_id: job_id in app.queue.queue(None).failed_job_registry.get_job_ids()
