"""How an execution ends, and who brings a job back whose worker has died."""

from __future__ import annotations

import time

import pytest

from continuable.conformance.keepers import AT_3, AT_5, AT_8, save_of
from continuable.conformance.stores.opening import StoreFixtures
from continuable.conformance.stores.terms import (
    a_record,
    cancelled,
    completed,
    events,
    eventually,
    failed,
    granted,
    message,
    suspended,
)
from continuable.core.outcome import Fenced, Outcome
from continuable.model.states import State
from continuable.progress import Claim, Limits, Note, ProgressStore, Settled


class EndingSuite(StoreFixtures):
    """Outcomes and recovery."""

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
        assert events(store, claim.record()) == ["job.interrupted"]

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
        assert events(store, claim.record()) == ["job.failed"]

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
        assert events(store, claim.record())[:2] == ["job.retrying", "job.retrying"]

    def test_a_cancelled_job_keeps_its_progress_and_the_reason(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        assert store.settle(claim, cancelled(AT_5, "enough")).state is State.CANCELLED
        assert store.result(claim.id).reason == "enough"
        assert store.find(claim.id).cursor == 5

    def test_a_fenced_execution_writes_nothing(self, store: ProgressStore, claim: Claim) -> None:
        assert store.settle(claim, Fenced()).state is None
        assert store.find(claim.id).state is State.RUNNING

    @pytest.mark.parametrize(
        ("outcome", "retry_in"),
        [
            (completed(AT_8), None),
            (suspended(AT_8, wait=3.0), None),
            (failed(AT_8), None),
            (failed(AT_8), 2.0),
            (cancelled(AT_8), None),
        ],
        ids=["completed", "suspended", "failed", "retried", "cancelled"],
    )
    def test_an_end_that_is_written_again_is_the_same(
        self, store: ProgressStore, claim: Claim, outcome: Outcome, retry_in: float | None
    ) -> None:
        def settle() -> Settled:
            notes = [Note(time.time(), "told", "{}")]
            return store.settle(claim, outcome, retry_in=retry_in, notes=notes)

        first, info = settle(), store.find(claim.id)
        told = store.history(claim.id)
        assert settle() == first  # the first answer was lost
        assert store.find(claim.id) == info
        assert store.history(claim.id) == told

    def test_an_end_that_others_have_gone_on_from_is_not_written_again(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        newer = granted(store.claim(message(store.settle(claim, suspended(AT_3))), "one"))
        assert store.settle(claim, suspended(AT_3)).state is None
        assert store.find(claim.id).state is State.RUNNING
        assert store.settle(newer, completed()).state is State.COMPLETED

    def test_the_jobs_of_the_dead_come_back_once(self, hasty: ProgressStore) -> None:
        claims = [granted(hasty.claim(a_record(f"job-{n}"), "one")) for n in range(3)]
        hasty.save([save_of(claims[0], 1, AT_3)])
        found: list[str] = []
        while len(found) < 3:
            for recovered in eventually(hasty.recover):
                assert recovered.record is not None
                hasty.confirm(recovered.record)
                found.append(recovered.info.id)
        assert sorted(found) == ["job-0", "job-1", "job-2"]
        info = hasty.find("job-0")
        assert (info.state, info.reason, info.cursor) == (State.INTERRUPTED, "died", 3)
        assert (info.deaths, info.resumptions) == (1, 1)

    def test_a_message_that_nobody_confirms_is_sent_again(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        record = message(hasty.settle(claim_hasty, suspended(AT_3)))
        (again,) = eventually(hasty.recover)
        assert (again.info.id, again.worker) == (record.id, None)
        assert again.record is not None
        assert again.record.delivery > record.delivery

    def test_a_confirmed_message_may_wait_for_as_long_as_it_likes(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        record = message(hasty.settle(claim_hasty, suspended(AT_3)))
        hasty.confirm(record)
        other = granted(hasty.claim(a_record("other"), "one"))
        recovered = eventually(hasty.recover)  # the other one's lease was taken later
        assert [found.info.id for found in recovered] == [other.id]
        assert granted(hasty.claim(record, "two")).progress == AT_3

    def test_what_was_recovered_is_confirmed_as_well(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        (found,) = eventually(hasty.recover)
        assert (found.info.id, found.worker) == (claim_hasty.id, "one")
        record = found.record
        assert record is not None
        hasty.confirm(record)
        assert hasty.recover() == []
        claim = granted(hasty.claim(record, "two"))
        assert (claim.reason, claim.resumptions) == ("died", 1)

    def test_a_job_whose_message_is_gone_is_lost_and_can_be_retried(
        self, hasty: ProgressStore, claim_hasty: Claim
    ) -> None:
        record = message(hasty.settle(claim_hasty, suspended(AT_3)))
        hasty.confirm(record)
        executions = hasty.find(record.id).executions
        lost = eventually(lambda: hasty.lose(record.id, executions))  # it may be under way before
        assert (lost.state, lost.reason, lost.cursor) == (State.FAILED, "lost", 3)
        assert "Retry the job" in (hasty.result(record.id).error or "")
        assert hasty.history(record.id)[-1].event == "job.failed"
        assert hasty.lose(record.id, executions) is None
        again = message(hasty.request(record.id, "retry"))
        assert granted(hasty.claim(again, "two")).progress == AT_3

    def test_a_lost_job_runs_if_its_message_is_delivered_after_all(
        self, hasty: ProgressStore
    ) -> None:
        record = a_record()
        hasty.add([record])
        eventually(lambda: hasty.lose(record.id, 0))
        claim = granted(hasty.claim(record, "one"))
        assert hasty.settle(claim, completed()).state is State.COMPLETED

    def test_only_a_job_that_has_long_waited_for_its_message_is_lost(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        assert store.lose("unknown", 0) is None
        assert store.lose(claim.id, 1) is None  # it runs
        record = message(store.settle(claim, suspended(AT_3)))
        assert store.lose(claim.id, 1) is None  # it is sent again unless it is confirmed
        store.confirm(record)
        assert store.lose(claim.id, 0) is None  # it has run since
        assert store.lose(claim.id, 1) is None  # its message may be under way
        assert store.find(claim.id).state is State.INTERRUPTED

    def test_a_job_whose_message_is_gone_is_given_another(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.unconfirm("unknown", 0, wait=0.0)
        store.unconfirm(claim.id, 1, wait=0.0)
        assert store.recover() == []  # it runs
        first = message(store.settle(claim, suspended(AT_3)))
        store.confirm(first)
        store.unconfirm(claim.id, 0, wait=0.0)
        assert store.recover() == []  # it has run since
        store.unconfirm(claim.id, 1, wait=0.0)
        (found,) = eventually(store.recover)
        assert (found.worker, found.info.state) == (None, State.INTERRUPTED)
        second = message(found)
        store.unconfirm(claim.id, 1, wait=0.0)
        store.confirm(second)  # its sender comes late
        (found,) = eventually(store.recover)
        assert granted(store.claim(message(found), "two")).progress == AT_3
        for stale in (first, second):
            assert not isinstance(store.claim(stale, "three"), Claim)

    def test_deaths_beyond_the_limit_of_resumptions_are_not_recovered(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.expire(claim.id, claim.worker)
        asked: list[str] = []

        def limits(name: str) -> Limits:
            asked.append(name)
            return Limits(max_resumptions=0)

        (found,) = store.recover(limits=limits)
        assert (found.info.state, found.record) == (State.FAILED, None)
        assert asked == [claim.name]
        assert store.find(claim.id).state is State.FAILED

    def test_a_change_of_the_jobs_state_alone_is_no_progress(
        self, store: ProgressStore, claim: Claim
    ) -> None:
        store.expire(claim.id, claim.worker)
        again = granted(store.claim(claim.record(), "two"))
        with_state = '{"completed":[],"state":{"n":1}}'
        ended = store.settle(again, failed(with_state, made_progress=False), retry_in=0.0)
        assert store.find(claim.id).deaths == 1
        again = granted(store.claim(message(ended), "three"))
        ended = store.settle(again, suspended('{"completed":[],"state":{"n":2}}'))
        again = granted(store.claim(message(ended), "four"))
        assert (again.failures, store.find(claim.id).deaths) == (1, 1)
        ended = store.settle(again, suspended(AT_3))
        assert granted(store.claim(message(ended), "five")).failures == 0
        assert store.find(claim.id).deaths == 0

    def test_poison_is_not_recovered(self, hasty: ProgressStore, claim_hasty: Claim) -> None:
        eventually(
            lambda: (
                hasty.find(claim_hasty.id).state is State.FAILED
                or hasty.recover(limits=lambda _name: Limits(1))
            )
        )
        assert hasty.find(claim_hasty.id).state is State.FAILED

    @pytest.fixture
    def claim_hasty(self, hasty: ProgressStore) -> Claim:
        """A job whose lease ends soon."""
        return granted(hasty.claim(a_record("hasty"), "one"))
