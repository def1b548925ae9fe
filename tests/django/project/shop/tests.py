"""Its tests: jobs in a `TestCase`, which rolls back, and in a `TransactionTestCase`."""

import pytest
from django.contrib.auth.models import Permission, User
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


LIST = "/admin/continuable/progress/"


class InTheAdmin(TestCase):
    """Jobs are looked at, and steered."""

    def setUp(self):
        self.log_in("view", "change", "delete")
        eager = jobs.celery_app.conf.task_always_eager
        jobs.celery_app.conf.task_always_eager = False  # so that jobs wait
        self.addCleanup(setattr, jobs.celery_app.conf, "task_always_eager", eager)

    def log_in(self, *permissions):
        user = User.objects.create_user("-".join(permissions), is_staff=True)
        wanted = [f"{permission}_progress" for permission in permissions]
        user.user_permissions.set(Permission.objects.filter(codename__in=wanted))
        self.client.force_login(user)

    def ask(self, verb, *handles):
        ids = [handle.id for handle in handles]
        form = {"action": verb, "_selected_action": ids}
        return self.client.post(LIST, form, follow=True).content.decode()

    def page(self, handle):
        return self.client.get(f"{LIST}{handle.id}/change/").content.decode()

    def halfway(self):
        """A job that failed in the middle of a step."""
        jobs.celery_app.conf.task_always_eager = True
        handle = jobs.fail_in_a_transaction.enqueue(4)
        jobs.celery_app.conf.task_always_eager = False
        return handle

    def test_the_list_has_state_progress_and_step(self):
        handle = self.halfway()
        found = self.client.get(LIST).content.decode()
        assert handle.id in found
        assert '<progress value="3" max="4"></progress> 3 of 4' in found
        assert "process</td>" in found

    def test_the_list_is_filtered_and_searched(self):
        failed, waiting = self.halfway(), jobs.import_plainly.enqueue(3)
        for query in ("state=failed", "name=shop.jobs.fail_in_a_transaction", f"q={failed.id}"):
            found = self.client.get(f"{LIST}?{query}").content.decode()
            assert failed.id in found
            assert waiting.id not in found

    def test_a_page_has_steps_error_and_history(self):
        page = self.page(self.halfway())
        for part in (
            "process (current)",
            "ValueError: &lt;script&gt;no luck",
            "<details><summary>Show</summary><pre>Traceback",
            "job.failed",
            "[[4],{}]",
        ):
            assert part in page, part
        assert "<script>no luck" not in page
        assert 'name="_save"' not in page

    def test_jobs_are_steered_as_by_their_handles(self):
        handle = jobs.import_plainly.enqueue(3)
        assert "Pause: 1 job" in self.ask("pause", handle)
        assert handle.state() == "paused"
        assert "Resume: 1 job" in self.ask("resume", handle)
        assert "Cancel: 1 job" in self.ask("cancel", handle)
        assert handle.state() == "cancelled"
        assert "Restart: 1 job" in self.ask("restart", handle)
        failed = self.halfway()
        assert "Retry: 1 job" in self.ask("retry", failed)
        assert failed.state() == "interrupted"
        other = self.halfway()
        assert "Discard: 1 job" in self.ask("discard", other)
        assert other.id not in {job.id for job in jobs.app.queue.board.list()}

    def test_what_a_state_does_not_allow_is_said_and_the_others_are_asked(self):
        failed, waiting = self.halfway(), jobs.import_plainly.enqueue(3)
        said = self.ask("pause", failed, waiting)
        assert "Cannot pause job" in said
        assert "it is failed" in said
        assert "Pause: 1 job" in said
        assert waiting.state() == "paused"

    def test_who_may_only_look_may_only_look(self):
        handle = jobs.import_plainly.enqueue(3)
        self.log_in("view")
        assert handle.id in self.client.get(LIST).content.decode()
        assert 'value="pause"' not in self.client.get(LIST).content.decode()
        self.ask("cancel", handle)
        assert handle.state() == "waiting"

    def test_who_may_not_delete_may_not_discard(self):
        failed = self.halfway()
        self.log_in("view", "change")
        self.ask("discard", failed)
        assert failed.state() == "failed"

    def test_nothing_is_edited(self):
        handle = jobs.import_plainly.enqueue(3)
        answer = self.client.post(f"{LIST}{handle.id}/change/", {"state": "completed"})
        assert answer.status_code == 403
        assert self.client.get(f"{LIST}add/").status_code == 403
        assert self.client.post(f"{LIST}{handle.id}/delete/").status_code == 403
        assert handle.state() == "waiting"
