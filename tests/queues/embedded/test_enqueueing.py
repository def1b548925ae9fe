import sqlite3
from contextlib import closing

import pytest

from continuable.core.outcome import Completed
from continuable.errors import DuplicateJobError
from continuable.model.payload import Enqueued
from continuable.model.states import State
from continuable.worker.runner import RunResult


def test_a_job_waits_on_the_default_queue(table, enqueue):
    job = table.find(enqueue())
    assert (job.state, job.queue, job.executions, job.progress) == (State.WAITING, "default", 0, {})


def test_many_jobs_are_added_in_their_order(table, make):
    added = table.enqueue([make(f"j{n}") for n in range(1000)])
    assert added[0] == Enqueued("j0", is_new=True)
    assert [table.claim_next("me").id for _ in range(3)] == ["j0", "j1", "j2"]


def test_one_taken_id_adds_nothing_of_the_batch(table, make, enqueue):
    enqueue(id="taken")
    with pytest.raises(DuplicateJobError) as caught:
        table.enqueue([make("new"), make("taken", has_chosen_id=True)])
    assert (caught.value.job_id, caught.value.state) == ("taken", "waiting")
    assert [job.id for job in table.list()] == ["taken"]


def test_a_unique_key_leads_to_the_unfinished_job_that_has_it(table, make):
    first, again, other = table.enqueue(
        [make("a", unique="k"), make("b", unique="k"), make("c", unique="l")]
    )
    assert (first, again, other) == (Enqueued("a", True), Enqueued("a", False), Enqueued("c", True))


def test_a_unique_key_is_held_while_running_and_free_when_finished(table, make):
    table.enqueue([make("a", unique="k")])
    claimed = table.claim_next("me")
    assert table.enqueue([make("b", unique="k")]) == [Enqueued("a", False)]
    table.end(RunResult(claimed, Completed(result="null", progress=None)))
    assert table.enqueue([make("b", unique="k")]) == [Enqueued("b", True)]


def test_jobs_join_the_users_transaction(table, make, raw):
    raw.execute("CREATE TABLE orders (id TEXT)")
    raw.row_factory = sqlite3.Row
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT INTO orders VALUES ('o1')")
    table.enqueue([make("a"), make("b", unique="k"), make("c", unique="k")], connection=raw)
    assert table.list() == []
    raw.execute("COMMIT")
    assert {job.id for job in table.list()} == {"a", "b"}


def test_jobs_are_rolled_back_with_the_users_transaction(table, make, raw):
    raw.execute("BEGIN IMMEDIATE")
    table.enqueue([make("a")], connection=raw)
    raw.execute("ROLLBACK")
    assert table.list() == []


def test_a_connection_to_another_file_is_refused(table, make, tmp_path):
    with closing(sqlite3.connect(tmp_path / "other.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ValueError, match="another database"):
            table.enqueue([make("a")], connection=other)
    with closing(sqlite3.connect(":memory:")) as memory, pytest.raises(ValueError, match="another"):
        table.enqueue([make("a")], connection=memory)


def test_a_connection_without_a_transaction_is_refused(table, make, raw):
    with pytest.raises(ValueError, match="BEGIN IMMEDIATE"):
        table.enqueue([make("a")], connection=raw)
