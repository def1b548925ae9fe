"""Who may run a job, and from where."""

from __future__ import annotations

import time
from itertools import count

import pytest

from continuable.conformance.keepers import (
    AT_3,
    AT_5,
    AT_8,
    UserTransactions,
    rolled_back,
    save_of,
)
from continuable.conformance.processes import claim_in_processes
from continuable.conformance.stores.opening import OpenStore, StoreFixtures
from continuable.conformance.stores.terms import (
    DEADLINE,
    a_record,
    assert_held_while,
    cancelled,
    claim_when_free,
    completed,
    events,
    eventually,
    failed,
    granted,
    granted_or_none,
    message,
    over_or_none,
    suspended,
)
from continuable.errors import DuplicateJobError, JobNotFoundError
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress import Claim, Leased, Limits, ProgressStore, Stale


class ClaimSuite(StoreFixtures):
    """Claims, leases and messages."""

    def test_a_claim_starts_a_new_job(self, store: ProgressStore, record: JobRecord) -> None:
        claim = granted(store.claim(record, "one"))
        assert (claim.id, claim.worker, claim.fence) == (record.id, "one", 1)
        assert (claim.executions, claim.resumptions) == (1, 0)
        assert claim.arguments == record.arguments
        info = store.find(record.id)
        assert (info.state, info.worker, info.executions) == (State.RUNNING, "one", 1)
        assert (info.name, info.queue, info.priority) == (record.name, "imports", 3)
        assert info.started_at is not None

    def test_a_second_delivery_of_a_running_job_is_put_off(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        answer = store.claim(record, "two")
        assert isinstance(answer, Leased)
        assert 0 < answer.seconds <= store.lease
        assert answer.worker == "one"
        assert store.find(record.id).worker == claim.worker

    def test_a_claim_that_is_written_again_is_the_same(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        assert store.claim(record, "one") == claim  # the first answer was lost
        assert store.find(record.id).executions == 1
        second = message(store.settle(claim, suspended(AT_3)))
        newer = granted(store.claim(second, "one"))
        assert store.claim(second, "one") == newer
        assert isinstance(store.claim(second, "two"), Leased)

    def test_a_lease_that_has_ended_lets_the_next_one_in(
        self, hasty: ProgressStore, record: JobRecord
    ) -> None:
        first = granted(hasty.claim(record, "one"))
        second = granted(eventually(lambda: granted_or_none(hasty.claim(record, "two"))))
        assert second.fence > first.fence
        assert (second.executions, second.resumptions) == (2, 1)
        assert second.reason == "died"
        assert "job.died" in events(hasty, record)

    def test_a_renewed_lease_goes_on(self, hasty: ProgressStore, record: JobRecord) -> None:
        def renew(_: Claim, worker: str) -> None:
            hasty.renew(worker)
            hasty.renew("nobody")

        assert_held_while(renew, hasty, record)
        eventually(lambda: granted_or_none(hasty.claim(record, "another")))

    def test_a_job_of_a_worker_that_is_known_to_have_died_is_free_at_once(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        other = granted(store.claim(a_record("job-2"), "two"))
        assert sorted(store.holders()) == [(record.id, "one"), (other.id, "two")]
        store.expire(record.id, "one")
        store.expire(other.id, "one")
        store.expire("unknown", "one")
        assert isinstance(store.claim(a_record("job-2"), "three"), Leased)
        second = granted(store.claim(record, "three"))
        assert (second.fence > claim.fence, second.reason) == (True, "died")
        store.expire(record.id, "one")
        assert isinstance(store.claim(record, "four"), Leased)

    def test_a_job_of_a_worker_that_is_known_to_have_died_is_recovered_at_once(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        assert store.recover() == []
        store.expire(claim.id, claim.worker)
        assert [found.info.id for found in store.recover()] == [record.id]
        assert store.holders() == []

    def test_a_save_is_a_sign_of_life(self, hasty: ProgressStore, record: JobRecord) -> None:
        numbers = count(1)

        def save(claim: Claim, _: str) -> None:
            assert hasty.save([save_of(claim, next(numbers), AT_3)]) == []

        assert_held_while(save, hasty, record)

    def test_one_worker_does_not_renew_the_leases_of_another(
        self, hasty: ProgressStore, record: JobRecord
    ) -> None:
        granted(hasty.claim(record, "one"))
        end = time.monotonic() + DEADLINE
        while not isinstance(hasty.claim(record, "two"), Claim):
            hasty.renew("three")
            assert time.monotonic() < end

    def test_a_job_that_kills_its_workers_has_failed(
        self, hasty: ProgressStore, record: JobRecord
    ) -> None:
        for _ in range(2):
            claim_when_free(hasty, record)
        answer = eventually(lambda: over_or_none(hasty.claim(record, "next", limits=Limits(2))))
        assert answer == Stale(State.FAILED)
        info = hasty.find(record.id)
        assert info.error == (
            "Killed its worker 2 times in a row without progress, last before its first step"
        )
        assert info.finished_at is not None
        assert events(hasty, record)[-2:] == ["job.died", "job.failed"]

    def test_deaths_are_resumptions_that_are_limited(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        limits = Limits(max_deaths=100, max_resumptions=1)
        store.save([save_of(claim, 1, AT_3)])
        store.expire(claim.id, claim.worker)
        again = granted(store.claim(record, "two", limits=limits))
        store.save([save_of(again, 1, AT_5)])
        store.expire(again.id, again.worker)
        assert store.claim(record, "three", limits=limits) == Stale(State.FAILED)
        info = store.find(record.id)
        assert info.error is not None
        assert info.error.endswith(
            "ResumeLimitError: Job was resumed a maximum of 1 times, last at 'rows', cursor 5"
        )
        assert (info.cursor, info.resumptions) == (5, 1)
        assert events(store, record) == ["job.died", "job.died", "job.failed"]

    def test_progress_forgives_deaths(self, hasty: ProgressStore, record: JobRecord) -> None:
        claim_when_free(hasty, record, limits=Limits(2))
        claim = claim_when_free(hasty, record, limits=Limits(2))
        hasty.save([save_of(claim, 1, AT_3)])
        claim_when_free(hasty, record, limits=Limits(2))
        assert hasty.find(record.id).deaths == 1

    def test_a_save_without_progress_forgives_nothing(
        self, hasty: ProgressStore, record: JobRecord
    ) -> None:
        claim_when_free(hasty, record)
        claim = claim_when_free(hasty, record)
        hasty.save([save_of(claim, 1, "{}", made_progress=False)])
        claim_when_free(hasty, record)
        assert hasty.find(record.id).deaths == 2

    def test_a_claim_has_the_progress_that_the_store_knows(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.save([save_of(claim, 1, AT_3)])
        settled = store.settle(claim, suspended(AT_5))
        again = granted(store.claim(message(settled), "two"))
        assert again.progress == AT_5
        assert again.record().progress == {"completed": [], "current": ["rows", 5]}

    def test_a_redelivered_message_does_not_bring_old_progress_back(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.settle(claim, suspended(AT_5))
        assert granted(store.claim(record, "two")).progress == AT_5

    def test_the_message_of_a_later_execution_knows_better_than_the_store(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.settle(claim, suspended(AT_3))
        later = a_record(
            claim.id,
            executions=4,
            resumptions=3,
            delivery=9,
            progress={"completed": [], "current": ["rows", 8]},
        )
        again = granted(store.claim(later, "two"))
        assert again.record().progress == later.progress
        assert (again.executions, again.resumptions) == (5, 3)

    def test_a_message_without_progress_takes_none_away(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.settle(claim, suspended(AT_3))
        later = a_record(claim.id, executions=4, resumptions=3, delivery=9)
        assert granted(store.claim(later, "two")).progress == AT_3

    def test_a_job_that_has_ended_is_over(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.settle(claim, completed())
        assert store.claim(record, "two") == Stale(State.COMPLETED)

    def test_a_failed_job_is_over_unless_its_queue_retries_it(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.settle(claim, failed(AT_5, made_progress=False))
        assert store.claim(record, "two") == Stale(State.FAILED)
        again = granted(store.claim(record, "two", is_retry=True))
        assert (again.failures, again.progress) == (1, AT_5)
        assert store.find(record.id).finished_at is None

    def test_a_job_is_seen_before_it_starts(self, store: ProgressStore) -> None:
        record = a_record()
        store.add([record, a_record("other")])
        info = store.find(record.id)
        assert (info.state, info.executions, info.queue) == (State.WAITING, 0, "imports")
        claim = granted(store.claim(record, "one"))
        assert claim.executions == 1
        assert store.counts() == {State.WAITING: 1, State.RUNNING: 1}

    def test_a_job_that_could_not_be_sent_is_forgotten_unless_somebody_has_claimed_it(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.add([a_record("unsent")])
        for job_id in ("unsent", claim.id, "unknown"):
            store.withdraw(job_id)
        assert [info.id for info in store.list()] == [claim.id]
        with pytest.raises(JobNotFoundError):
            store.history("unsent")
        store.add([a_record("unsent")])
        assert store.find("unsent").state is State.WAITING

    def test_jobs_are_added_all_or_none(self, store: ProgressStore, claim: Claim) -> None:
        with pytest.raises(DuplicateJobError):
            store.add([a_record("first"), a_record(claim.id), a_record("last")])
        assert [info.id for info in store.list()] == [claim.id]

    def test_many_jobs_are_added_all_or_none(self, store: ProgressStore, claim: Claim) -> None:
        many = [a_record(f"job {number}") for number in range(250)]
        with pytest.raises(DuplicateJobError):
            store.add([*many, a_record(claim.id)])
        assert [info.id for info in store.list()] == [claim.id]
        store.add(many)
        assert store.counts()[State.WAITING] == len(many)
        assert store.find("job 249").state is State.WAITING

    def test_an_id_that_is_taken_is_an_error(self, store: ProgressStore, claim: Claim) -> None:
        with pytest.raises(DuplicateJobError, match="already exists"):
            store.add([a_record(claim.id)])

    def test_a_message_is_stale_once_a_newer_one_was_claimed(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        settled = store.settle(claim, suspended(AT_3))
        assert message(settled).delivery > record.delivery
        store.settle(granted(store.claim(message(settled), "two")), suspended(AT_5))
        assert isinstance(store.claim(record, "three"), Stale)
        assert store.find(record.id).state is State.INTERRUPTED

    def test_the_envelope_of_the_message_that_was_claimed_last_is_kept(
        self, store: ProgressStore
    ) -> None:
        store.settle(granted(store.claim(a_record(envelope="its place"), "one")), suspended(AT_3))
        claim = granted(store.claim(a_record(delivery=1), "two"))
        assert claim.envelope == "its place"
        assert message(store.settle(claim, suspended(AT_5))).envelope == "its place"
        store.request(claim.id, "pause")
        assert store.request(claim.id, "resume").record.envelope == "its place"  # type: ignore[union-attr]

    def test_a_released_claim_counts_for_nothing(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.release(claim)
        info = store.find(record.id)
        assert (info.state, info.executions, info.worker) == (State.WAITING, 0, None)
        assert granted(store.claim(record, "two")).executions == 1

    def test_one_of_many_processes_gets_the_job(
        self, open_store: OpenStore, store: ProgressStore
    ) -> None:
        assert store.list() == []
        records = [a_record(f"job-{number}") for number in range(12)]
        claims = claim_in_processes(open_store, records, processes=4)
        assert sorted(claims) == sorted(record.id for record in records)

    def test_a_claim_of_a_job_that_was_forgotten_can_write_nothing(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        again = store.request(claim.id, "restart")
        newest = granted(store.claim(message(again), "two"))
        store.settle(newest, completed())
        assert store.prune(older_than=0.0) == 1
        alive = granted(store.claim(record, "three"))
        assert alive.fence == claim.fence  # numbers begin anew
        assert not store.is_written(save_of(claim, 0, AT_3))
        assert store.save([save_of(claim, 9, AT_3)]) == [record.id]
        for outcome in (completed(), suspended(AT_8), failed(AT_8), cancelled(AT_8)):
            assert store.settle(claim, outcome).state is None
        store.release(claim)
        info = store.find(record.id)
        assert (info.state, info.worker, info.progress) == (State.RUNNING, "three", {})
        assert store.settle(alive, completed()).state is State.COMPLETED
        assert store.settle(claim, completed()).state is None

    def test_a_commit_of_a_job_that_was_forgotten_is_refused(
        self,
        store: ProgressStore,
        record: JobRecord,
        claim: Claim,
        transactions: UserTransactions,
    ) -> None:
        if not store.can_commit:
            return
        store.settle(claim, completed())
        assert store.prune(older_than=0.0) == 1
        alive = granted(store.claim(record, "two"))
        assert alive.fence == claim.fence
        with rolled_back(), transactions.begin() as connection:
            assert not store.commit(connection, save_of(claim, 1, AT_3))
            raise ZeroDivisionError
        assert store.find(record.id).progress == {}

    def test_a_zombie_can_write_nothing(self, hasty: ProgressStore, record: JobRecord) -> None:
        zombie = granted(hasty.claim(record, "one"))
        hasty.save([save_of(zombie, 1, AT_3)])
        alive = claim_when_free(hasty, record)
        assert hasty.save([save_of(zombie, 99, AT_8)]) == [record.id]
        for outcome in (completed(), suspended(AT_8), failed(AT_8), cancelled(AT_8)):
            assert hasty.settle(zombie, outcome).state is None
        hasty.release(zombie)
        info = hasty.find(record.id)
        assert (info.state, info.worker, info.cursor) == (State.RUNNING, alive.worker, 3)
