"""`ProgressStoreSuite`: what every `ProgressStore` must do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from continuable.conformance.keepers import AT_3, AT_5, AT_8, JOB, KeeperSuite, save_of
from continuable.conformance.processes import claim_in_processes
from continuable.errors import DuplicateJobError, JobNotFoundError, JobStateError
from continuable.outcome import Cancelled, Completed, ErrorReport, Failed, Fenced, Suspended
from continuable.progress import (
    Busy,
    Claim,
    Held,
    Note,
    Over,
    ProgressStore,
    Requested,
    Settled,
)
from continuable.record import JobRecord
from continuable.states import State

DEADLINE = 20.0
OpenStore = Callable[..., ProgressStore]


class ProgressStoreSuite(KeeperSuite):
    """Subclass it, and give it the fixture `open_store`; and `transactions`, if it can commit."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        """A picklable callable that opens one and the same store at each call.

        It takes `lease`, in seconds. What it returns may have a method `close`.
        """
        raise NotImplementedError("Give the suite a fixture `open_store`")

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[ProgressStore]:
        """A store whose leases outlast a test."""
        yield from opened(open_store, 60.0)

    @pytest.fixture
    def keeper(self, store: ProgressStore) -> ProgressStore:
        """The same."""
        return store

    @pytest.fixture
    def hold(self, store: ProgressStore) -> Callable[[str], Claim]:
        """Makes a new job, which the worker `one` runs from now on."""
        return lambda job_id: granted(store.claim(a_record(job_id), "one"))

    @pytest.fixture
    def hasty(self, open_store: OpenStore) -> Iterator[ProgressStore]:
        """The same store, with leases that a test can wait for."""
        yield from opened(open_store, 0.3)

    @pytest.fixture
    def record(self) -> JobRecord:
        """A message."""
        return a_record()

    @pytest.fixture
    def claim(self, store: ProgressStore, record: JobRecord) -> Claim:
        """A job that worker `one` runs."""
        return granted(store.claim(record, "one"))

    # --- claims

    def test_a_claim_starts_a_new_job(self, store: ProgressStore, record: JobRecord) -> None:
        claim = granted(store.claim(record, "one"))
        assert (claim.id, claim.worker, claim.fence) == (record.id, "one", 1)
        assert (claim.message.executions, claim.message.resumptions) == (1, 0)
        assert claim.message.arguments == record.arguments
        info = store.find(record.id)
        assert (info.state, info.worker, info.executions) == (State.RUNNING, "one", 1)
        assert (info.name, info.queue, info.priority) == (record.name, "imports", 3)
        assert info.started_at is not None

    def test_a_second_delivery_of_a_running_job_is_put_off(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        answer = store.claim(record, "two")
        assert isinstance(answer, Busy)
        assert 0 < answer.seconds <= store.lease
        assert answer.worker == "one"
        assert store.find(record.id).worker == claim.worker

    def test_a_lease_that_has_ended_lets_the_next_one_in(
        self, hasty: ProgressStore, record: JobRecord
    ) -> None:
        first = granted(hasty.claim(record, "one"))
        second = granted(eventually(lambda: granted_or_none(hasty.claim(record, "two"))))
        assert second.fence > first.fence
        assert (second.message.executions, second.message.resumptions) == (2, 1)
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
        assert isinstance(store.claim(a_record("job-2"), "three"), Busy)
        second = granted(store.claim(record, "three"))
        assert (second.fence > claim.fence, second.reason) == (True, "died")
        store.expire(record.id, "one")
        assert isinstance(store.claim(record, "four"), Busy)

    def test_a_job_of_a_worker_that_is_known_to_have_died_is_recovered_at_once(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        assert store.recover() == []
        store.expire(claim.id, claim.worker)
        assert [found.id for found in store.recover()] == [record.id]
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
        answer = eventually(lambda: over_or_none(hasty.claim(record, "next", max_deaths=2)))
        assert answer == Over(State.FAILED)
        info = hasty.find(record.id)
        assert info.error == (
            "Killed its worker 2 times in a row without progress, last before its first step"
        )
        assert info.finished_at is not None
        assert events(hasty, record)[-2:] == ["job.died", "job.failed"]

    def test_progress_forgives_deaths(self, hasty: ProgressStore, record: JobRecord) -> None:
        claim_when_free(hasty, record, max_deaths=2)
        claim = claim_when_free(hasty, record, max_deaths=2)
        hasty.save([save_of(claim, 1, AT_3)])
        claim_when_free(hasty, record, max_deaths=2)
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
        assert again.message.progress == {"completed": [], "current": ["rows", 5]}

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
        assert again.message.progress == later.progress
        assert (again.message.executions, again.message.resumptions) == (5, 3)

    def test_a_job_that_has_ended_is_over(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.settle(claim, completed())
        assert store.claim(record, "two") == Over(State.COMPLETED)

    def test_a_failed_job_is_over_unless_its_queue_retries_it(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.settle(claim, failed(AT_5, made_progress=False))
        assert store.claim(record, "two") == Over(State.FAILED)
        again = granted(store.claim(record, "two", is_retry=True))
        assert (again.failures, again.progress) == (1, AT_5)
        assert store.find(record.id).finished_at is None

    def test_a_job_is_seen_before_it_starts(self, store: ProgressStore) -> None:
        record = a_record()
        store.add([record, a_record("other")])
        info = store.find(record.id)
        assert (info.state, info.executions, info.queue) == (State.WAITING, 0, "imports")
        claim = granted(store.claim(record, "one"))
        assert claim.message.executions == 1
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

    def test_an_id_that_is_taken_is_an_error(self, store: ProgressStore, claim: Claim) -> None:
        with pytest.raises(DuplicateJobError, match="already exists"):
            store.add([a_record(claim.id)])

    def test_a_message_is_stale_once_a_newer_one_was_claimed(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        settled = store.settle(claim, suspended(AT_3))
        assert message(settled).delivery > record.delivery
        store.settle(granted(store.claim(message(settled), "two")), suspended(AT_5))
        assert isinstance(store.claim(record, "three"), Over)
        assert store.find(record.id).state is State.INTERRUPTED

    def test_the_envelope_of_the_message_that_was_claimed_last_is_kept(
        self, store: ProgressStore
    ) -> None:
        store.settle(granted(store.claim(a_record(envelope="its place"), "one")), suspended(AT_3))
        claim = granted(store.claim(a_record(delivery=1), "two"))
        assert claim.message.envelope == "its place"
        assert message(store.settle(claim, suspended(AT_5))).envelope == "its place"
        store.request(claim.id, "pause")
        assert store.request(claim.id, "resume").record.envelope == "its place"  # type: ignore[union-attr]

    def test_a_released_claim_counts_for_nothing(
        self, store: ProgressStore, record: JobRecord, claim: Claim
    ) -> None:
        store.release(claim)
        info = store.find(record.id)
        assert (info.state, info.executions, info.worker) == (State.WAITING, 0, None)
        assert granted(store.claim(record, "two")).message.executions == 1

    def test_one_of_many_processes_gets_the_job(
        self, open_store: OpenStore, store: ProgressStore
    ) -> None:
        assert store.list() == []
        records = [a_record(f"job-{number}") for number in range(12)]
        claims = claim_in_processes(open_store, records, processes=4)
        assert sorted(claims) == sorted(record.id for record in records)

    # --- zombies

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

    # --- outcomes

    def test_a_completed_job_has_its_result(self, store: ProgressStore, claim: Claim) -> None:
        notes = [Note(time.time(), "imported", '{"rows":3}')]
        settled = store.settle(claim, completed(AT_8), longest_gap=0.5, notes=notes)
        assert (settled.state, settled.record) == (State.COMPLETED, None)
        result, info = store.result(claim.id), store.find(claim.id)
        assert (result.state, result.result) == (State.COMPLETED, "42")
        assert (info.cursor, info.longest_gap, info.worker) == (8, 0.5, None)
        assert info.finished_at is not None
        assert [(e.event, e.data) for e in store.history(claim.id)] == [("imported", {"rows": 3})]

    def test_a_suspended_job_waits_for_its_next_message(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        outcome = suspended(AT_5, wait=7.0, queue="slow", priority=1)
        settled = store.settle(claim, outcome)
        assert settled.state is State.INTERRUPTED
        record = message(settled)
        assert (record.queue, record.priority, record.resumptions) == ("slow", 1, 1)
        info = store.find(claim.id)
        assert (info.state, info.reason, info.resumptions) == (State.INTERRUPTED, "stopping", 1)
        assert info.run_at is not None
        assert info.saved_at is not None
        assert 5 < (info.run_at - info.saved_at).total_seconds() < 9
        assert events(store, claim.message) == ["job.interrupted"]

    def test_what_is_planned_is_not_counted(self, store: ProgressStore, claim: Claim) -> None:
        outcome = suspended(AT_5, reason="isolating", is_counted=False)
        assert message(store.settle(claim, outcome)).resumptions == 0

    def test_a_job_that_has_failed_keeps_its_error(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        assert store.settle(claim, failed(AT_5)).state is State.FAILED
        result = store.result(claim.id)
        assert (result.error, result.traceback) == ("ValueError: no", "Traceback ...")
        assert store.find(claim.id).cursor == 5
        assert events(store, claim.message) == ["job.failed"]

    def test_failures_in_a_row_are_counted_until_there_is_progress(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        record = message(store.settle(claim, failed("{}", made_progress=False), retry_in=1.0))
        second = granted(store.claim(record, "two"))
        assert (second.failures, second.reason) == (1, "retry")
        record = message(store.settle(second, failed("{}", made_progress=False), retry_in=0.0))
        third = granted(store.claim(record, "three"))
        assert third.failures == 2
        record = message(store.settle(third, suspended(AT_3)))
        assert granted(store.claim(record, "four")).failures == 0
        assert events(store, claim.message)[:2] == ["job.retrying", "job.retrying"]

    def test_a_cancelled_job_keeps_its_progress_and_the_reason(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        assert store.settle(claim, cancelled(AT_5, "enough")).state is State.CANCELLED
        assert store.result(claim.id).reason == "enough"
        assert store.find(claim.id).cursor == 5

    def test_a_fenced_execution_writes_nothing(self, store: ProgressStore, claim: Claim) -> None:
        assert store.settle(claim, Fenced()).state is None
        assert store.find(claim.id).state is State.RUNNING

    # --- recovery

    def test_the_jobs_of_the_dead_come_back_once(self, hasty: ProgressStore) -> None:
        claims = [granted(hasty.claim(a_record(f"job-{n}"), "one")) for n in range(3)]
        hasty.save([save_of(claims[0], 1, AT_3)])
        found: list[str] = []
        while len(found) < 3:
            for record in eventually(hasty.recover):
                hasty.confirm(record)
                found.append(record.id)
        assert sorted(found) == ["job-0", "job-1", "job-2"]
        info = hasty.find("job-0")
        assert (info.state, info.reason, info.cursor) == (State.INTERRUPTED, "died", 3)
        assert (info.deaths, info.resumptions) == (1, 1)

    def test_a_message_that_nobody_confirms_is_sent_again(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        record = message(hasty.settle(claim_hasty, suspended(AT_3)))
        again = eventually(hasty.recover)
        assert [found.id for found in again] == [record.id]
        assert again[0].delivery > record.delivery

    def test_a_confirmed_message_may_wait_for_as_long_as_it_likes(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        record = message(hasty.settle(claim_hasty, suspended(AT_3)))
        hasty.confirm(record)
        other = granted(hasty.claim(a_record("other"), "one"))
        recovered = eventually(hasty.recover)  # the other one's lease was taken later
        assert [found.id for found in recovered] == [other.id]
        assert granted(hasty.claim(record, "two")).progress == AT_3

    def test_what_was_recovered_is_confirmed_as_well(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        (record,) = eventually(hasty.recover)
        assert record.id == claim_hasty.id
        hasty.confirm(record)
        assert hasty.recover() == []
        claim = granted(hasty.claim(record, "two"))
        assert (claim.reason, claim.message.resumptions) == ("died", 1)

    def test_poison_is_not_recovered(self, hasty: ProgressStore, claim_hasty: Claim) -> None:
        eventually(
            lambda: (
                hasty.find(claim_hasty.id).state is State.FAILED
                or hasty.recover(max_deaths=lambda _name: 1)
            )
        )
        assert hasty.find(claim_hasty.id).state is State.FAILED

    @pytest.fixture
    def claim_hasty(self, hasty: ProgressStore) -> Claim:
        """A job whose lease ends soon."""
        return granted(hasty.claim(a_record("hasty"), "one"))

    # --- requests

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

    def test_a_paused_job_is_held_until_it_is_resumed(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        first = message(store.settle(claim, suspended(AT_3)))
        assert store.request(claim.id, "pause").info.state is State.PAUSED
        assert store.claim(first, "two") == Held()
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
        assert isinstance(store.claim(record, "two"), Over)  # a message of before
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

    # --- what people see

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

    def test_text_of_all_sorts_comes_back(self, store: ProgressStore) -> None:
        odd = "Ünï¢ødé 'quoted' :name %s %(x)s {braces} \U0001f600 \\ back"
        record = a_record(f"job {odd}", name=odd, arguments=f'[["{"x" * 70_000}"],{{}}]')
        claim = granted(store.claim(record, odd))
        document = '{"completed":["' + odd.replace("\\", "\\\\") + '"]}'
        store.save([save_of(claim, 1, document)])
        info = store.find(record.id)
        assert (info.id, info.name, info.worker) == (record.id, odd, odd)
        assert (info.arguments, info.completed) == (record.arguments, [odd])


# --- how the tests say what they mean


def opened(open_store: OpenStore, lease: float) -> Iterator[ProgressStore]:
    """A store, closed after the test."""
    store = open_store(lease=lease)
    yield store
    close = getattr(store, "close", None)
    if close is not None:
        close()


def a_record(job_id: str = JOB, name: str = "app.import", **fields: Any) -> JobRecord:
    """A message."""
    return JobRecord(
        id=job_id,
        name=name,
        **{"queue": "imports", "priority": 3, "arguments": "[[1],{}]", **fields},
    )


def completed(progress: str | None = None) -> Completed:
    """An outcome."""
    return Completed(result="42", progress=progress)


def suspended(progress: str, **fields: Any) -> Suspended:
    """An outcome."""
    return Suspended(
        progress=progress,
        **{
            "reason": "stopping",
            "description": "at 'rows', cursor 5",
            "wait": 0.0,
            "queue": None,
            "priority": None,
            "is_counted": True,
            **fields,
        },
    )


def failed(progress: str, *, made_progress: bool = True) -> Failed:
    """An outcome."""
    return Failed(
        error=ValueError("no"),
        report=ErrorReport("ValueError: no", "Traceback ..."),
        progress=progress,
        made_progress=made_progress,
        may_retry=True,
    )


def cancelled(progress: str, reason: str = "") -> Cancelled:
    """An outcome."""
    return Cancelled(reason=reason, progress=progress)


def message(answer: Settled | Requested) -> JobRecord:
    """The message that is to be sent."""
    assert answer.record is not None, answer
    return answer.record


def granted(answer: object) -> Claim:
    """The claim that was granted."""
    assert isinstance(answer, Claim), answer
    return answer


def assert_held_while(
    renew: Callable[[Claim, str], object], store: ProgressStore, record: JobRecord
) -> None:
    """See that nobody else has the job for three leases, as long as its claim is renewed in time.

    A machine may stall for longer than a lease: then the other worker has it, and it starts over.
    """
    claim, worker, other = granted(store.claim(record, "one")), "one", "two"
    began = time.monotonic()
    until = began + DEADLINE
    while (since := time.monotonic()) < began + 3 * store.lease:
        renew(claim, worker)
        answer = store.claim(record, other)
        if isinstance(answer, Claim):
            now = time.monotonic()
            assert now - since > 0.9 * store.lease
            assert now < until
            claim, worker, other, began = answer, other, worker, now


def granted_or_none(answer: object) -> Claim | None:
    """The claim, where it was granted."""
    return answer if isinstance(answer, Claim) else None


def over_or_none(answer: object) -> Over | None:
    """The end, where it has come."""
    return answer if isinstance(answer, Over) else None


def claim_when_free(store: ProgressStore, record: JobRecord, **options: Any) -> Claim:
    """Claim a job whose worker has died."""
    claim: Claim = eventually(lambda: granted_or_none(store.claim(record, "next", **options)))
    return claim


def events(store: ProgressStore, record: JobRecord) -> list[str]:
    """What the history of a job tells."""
    return [entry.event for entry in store.history(record.id)]


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + DEADLINE
    while not (found := look()):
        assert time.monotonic() < end, f"nothing was found within {DEADLINE} s"
        time.sleep(0.01)
    return found
