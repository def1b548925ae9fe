"""What people see of jobs, and want of them."""

from __future__ import annotations

import time

import pytest

from continuable.conformance.keepers import AT_3, AT_5, save_of
from continuable.conformance.stores.opening import StoreFixtures
from continuable.conformance.stores.terms import (
    a_record,
    completed,
    eventually,
    failed,
    granted,
    message,
    suspended,
)
from continuable.errors import JobNotFoundError, JobStateError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Claim, Note, Paused, ProgressStore, Stale


class RequestSuite(StoreFixtures):
    """Requests and lists."""

    def test_a_running_job_hears_what_is_wanted_of_it(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        version = store.version()
        assert store.controls_every > 0
        assert store.controls("one") == [(claim.id, claim.fence, State.RUNNING)]
        assert store.controls("two") == []
        assert store.request(claim.id, "pause").info.state is State.PAUSING
        assert store.version() is None or store.version() != version
        assert store.controls("one") == [(claim.id, claim.fence, State.PAUSING)]
        store.request(claim.id, "cancel")
        assert store.controls("one") == [(claim.id, claim.fence, State.CANCELLING)]

    @pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("cancel", "cancelled")])
    def test_what_was_asked_for_meanwhile_wins(
        self, store: ProgressStore, claim: Claim, verb: str, state: str
    ) -> None:
        store.request(claim.id, verb)
        settled = store.settle(claim, suspended(AT_5))
        assert (settled.state, settled.record) == (State(state), None)
        assert store.find(claim.id).cursor == 5

    @pytest.mark.parametrize(("verb", "state"), [("pause", "paused"), ("cancel", "cancelled")])
    def test_what_was_asked_for_before_it_started_wins(
        self, store: ProgressStore, claim: Claim, verb: str, state: str
    ) -> None:
        store.request(claim.id, verb)
        store.release(claim)
        assert store.find(claim.id).state is State(state)

    def test_a_cancelled_job_shows_the_reason_of_the_request(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.request(claim.id, "cancel", reason="revoked")
        store.request(claim.id, "cancel", reason="asked again")
        store.settle(claim, suspended(AT_5))
        assert store.result(claim.id).reason == "revoked"
        store.add([a_record("job-2")])
        store.request("job-2", "cancel", reason="expired")
        assert store.find("job-2").reason == "expired"
        store.request("job-2", "retry")
        store.request("job-2", "cancel")
        assert store.find("job-2").reason == "cancelled"

    def test_a_paused_job_is_held_until_it_is_resumed(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        first = message(store.settle(claim, suspended(AT_3)))
        assert store.request(claim.id, "pause").info.state is State.PAUSED
        assert store.claim(first, "two") == Paused()
        resumed = store.request(claim.id, "resume")
        assert resumed.info.state is State.INTERRUPTED
        assert granted(store.claim(message(resumed), "two")).progress == AT_3

    def test_a_request_to_a_dead_worker_takes_effect_at_once(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        eventually(lambda: hasty.request(claim_hasty.id, "pause").info.state is State.PAUSED)
        assert hasty.save([save_of(claim_hasty, 1, AT_3)]) == [claim_hasty.id]

    def test_a_failed_job_is_retried_from_its_checkpoint(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.settle(claim, failed(AT_5))
        again = store.request(claim.id, "retry")
        assert again.info.state is State.INTERRUPTED
        assert granted(store.claim(message(again), "two")).progress == AT_5

    def test_restart_fences_out_what_runs_and_begins_anew(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.save([save_of(claim, 1, AT_3)])
        again = store.request(claim.id, "restart")
        assert (again.info.state, again.info.progress) == (State.WAITING, {})
        assert store.save([save_of(claim, 2, AT_5)]) == [claim.id]
        assert store.settle(claim, completed()).state is None
        assert isinstance(store.claim(record, "two"), Stale)  # a message of before
        assert granted(store.claim(message(again), "two")).progress == "{}"

    def test_what_a_state_does_not_allow_is_an_error(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.settle(claim, completed())
        with pytest.raises(JobStateError, match="Cannot pause job"):
            store.request(claim.id, "pause")

    def test_a_job_that_is_not_there_is_an_error(self, store: ProgressStore) -> None:
        for ask in (
            lambda: store.find("nobody"),
            lambda: store.result("nobody"),
            lambda: store.history("nobody"),
            lambda: store.request("nobody", "pause"),
            lambda: store.note("nobody", Note(0.0, "event", "{}")),
        ):
            with pytest.raises(JobNotFoundError):
                ask()

    def test_jobs_are_listed_the_newest_first(self, store: ProgressStore) -> None:
        for number in range(5):
            record = a_record(f"job-{number}", name=f"app.{number % 2}", queue=f"q{number}")
            claim = granted(store.claim(record, "one"))
            if number < 2:
                store.settle(claim, completed())
        ids = [f"job-{number}" for number in (4, 3, 2, 1, 0)]
        assert [info.id for info in store.list()] == ids
        assert [info.id for info in store.list(limit=2)] == ids[:2]
        assert [info.id for info in store.list(states=[State.COMPLETED])] == ["job-1", "job-0"]
        assert [info.id for info in store.list(name="app.1")] == ["job-3", "job-1"]
        assert [info.id for info in store.list(queue="q2")] == ["job-2"]
        assert store.list(states=[]) == []
        assert store.counts() == {State.RUNNING: 3, State.COMPLETED: 2}

    def test_jobs_without_a_queue_are_listed_by_the_name_that_they_are_shown_with(
        self, store: ProgressStore
    ) -> None:
        store.add([a_record("one", queue=None), a_record("two", queue="imports")])
        shown = store.find("one").queue
        assert [info.id for info in store.list(queue=shown)] == ["one"]

    def test_finished_jobs_are_forgotten_by_age(self, store: ProgressStore, claim: Claim) -> None:
        running = granted(store.claim(a_record("running"), "one"))
        store.settle(claim, completed(), notes=[Note(time.time(), "told", "{}")])
        broken = granted(store.claim(a_record("broken"), "one"))
        store.settle(broken, failed("{}"))
        assert store.prune(older_than=3600.0) == 0
        assert store.prune(older_than=0.0) == 1  # whatever has finished by now
        with pytest.raises(JobNotFoundError):
            store.find(claim.id)
        assert {info.id for info in store.list()} == {broken.id, running.id}
        assert store.prune(older_than=0.0, failed=True) == 1
        assert store.counts() == {State.RUNNING: 1}

    def test_a_job_that_has_ended_is_discarded(self, store: ProgressStore, claim: Claim) -> None:
        assert not store.discard(claim.id)
        store.settle(claim, failed("{}"), notes=[Note(time.time(), "told", "{}")])
        running = granted(store.claim(a_record("running"), "one"))
        assert store.discard(claim.id)
        assert not store.discard(claim.id)
        for read in (store.find, store.history):
            with pytest.raises(JobNotFoundError):
                read(claim.id)
        assert [info.id for info in store.list()] == [running.id]

    def test_no_more_is_forgotten_at_once_than_was_asked_for(self, store: ProgressStore) -> None:
        for number in range(5):
            claim = granted(store.claim(a_record(f"job-{number}"), "one"))
            store.settle(claim, completed())
        assert [store.prune(older_than=0.0, limit=2) for _ in range(4)] == [2, 2, 1, 0]

    def test_text_of_all_sorts_comes_back(self, store: ProgressStore) -> None:
        odd = "Ünï¢ødé 'quoted' :name %s %(x)s {braces} \U0001f600 \\ back"
        record = a_record(f"job {odd}", name=odd, arguments=f'[["{"x" * 70_000}"],{{}}]')
        claim = granted(store.claim(record, odd))
        document = '{"completed":["' + odd.replace("\\", "\\\\") + '"]}'
        store.save([save_of(claim, 1, document)])
        info = store.find(record.id)
        assert (info.id, info.name, info.worker) == (record.id, odd, odd)
        assert (info.arguments, info.completed) == (record.arguments, [odd])
