"""A cursor that is committed with the user's rows: both are kept, or neither."""

import contextlib
import sqlite3
from contextlib import closing

import pytest

from continuable import CheckpointError, ContinuationError, SourceError, Superseded
from continuable.core.attention import Attention
from continuable.core.outcome import Fenced
from tests.core.executing import (
    Saves,
    asking,
    execute,
    interrupting_at,
    new_record,
    progress_of,
    resumed,
)


class Store(Saves):
    """Keeps progress in the database of the rows, as the embedded queue does."""

    def __init__(self, path):
        super().__init__()
        self.connection = None
        self.committed = 0
        self.is_taken_over = False
        self._own = sqlite3.connect(path, isolation_level=None)
        self._own.execute("CREATE TABLE IF NOT EXISTS progress (number INTEGER, document TEXT)")

    def commit(self, document, connection):
        if self.is_taken_over:
            raise Superseded
        if not connection.in_transaction:
            raise CheckpointError("no transaction")
        self.committed += 1
        connection.execute("INSERT INTO progress VALUES (?, ?)", (self.committed, document))
        self.connection = connection

    def is_in_transaction(self):
        return self.connection is not None and self.connection.in_transaction

    def is_committed(self):
        [newest] = self._own.execute("SELECT max(number) FROM progress").fetchone()
        return newest == self.committed

    def close(self):
        self._own.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.db"


@pytest.fixture
def rows(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY)")
        yield connection


@pytest.fixture
def store(path, rows):
    with closing(Store(path)) as store:
        yield store


def numbers(rows):
    return [number for (number,) in rows.execute("SELECT number FROM rows")]


@contextlib.contextmanager
def transaction(rows):
    rows.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        rows.execute("ROLLBACK")
        raise
    rows.execute("COMMIT")


def kept(outcome):
    progress = progress_of(outcome)
    return progress["current"][1], progress.get("done", 0)


# --- commit


def test_a_commit_moves_the_cursor_and_counts_its_items(app, rows, store):
    seen = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                step.commit(10, rows)
                seen.append((step.cursor, step.done))
            with transaction(rows):
                step.commit(60, rows, items=50)
            seen.append((step.cursor, step.done, step.advanced))

    execute(work, recorder=store)
    assert seen == [(10, 1), (60, 51, True)]


def test_a_commit_is_no_checkpoint_but_the_next_move_is(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            for number in range(1, 9):
                with transaction(rows):
                    rows.execute("INSERT INTO rows VALUES (?)", (number,))
                    step.commit(number, rows)
                if number == 2:
                    attention.interrupt("stopping")
                if number == 4:
                    step.checkpoint()

    attention = Attention()
    outcome = execute(work, attention=attention, recorder=store)
    assert (outcome.reason, kept(outcome), numbers(rows)) == ("stopping", (4, 4), [1, 2, 3, 4])


def test_an_error_inside_the_transaction_keeps_the_cursor_before_it(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                rows.execute("INSERT INTO rows VALUES (1)")
                step.commit(1, rows)
            with transaction(rows):
                rows.execute("INSERT INTO rows VALUES (2)")
                step.commit(2, rows)
                raise LookupError

    outcome = execute(work, recorder=store)
    assert (outcome.reason, kept(outcome), numbers(rows)) == ("error", (1, 1), [1])


def test_an_error_while_the_transaction_is_still_open_keeps_the_cursor_before_it(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            rows.execute("BEGIN")
            step.commit(2, rows)
            raise LookupError

    outcome = execute(work, recorder=store)
    assert kept(outcome) == (1, 0)
    rows.execute("ROLLBACK")


def test_a_rollback_without_other_progress_is_no_progress(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                step.commit(2, rows)
                raise LookupError

    assert not execute(work, recorder=store).made_progress


def test_two_commits_in_one_transaction_are_rolled_back_together(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            with transaction(rows):
                step.commit(2, rows)
                step.commit(3, rows)
                raise LookupError

    assert kept(execute(work, recorder=store)) == (1, 0)


def test_commits_in_one_transaction_after_the_other_need_no_checkpoint_between(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            for number in (1, 2, 3):
                with transaction(rows):
                    step.commit(number, rows)
                    if number == 3:
                        raise LookupError

    assert kept(execute(work, recorder=store)) == (2, 2)


def test_after_a_rollback_the_step_itself_goes_on_from_before(app, rows, store):
    seen = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            for fails in (False, True, False):
                with contextlib.suppress(LookupError), transaction(rows):
                    step.commit(step.cursor + 1, rows)
                    if fails:
                        raise LookupError
                seen.append((step.done, step.cursor))

    execute(work, recorder=store)
    assert seen == [(1, 1), (1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("move", "cursor", "done"),
    [
        (lambda step: step.set(30), 30, 1),
        (lambda step: step.advance(), 2, 2),
        (lambda step: step.advance(past=30), 31, 2),
        (lambda step: step.set([30]), [30], 1),
    ],
)
def test_a_move_after_a_rollback_counts_as_any_other(app, rows, store, move, cursor, done):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                step.commit(1, rows)
            with contextlib.suppress(LookupError), transaction(rows):
                step.commit(20, rows)
                raise LookupError
            move(step)
            raise KeyError

    assert kept(execute(work, recorder=store)) == (cursor, done)


def test_a_save_after_a_rollback_does_not_make_the_cursor_sure(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with contextlib.suppress(LookupError), transaction(rows):
                step.commit(20, rows)
                raise LookupError
            for _ in range(3):
                attention.request_save()
                step.checkpoint()
            return step.cursor

        return go

    attention = Attention()
    assert execute(work, attention=attention, recorder=store).value == 0
    assert [document.get("current") for document in store.documents[:3]] == [["go", 0]] * 3


def test_a_commit_that_fails_moves_nothing(app, rows, store):
    seen = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            for cursor in (object(), 2):
                with pytest.raises(ContinuationError):  # cannot be kept; no open transaction
                    step.commit(cursor, rows)
                seen.append((step.cursor, step.done))

    execute(work, recorder=store)
    assert seen == [(1, 0), (1, 0)]


def test_a_commit_of_a_job_that_was_taken_over_rolls_the_rows_back(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            store.is_taken_over = True
            with transaction(rows):
                rows.execute("INSERT INTO rows VALUES (1)")
                step.commit(1, rows)

    assert isinstance(execute(work, recorder=store), Fenced)
    assert numbers(rows) == []


def test_that_it_was_taken_over_cannot_be_swallowed(app, rows, store):
    ran = []

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            store.is_taken_over = True
            with contextlib.suppress(Superseded), transaction(rows):
                step.commit(1, rows)

        job.step(lambda: ran.append("next"), name="next")

    assert isinstance(execute(work, recorder=store), Fenced)
    assert ran == []


# --- checkpoints inside a transaction


@pytest.mark.parametrize(
    "checkpoint",
    [
        lambda job, step: step.set(2),
        lambda job, step: step.set([2]),
        lambda job, step: step.advance(),
        lambda job, step: step.checkpoint(),
        lambda job, step: job.checkpoint(),
        lambda job, step: list(step.iterate([7, 8, 9])),
    ],
)
@pytest.mark.parametrize("begin", ["commit", "block"])
def test_a_checkpoint_inside_the_transaction_is_an_error_at_once(
    app, rows, store, checkpoint, begin
):
    # With nobody who wants anything: found when the job is written, not when a worker stops.
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            if begin == "commit":
                with transaction(rows):
                    step.commit(2, rows)
                    checkpoint(job, step)
            else:
                with step.transaction(rows):
                    checkpoint(job, step)

    outcome = execute(work, recorder=store)
    assert isinstance(outcome.error, CheckpointError)
    assert "A checkpoint inside an open transaction" in str(outcome.error)
    assert (kept(outcome), rows.in_transaction) == ((1, 0), False)


def test_a_step_does_not_end_inside_the_transaction(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            rows.execute("BEGIN")
            step.commit(2, rows)

    outcome = execute(work, recorder=store)
    assert "The end of a step inside an open transaction" in str(outcome.error)
    assert progress_of(outcome) == {"completed": [], "current": ["go", 0]}
    rows.execute("ROLLBACK")


def test_a_transaction_is_seen_on_a_connection_that_was_used_before(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                step.commit(1, rows)
            step.advance()
            with transaction(rows):
                step.checkpoint()

    assert isinstance(
        execute(work, recorder=store, attention=asking(lambda: None)).error, CheckpointError
    )


def test_after_the_transaction_checkpoints_are_as_ever(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                step.commit(1, rows)
            step.checkpoint()
            step.advance()
            return step.cursor

        return go

    assert execute(work, recorder=store).value == 2


# --- transaction


@pytest.fixture
def work(app, rows):
    @app.job
    def work(job, fails_at=None):
        @job.step(start=1)
        def go(step):
            while step.cursor < 5:
                with step.transaction(rows) as tx:
                    number = step.cursor
                    rows.execute("INSERT INTO rows VALUES (?)", (number,))
                    tx.save(number + 1, items=10)
                    if number == fails_at and not step.resumed:
                        raise LookupError

    return work


def test_a_transaction_commits_rows_and_cursor_and_checkpoints_at_its_end(work, rows, store):
    record = new_record(work)
    outcome = execute(work, record, recorder=store, attention=interrupting_at(2))
    assert (kept(outcome), numbers(rows)) == ((3, 20), [1, 2])
    execute(work, resumed(record, outcome), recorder=store)
    assert numbers(rows) == [1, 2, 3, 4]


def test_a_transaction_rolls_rows_and_cursor_back(work, rows, store):
    record = new_record(work, fails_at=3)
    outcome = execute(work, record, recorder=store)
    assert (outcome.reason, kept(outcome), numbers(rows)) == ("error", (3, 20), [1, 2])
    execute(work, resumed(record, outcome), recorder=store)
    assert numbers(rows) == [1, 2, 3, 4]


def test_a_transaction_that_cannot_commit_keeps_the_cursor_before_it(app, rows, store):
    rows.execute("PRAGMA foreign_keys=ON")
    rows.execute("CREATE TABLE parts (row INTEGER REFERENCES rows DEFERRABLE INITIALLY DEFERRED)")

    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            with step.transaction(rows) as tx:
                rows.execute("INSERT INTO parts VALUES (77)")
                tx.save(2)

    outcome = execute(work, recorder=store)
    assert (outcome.reason, kept(outcome), rows.in_transaction) == ("error", (1, 0), False)


def test_a_transaction_in_which_nothing_is_saved_leaves_the_cursor(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(4)
            with step.transaction(rows):
                rows.execute("INSERT INTO rows VALUES (1)")
            return step.cursor

        return go

    assert execute(work, recorder=store).value == 4


def test_an_interrupt_of_the_jobs_own_inside_a_transaction_rolls_it_back(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            step.set(1)
            with step.transaction(rows) as tx:
                rows.execute("INSERT INTO rows VALUES (1)")
                tx.save(2)
                job.interrupt("rate limit")

    outcome = execute(work, recorder=store)
    assert (outcome.reason, kept(outcome), numbers(rows)) == ("rate limit", (1, 0), [])


def test_a_transaction_begins_one_of_its_own(app, rows, store):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows), step.transaction(rows):
                pass

    outcome = execute(work, recorder=store)
    assert isinstance(outcome.error, CheckpointError)
    assert "begins a transaction of its own" in str(outcome.error)


def test_a_transaction_takes_a_database_connection(app):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with step.transaction("rows.db"):
                pass

    outcome = execute(work)
    assert isinstance(outcome.error, CheckpointError)
    assert "builtins.str" in str(outcome.error)


def test_a_transaction_takes_the_write_lock_when_it_begins(app, path, rows, store):
    # One that had read first could not write after a save of ours: SQLite calls it stale.
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with (
                closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
                step.transaction(rows),
                pytest.raises(sqlite3.OperationalError, match="locked"),
            ):
                other.execute("BEGIN IMMEDIATE")
            return "seen"

        return go

    assert execute(work, recorder=store).value == "seen"


# --- together with a source


LARGE = range(5000, 5010)  # whose cursors are equal without being the same object


def test_an_item_that_was_committed_with_the_cursor_behind_it_is_counted_once(app, rows, store):
    @app.job
    def work(job):
        @job.step
        def go(step):
            for _ in step.iterate(pairs):
                with transaction(rows):
                    number = step.next_cursor[0]
                    step.commit((number, "again"), rows)
                assert step.next_cursor == step.cursor
            return [step.cursor, step.done]

        return go

    class Pairs:
        def items(self, cursor):
            return (((n, "again"), (n, "again")) for n in LARGE if n > (cursor or (0,))[0])

        def total(self):
            return len(LARGE)

        def fingerprint(self):
            return None

    pairs = Pairs()
    record = new_record(work)
    outcome = execute(work, record, recorder=store, attention=interrupting_at(4))
    assert progress_of(outcome)["done"] == 4
    outcome = execute(work, resumed(record, outcome), recorder=store)
    assert outcome.value == [(5009, "again"), 10]


def test_a_transaction_inside_the_loop_may_be_tried_again(app, rows, store):
    @app.job
    def work(job):
        @job.step
        def go(step):
            for number in step.iterate([3, 4, 5]):
                for attempt in (1, 2):
                    with contextlib.suppress(LookupError), step.transaction(rows) as tx:
                        if attempt == 1 or number == 4:
                            rows.execute("INSERT OR REPLACE INTO rows VALUES (?)", (number,))
                            tx.save(step.next_cursor)
                        if (number, attempt) == (4, 1):
                            raise LookupError
            return [step.cursor, step.done]

        return go

    outcome = execute(work, recorder=store)
    assert outcome.value == [3, 3]
    assert numbers(rows) == [3, 4, 5]


def test_an_item_whose_transaction_was_rolled_back_and_let_go_is_done_all_the_same(
    app, rows, store
):
    @app.job
    def work(job):
        @job.step
        def go(step):
            for number in step.iterate([3, 4, 5]):
                with contextlib.suppress(LookupError), transaction(rows):
                    rows.execute("INSERT INTO rows VALUES (?)", (number,))
                    step.commit(step.next_cursor, rows)
                    if number == 4:
                        raise LookupError
            return [step.cursor, step.done]

        return go

    assert execute(work, recorder=store).value == [3, 3]
    assert numbers(rows) == [3, 5]


def test_behind_is_there_only_in_the_body_of_a_loop(app):
    @app.job
    def work(job):
        @job.step
        def go(step):
            for _ in step.iterate([1, 2, 3]):
                break
            return step.next_cursor

    outcome = execute(work)
    assert isinstance(outcome.error, SourceError)


# --- without a store


def test_called_directly_a_job_may_commit_as_well(work, rows):
    work()
    assert numbers(rows) == [1, 2, 3, 4]


def test_progress_that_rides_in_the_payload_shares_the_fate_of_the_rows(work, rows):
    record = new_record(work, fails_at=3)
    outcome = execute(work, record)
    assert (outcome.reason, kept(outcome), numbers(rows)) == ("error", (3, 20), [1, 2])
    execute(work, resumed(record, outcome))
    assert numbers(rows) == [1, 2, 3, 4]


def test_so_it_does_with_a_commit_in_a_transaction_of_the_jobs_own(app, rows):
    @app.job
    def work(job):
        @job.step(start=0)
        def go(step):
            with transaction(rows):
                step.commit(1, rows)
            step.checkpoint()
            with transaction(rows):
                step.commit(2, rows)
                raise LookupError

    assert kept(execute(work)) == (1, 1)


def test_a_commit_needs_an_open_transaction_there_too(app, rows):
    @app.job
    def work(job):
        job.step(lambda step: step.commit(1, rows), name="go")

    with pytest.raises(CheckpointError, match="within an open transaction"):
        work()
