"""Its tests: jobs in a `TestCase`, which rolls back, and in a `TransactionTestCase`."""

import pytest
from django.db import transaction
from django.test import TestCase, TransactionTestCase

from continuable.errors import JobFailedError
from continuable.testing import TestQueue
from shop import jobs
from shop.models import Order


class Jobs:
    """What is the same in both."""

    def see(self, job, expected=3):
        handle = job.enqueue(3)
        assert handle.result(timeout=0) == expected
        assert Order.objects.count() == expected
        assert [info.id for info in jobs.app.queue.board.list()] == [handle.id]

    def test_the_database_is_empty(self):
        assert Order.objects.count() == 0
        assert jobs.app.queue.board.list() == []

    def test_a_plain_loop(self):
        self.see(jobs.import_plainly)

    def test_a_transaction_of_the_step(self):
        self.see(jobs.import_in_transactions)

    def test_a_transaction_of_the_job(self):
        self.see(jobs.import_with_commits)

    def test_a_job_that_is_longer_than_it_is_between_two_saves(self):
        self.see(jobs.import_slowly)

    def test_an_async_job(self):
        assert jobs.aimport.enqueue(3).result(timeout=0) == 3

    def test_delay(self):
        assert jobs.app.queue.task(jobs.import_plainly).delay(3).get() == 3

    def test_direct_calls(self):
        assert jobs.import_plainly(3) == 3
        assert jobs.import_in_transactions(3) == 6
        assert jobs.import_with_commits(3) == 9

    def test_the_queue_of_the_testing_kit(self):
        with TestQueue().use(jobs.app) as queue:
            for job, count in [
                (jobs.import_plainly, 3),
                (jobs.import_in_transactions, 6),
                (jobs.import_with_commits, 9),
            ]:
                handle = job.enqueue(3)
                queue.drain()
                assert handle.result(timeout=0) == count

    def test_rows_of_a_transaction_that_failed_are_rolled_back_with_the_cursor(self):
        handle = jobs.fail_in_a_transaction.enqueue(3)
        with pytest.raises(JobFailedError, match="no luck"):
            handle.result(timeout=0)
        assert Order.objects.count() == 2
        assert handle.info().cursor == 2

    def test_a_checkpoint_in_a_transaction_is_an_error(self):
        with pytest.raises(JobFailedError, match="inside an open transaction"):
            jobs.checkpoint_in_a_transaction.enqueue().result(timeout=0)
        assert Order.objects.count() == 0


class InTestCase(Jobs, TestCase):
    """A transaction around each test."""

    def test_a_job_that_is_enqueued_in_a_transaction_runs_at_its_commit(self):
        with self.captureOnCommitCallbacks(execute=True), transaction.atomic():
            Order.objects.create(number=1)
            handle = jobs.import_plainly.enqueue(3)
            assert handle.state() == "waiting"
        assert handle.result(timeout=0) == 4


class InTransactionTestCase(Jobs, TransactionTestCase):
    """Tables are emptied after each test."""

    def test_a_job_that_is_enqueued_in_a_transaction_runs_at_its_commit(self):
        with transaction.atomic():
            Order.objects.create(number=1)
            handle = jobs.import_plainly.enqueue(3)
        assert handle.result(timeout=0) == 4
