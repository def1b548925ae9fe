import sqlite3
from contextlib import closing

import pytest

from continuable.core.interrupt import STOPPING
from continuable.core.outcome import Completed
from continuable.errors import CheckpointError, StoreBusyError
from continuable.model.states import State
from continuable.progress import Save
from continuable.worker.runner import RunResult


def save_of(job, sequence, cursor):
    return Save(job.id, job.fence, job.worker, sequence, f'{{"current":["a",{cursor}]}}')


def test_the_newest_save_wins_whatever_order_they_come_in(table, claimed):
    job = claimed()
    assert table.save([save_of(job, 1, 10), save_of(job, 3, 30), save_of(job, 2, 20)]) == []
    info = table.find(job.id)
    assert info.cursor == 30
    assert info.saved_at is not None


def test_many_jobs_are_saved_at_once_and_those_taken_away_are_told(table, claimed):
    one, two, gone = claimed(), claimed(), claimed(worker="dead")
    table.reclaim(["dead"])
    saves = [save_of(one, 1, 1), save_of(gone, 1, 3), save_of(two, 1, 2)]
    assert table.save(saves) == [gone.id]
    assert (table.find(two.id).cursor, table.find(gone.id).cursor) == (2, None)


def test_a_save_that_comes_after_the_end_changes_nothing(table, claimed):
    job = claimed()
    table.end(RunResult(job, Completed(result="1", progress='{"completed":["a"]}')))
    assert table.save([save_of(job, 99, 5)]) == [job.id]
    assert table.find(job.id).progress == {"completed": ["a"]}


def test_a_save_waits_for_the_lock_only_as_long_as_it_may(table, claimed, raw):
    job = claimed()
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="locked by another connection"):
        table.save([save_of(job, 1, 1)], timeout=0.01)
    raw.execute("ROLLBACK")
    assert table.save([save_of(job, 1, 1)], timeout=0.01) == []


def test_progress_is_committed_with_the_users_data(table, claimed, raw):
    job = claimed()
    raw.execute("CREATE TABLE rows (n INTEGER)")
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT INTO rows VALUES (1)")
    assert table.commit(raw, save_of(job, 1, 41))
    assert table.find(job.id).cursor is None
    raw.execute("COMMIT")
    assert table.find(job.id).cursor == 41


def test_progress_is_rolled_back_with_the_users_data(table, claimed, raw):
    job = claimed()
    raw.execute("BEGIN IMMEDIATE")
    assert table.commit(raw, save_of(job, 1, 41))
    raw.execute("ROLLBACK")
    assert table.find(job.id).cursor is None
    assert table.save([save_of(job, 1, 40)]) == []
    assert table.find(job.id).cursor == 40


def test_a_commit_of_a_job_that_was_taken_away_is_refused(table, claimed, raw):
    job = claimed()
    table.reclaim(["me"], STOPPING)
    raw.execute("BEGIN IMMEDIATE")
    assert not table.commit(raw, save_of(job, 1, 41))
    raw.execute("ROLLBACK")


def test_a_commit_needs_an_open_transaction(table, claimed, raw):
    with pytest.raises(CheckpointError, match="BEGIN IMMEDIATE"):
        table.commit(raw, save_of(claimed(), 1, 1))


def test_a_commit_needs_the_same_file(table, claimed, tmp_path):
    job = claimed()
    with closing(sqlite3.connect(tmp_path / "other.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CheckpointError, match="another database"):
            table.commit(other, save_of(job, 1, 1))


def test_a_commit_needs_a_connection_of_sqlite3_itself(table, claimed):
    with pytest.raises(CheckpointError, match="pass the connection that it wraps"):
        table.commit(object(), save_of(claimed(), 1, 1))


def test_a_transaction_that_began_by_reading_is_told_to_begin_immediately(table, claimed, raw):
    job = claimed()
    raw.execute("BEGIN")
    raw.execute("SELECT * FROM continuable_jobs").fetchall()
    table.save([save_of(job, 1, 1)])
    with pytest.raises(StoreBusyError, match="BEGIN IMMEDIATE"):
        table.commit(raw, save_of(job, 2, 2))
    raw.execute("ROLLBACK")


def test_the_heartbeat_reads_all_its_jobs_in_one_look(table, running_elsewhere):
    one, two, three = running_elsewhere(), running_elsewhere(), running_elsewhere()
    table.request(one.id, "pause")
    table.request(two.id, "cancel")
    assert set(table.controls("alive")) == {
        (one.id, one.fence, State.PAUSING),
        (two.id, two.fence, State.CANCELLING),
        (three.id, three.fence, State.RUNNING),
    }
    table.request(one.id, "resume")
    table.request(two.id, "restart")
    assert set(table.controls("alive")) == {
        (one.id, one.fence, State.RUNNING),
        (three.id, three.fence, State.RUNNING),
    }


def test_the_version_changes_with_what_others_write(table, enqueue, raw):
    enqueue()
    before = table.version()
    assert table.version() == before
    raw.execute("UPDATE continuable_jobs SET priority = 1")
    assert table.version() != before
