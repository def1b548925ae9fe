"""Processes that are forked while their parent has the database open."""

import os
import threading
import traceback
from contextlib import contextmanager

import pytest

from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.table import JobTable

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
PATIENCE = 20


class Child:
    """A forked process that does `work` and tells what came of it."""

    def __init__(self, work):
        reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            told = "done"
            try:
                work()
            except BaseException:
                told = traceback.format_exc()
            os.write(writer, told.encode())
            os._exit(0)
        os.close(writer)
        self._told = os.fdopen(reader)

    def told(self):
        with self._told:
            told = self._told.read()
        os.waitpid(self.pid, 0)
        return told


@contextmanager
def meanwhile(work):
    """Do `work` in a thread, which is given an event to set once it is in the middle of it."""
    is_in_the_middle = threading.Event()
    thread = threading.Thread(target=work, args=[is_in_the_middle])
    thread.start()
    assert is_in_the_middle.wait(PATIENCE)
    yield
    thread.join()


def test_a_child_is_not_locked_out_by_what_a_thread_of_its_parent_was_writing(table, make):
    def write(is_in_the_middle):
        with table.database.transaction():
            is_in_the_middle.set()
            go_on.wait(0.3)

    go_on = threading.Event()
    with meanwhile(write):
        assert Child(lambda: table.enqueue([make("the child's")])).told() == "done"
    assert table.find("the child's").id == "the child's"


def test_a_child_does_not_wait_for_a_thread_of_its_parent_that_was_opening_the_file(path, make):
    class Slow(JobDatabase):
        def make_tables(self, connection):
            super().make_tables(connection)
            is_opening.set()
            go_on.wait(0.3)

    is_opening, go_on = threading.Event(), threading.Event()
    table = JobTable(Slow(path))

    def open_slowly(is_in_the_middle):
        nonlocal is_opening
        is_opening = is_in_the_middle
        table.database.open()

    with meanwhile(open_slowly):
        child = Child(lambda: table.enqueue([make("the child's")]))
    timer = threading.Timer(PATIENCE, os.kill, [child.pid, 9])
    timer.start()
    assert child.told() == "done"
    timer.cancel()
    timer.join()
    assert table.find("the child's").id == "the child's"
    table.database.close()


def test_what_a_child_enqueues_after_its_parent_has_closed_the_file_is_not_lost(table, make, path):
    def work():
        table.enqueue([make("before")])
        os.write(written, b"1")
        os.read(closed, 1)
        table.enqueue([make("after")])

    table.database.open()
    is_written, written = os.pipe()
    closed, closing = os.pipe()
    child = Child(work)
    os.read(is_written, 1)
    table.database.close()
    os.write(closing, b"1")
    assert child.told() == "done"
    assert {job.id for job in table.list()} == {"before", "after"}
    for descriptor in (is_written, written, closed, closing):
        os.close(descriptor)


def test_a_child_of_a_fork_in_the_middle_of_a_transaction_is_told(table, make, database):
    with database.transaction():
        child = Child(lambda: table.enqueue([make("the child's")]))
        assert "fork outside of transactions" in child.told()
    assert table.list() == []
    assert Child(lambda: table.enqueue([make("the child's")])).told() == "done"


def test_a_child_that_forks_closes_nothing_of_its_parents(table, make, database):
    """That would take the locks of the parent on the file away."""

    def work():
        assert Child(lambda: None).told() == "done"
        assert not parents.is_closed

    parents = database.connection()
    with database.transaction():
        assert Child(work).told() == "done"

    def leave():
        parents.let_go()  # as an error does that leaves the transaction
        work()

    with database.transaction():
        assert Child(leave).told() == "done"


def test_a_parent_goes_on_with_connections_of_its_own(table, make, database):
    table.enqueue([make("before")])
    connection, version = database.connection(), database.data_version()
    assert Child(lambda: None).told() == "done"
    assert connection.is_closed
    assert database.data_version() != version  # of what may have been written meanwhile
    table.enqueue([make("after")])
    assert {job.id for job in table.list()} == {"before", "after"}


def test_a_child_refuses_only_the_file_that_was_in_use(table, make, database, tmp_path):
    def work():
        other = JobDatabase(tmp_path / "other.db")
        JobTable(other).enqueue([make("the child's")])

    with database.transaction():
        assert Child(work).told() == "done"
