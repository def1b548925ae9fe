"""Bad times, with real workers of Procrastinate: kills, stops, aborts, a restart of PostgreSQL."""

import signal
from importlib import import_module
from pathlib import Path

import pytest

from continuable.errors import JobCancelledError, JobFailedError
from continuable.model.states import State
from tests.queues.procrastinate.conftest import connected
from tests.waiting import DEADLINE, until

MODULE = "tests.queues.procrastinate.team"

pytestmark = pytest.mark.slow


@pytest.fixture
def team(postgresql):
    team = import_module(MODULE)
    with connected(postgresql) as connection:
        connection.execute("DROP TABLE IF EXISTS copied")
        connection.execute("CREATE TABLE copied (row integer)")
    with team.procrastinate_app.open():
        yield team
    team.app.queue.close()
    team.engine.dispose()


@pytest.fixture
def worker(start_worker):
    return lambda *options: start_worker(*options, module=MODULE)


@pytest.fixture
def folder(tmp_path):
    """Where a job says that it has begun, and waits for `go`."""
    yield tmp_path
    go(tmp_path)


def go(folder):
    Path(folder, "go").touch()


def begins(folder):
    path = Path(folder, "begins")
    return [int(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


def await_begins(folder, *executions):
    until(lambda: begins(folder) == list(executions), f"executions {executions}")


def copied(postgresql):
    with connected(postgresql) as connection:
        return [row for (row,) in connection.execute("SELECT row FROM copied ORDER BY row")]


@pytest.mark.parametrize("job", ["copy", "copy_with_psycopg", "acopy_with_psycopg"])
def test_rows_that_are_committed_with_their_cursor_are_there_once_over_kills_and_stops(
    team, worker, folder, postgresql, rows, job
):
    handle = getattr(team, job).enqueue(str(folder), 12)
    first = worker()
    until(lambda: len(copied(postgresql)) == 3, "three rows")
    first.signal_main(signal.SIGKILL)
    first.wait()
    second = worker()
    until(lambda: len(copied(postgresql)) == 6, "six rows")
    second.signal_main(signal.SIGTERM)
    assert second.wait() == 0
    go(folder)
    third = worker()
    assert handle.result(timeout=DEADLINE) == 12
    assert copied(postgresql) == list(range(12))
    third.until(lambda: rows("status::text") == [("succeeded",)], "the end of the row")
    assert rows("attempts") == [(1,)]


def test_a_worker_that_comes_back_from_the_dead_leaves_the_row_to_its_successor(
    team, worker, folder, rows
):
    handle = team.hold.enqueue(str(folder))
    zombie = worker()
    await_begins(folder, 1)
    zombie.signal_main(signal.SIGSTOP)
    successor = worker()
    await_begins(folder, 1, 2)
    zombie.signal_main(signal.SIGCONT)
    until(lambda: "Another execution" in zombie.log, "the zombie knows")
    assert rows("status::text") == [("doing",)]
    zombie.signal_main(signal.SIGTERM)
    assert zombie.wait() == 0
    assert rows("status::text") == [("doing",)]
    go(folder)
    assert handle.result(timeout=DEADLINE) == 2
    until(lambda: rows("status::text") == [("succeeded",)], "the end of the row")
    assert successor.is_alive


def test_an_isolated_step_need_not_wait_until_an_idle_worker_looks_again(team, worker):
    handle = team.isolated.enqueue()
    worker("--concurrency", "2", "--fetch-job-polling-interval", "3600")
    assert handle.result(timeout=DEADLINE) == 3


def test_a_job_that_was_fetched_and_never_started_is_brought_back(
    team, worker, folder, rows, postgresql
):
    go(folder)
    handle = team.hold.enqueue(str(folder))
    native = team.app.queue.task(team.hold).defer(folder=str(folder))
    with connected(postgresql) as connection:
        connection.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - interval '1 minute') RETURNING id) "
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
        )
    worker()
    assert handle.result(timeout=DEADLINE) == 1
    other = team.app.handle(f"procrastinate-{native}")
    until(lambda: rows("status::text") == [("succeeded",), ("succeeded",)], "the end of the rows")
    assert other.result(timeout=0) == 1


def test_a_job_that_kills_its_workers_has_failed_and_is_shown_so(
    team, worker, folder, rows, postgresql
):
    handle = team.kill.enqueue(str(folder))
    for _ in range(2):
        worker().wait()
    worker()
    with pytest.raises(JobFailedError, match="Killed its worker 2 times"):
        handle.result(timeout=DEADLINE)
    assert begins(folder) == [1, 2]
    # Its row is left to be swept, once Procrastinate takes its worker for dead.
    with connected(postgresql) as connection:
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1h'"
        )
    worker()
    until(lambda: rows("status::text") == [("failed",)], "the failure")
    assert begins(folder) == [1, 2]


def test_an_async_job_that_is_cut_off_when_its_grace_is_over_comes_back(team, worker, folder, rows):
    handle = team.ahold.enqueue(str(folder))
    first = worker("--shutdown-graceful-timeout", "0.2")
    await_begins(folder, 1)
    first.signal_main(signal.SIGTERM)
    assert first.wait() == 0
    assert handle.info().cursor == 1
    assert rows("status::text", "attempts") == [("todo", 0)]
    worker()
    assert handle.result(timeout=DEADLINE) == 1  # what was cut off counts for nothing
    assert begins(folder) == [1, 1]


@pytest.mark.parametrize("job", ["hold", "ahold"])
def test_an_abort_that_is_asked_of_procrastinate_cancels_a_running_job(
    team, worker, folder, rows, job
):
    handle = getattr(team, job).enqueue(str(folder))
    worker()
    await_begins(folder, 1)
    ((number,),) = rows("id")
    team.procrastinate_app.job_manager.cancel_job_by_id(number, abort=True)
    with pytest.raises(JobCancelledError):
        handle.result(timeout=DEADLINE)
    until(lambda: rows("status::text") == [("aborted",)], "the end of the row")


def test_an_interrupted_job_that_procrastinate_cancels_is_not_brought_back(
    team, worker, folder, rows
):
    handle = team.hold.enqueue(str(folder))
    first = worker()
    await_begins(folder, 1)
    first.signal_main(signal.SIGTERM)
    assert first.wait() == 0
    ((number,),) = rows("id")
    assert team.procrastinate_app.job_manager.cancel_job_by_id(number)
    worker()
    until(lambda: handle.state() is State.CANCELLED, "the cancel")
    assert rows("status::text") == [("cancelled",)]
    assert begins(folder) == [1]


def test_a_job_outlives_a_restart_of_postgresql(team, worker, folder, rows, postgresql):
    handle = team.hold.enqueue(str(folder))
    first = worker()
    await_begins(folder, 1)
    postgresql.restart()
    go(folder)
    until(lambda: not first.is_alive or rows("status::text") == [("succeeded",)], "its worker")
    worker()  # as whoever runs them does when one has ended
    assert handle.result(timeout=DEADLINE) in {1, 2}
    until(lambda: rows("status::text") == [("succeeded",)], "the end of the row")


def test_each_job_of_a_worker_that_stops_ends_at_its_own_checkpoint(team, worker, folder):
    other = folder / "other"
    other.mkdir()
    held, sleeping = team.hold.enqueue(str(folder)), team.sleep.enqueue(str(other))
    first = worker("--concurrency", "2")
    await_begins(folder, 1)
    await_begins(other, 1)
    first.signal_main(signal.SIGTERM)
    until(lambda: held.state() is State.INTERRUPTED, "the interrupt")
    assert sleeping.state() is State.RUNNING
    go(other)
    assert first.wait() == 0
    assert sleeping.result(timeout=0) == 1
