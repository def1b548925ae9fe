import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from unittest.mock import patch

import pytest

from continuable.errors import StoreBusyError, StoreError
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.table import JobTable
from continuable.sqlite import database as databases
from continuable.sqlite import forks
from continuable.sqlite.troubles import trouble
from tests.waiting import DEADLINE


def synchronous(connection):
    return connection.execute("PRAGMA synchronous").fetchone()[0]


def journal_mode(connection):
    return connection.execute("PRAGMA journal_mode").fetchone()[0]


NORMAL, FULL = 1, 2


def test_a_new_file_is_made_in_wal_mode(database, path):
    database.open()
    assert path.exists()
    with database.reading() as connection:
        assert journal_mode(connection) == "wal"


def test_only_what_must_survive_a_power_cut_is_flushed(database):
    with database.transaction(is_durable=True) as connection:
        assert synchronous(connection) == FULL
    with database.transaction() as connection:
        assert synchronous(connection) == NORMAL


def test_full_durability_flushes_everything(path):
    database = JobDatabase(path, durability="full")
    with database.transaction() as connection:
        assert synchronous(connection) == FULL
    database.close()


def test_a_transaction_is_rolled_back_when_its_body_raises(database, raw):
    raw.execute("CREATE TABLE mine (n INTEGER)")
    with pytest.raises(StoreError), database.transaction() as connection:
        connection.executemany("INSERT INTO mine VALUES (?)", [[1], [2, 3]])
    assert raw.execute("SELECT count(*) FROM mine").fetchone() == (0,)
    assert not connection.in_transaction


def test_every_thread_has_a_connection_that_ends_with_it(database):
    seen = []

    def use():
        seen.append(database.connection())

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert seen[0] is not database.connection()
    is_open, ended = len(forks.alive), seen.pop()
    assert not ended.is_closed
    del ended
    assert len(forks.alive) == is_open - 1


def test_closing_closes_the_connections_of_all_threads(database):
    opened, go_on = threading.Event(), threading.Event()
    seen = []

    def use():
        seen.append(database.connection())
        opened.set()
        go_on.wait(DEADLINE)

    thread = threading.Thread(target=use)
    thread.start()
    opened.wait(DEADLINE)
    database.close()
    assert seen[0].is_closed
    go_on.set()
    thread.join()
    database.open()  # opens again when it is needed again


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"create the folder .*missing first"):
        JobDatabase(tmp_path / "missing" / "jobs.db").open()


def test_a_file_that_is_no_database_is_refused(path):
    path.write_text("these are not the jobs you are looking for\n" * 100)
    with pytest.raises(StoreError, match="not an SQLite database"):
        JobDatabase(path).open()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        JobDatabase(tmp_path).open()


def test_a_damaged_file_says_how_to_repair_it(table, make, database, path):
    table.enqueue([make(f"j{n}") for n in range(500)])
    database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged.*\.recover"):
        table.claim_next("me")


def test_a_newer_schema_asks_for_an_upgrade(database, raw, path):
    raw.execute("UPDATE continuable_schema SET version = 4")
    with pytest.raises(StoreError, match="upgrade continuable"):
        JobDatabase(path).open()


def test_tables_of_the_same_name_that_are_not_ours_are_refused(path):
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE continuable_schema (version INTEGER)")
        other.execute("INSERT INTO continuable_schema VALUES (0)")
        other.commit()
    with pytest.raises(StoreError, match="use another file"):
        JobDatabase(path).open()


def test_the_users_own_tables_and_versions_are_left_alone(path):
    with closing(sqlite3.connect(path)) as other:
        other.executescript(
            "CREATE TABLE orders (n); PRAGMA user_version = 12; PRAGMA application_id = 34"
        )
    database = JobDatabase(path)
    with database.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (12,)
        assert connection.execute("PRAGMA application_id").fetchone() == (34,)
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
    database.close()


def test_a_full_disk_loses_nothing_and_is_told(table, make, database):
    table.enqueue([make("first")])
    with database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    big = make("big", arguments=f'[["{"x" * 100_000}"],{{}}]')
    with pytest.raises(StoreError, match="disk is full"):
        table.enqueue([big])
    assert [job.id for job in table.list()] == ["first"]
    assert table.claim_next("me").id == "first"


def test_a_read_only_file_says_what_to_change(path, database):
    database.open()
    with database.reading() as connection:
        connection.execute("PRAGMA query_only = ON")  # what a test run by root can do
    with pytest.raises(StoreError, match="write access"), database.transaction() as connection:
        connection.execute("DELETE FROM continuable_jobs")


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_file_has_one_name_however_it_is_reached(database, path, tmp_path_factory, linked):
    """Its workers' locks lie next to it: found under another name, they would be taken for dead."""
    database.open()
    elsewhere = tmp_path_factory.mktemp("release") / "linked"
    elsewhere.symlink_to(path if linked == "file" else path.parent)
    other = JobDatabase(elsewhere if linked == "file" else elsewhere / path.name)
    assert other.path == database.path


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_was_moved_away_is_noticed(database, path, replaced):
    database.open()
    database.check()
    path.rename(path.with_suffix(".old"))
    if replaced:
        path.touch()
    assert database.is_in_place
    with pytest.raises(StoreError, match="moved, deleted or replaced"):
        database.check()
    assert not database.is_in_place
    path.with_suffix(".old").rename(path)
    database.check()
    assert database.is_in_place


@pytest.mark.parametrize("is_first", [True, False])
def test_a_file_that_is_replaced_while_it_is_opened_is_noticed(
    path, tmp_path, monkeypatch, is_first
):
    database = JobDatabase(path)
    if not is_first:
        database.open()
    make_tables = database.make_tables

    def replace_first(connection):
        make_tables(connection)
        path.rename(tmp_path / "old.db")
        path.touch()

    monkeypatch.setattr(database, "make_tables", replace_first)
    with ThreadPoolExecutor(1) as another, pytest.raises(StoreError, match="replaced"):
        another.submit(database.open).result()
    assert not database.is_in_place
    database.close()


def test_what_must_be_found_again_is_not_written_into_a_file_that_was_moved(database, path):
    database.open()
    path.rename(path.with_suffix(".old"))
    with pytest.raises(StoreError, match="moved"), database.transaction(is_durable=True):
        pass
    with database.transaction():  # a running job's end, say
        pass


def test_another_thread_makes_no_second_file_beside_the_one_that_was_moved(database, path):
    database.open()
    path.rename(path.with_suffix(".old"))
    caught = []

    def use():
        try:
            database.open()
        except StoreError as error:
            caught.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert caught
    assert not path.exists()


def test_a_lock_that_is_held_for_too_long_is_told_apart(database, raw):
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError), database.transaction(timeout=0.01):
        pass
    raw.execute("ROLLBACK")
    with database.transaction(timeout=0.01):
        pass


def test_two_processes_may_make_the_same_file(path):
    """SQLite refuses at once, without waiting, where two switch a file to WAL."""
    refusal = sqlite3.OperationalError("database is locked")
    refusal.sqlite_errorcode = sqlite3.SQLITE_BUSY
    attempts = []

    class Leased(sqlite3.Connection):
        def execute(self, sql, *parameters):
            if sql == "PRAGMA journal_mode = WAL":
                attempts.append(sql)
                if len(attempts) < 3:
                    raise refusal
            return super().execute(sql, *parameters)

    def connect(*args, **options):
        return Leased(*args, **options)

    database = JobDatabase(path)
    with patch.object(sqlite3, "connect", connect):
        database.open()
    assert len(attempts) == 3
    database.close()


def test_a_network_file_system_is_refused_before_anything_is_written(path):
    with (
        patch.object(databases, "refuse_network", side_effect=StoreError("on nfs")),
        pytest.raises(StoreError, match="nfs"),
    ):
        JobDatabase(path).open()
    assert not path.exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_IOERR_WRITE, "disk failed"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "write access"),
        (sqlite3.SQLITE_TOOBIG, "too large"),
        (sqlite3.SQLITE_AUTH, "SQLite refused"),
        (None, "SQLite refused"),
    ],
)
def test_every_error_names_the_file_and_says_what_to_do(path, code, words):
    error = sqlite3.OperationalError("what SQLite said")
    if code is not None:
        error.sqlite_errorcode = code
    told = str(trouble(error, path))
    assert str(path) in told
    assert words in told
    assert "what SQLite said" in told


def test_no_row_is_written_without_its_type(database, raw):
    JobTable(database)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("INSERT INTO continuable_schema VALUES ('one')")
