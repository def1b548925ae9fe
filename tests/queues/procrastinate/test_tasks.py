"""What Procrastinate's own means make of our jobs; with its workers in this process."""

import asyncio
import functools
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest
from procrastinate import App as Procrastinate
from procrastinate import PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued

from continuable import App
from continuable.core.outcome import Completed
from continuable.errors import (
    DuplicateJobError,
    JobNotFoundError,
    QueueError,
    SerializationError,
)
from continuable.model.payload import JobRecord
from continuable.model.states import State
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.queues.procrastinate import ProcrastinateQueue
from tests.queues.procrastinate.conftest import DATABASE, connected, conninfo
from tests.waiting import DEADLINE, until


@pytest.fixture
def procrastinate_app(postgresql):
    return Procrastinate(connector=PsycopgConnector(conninfo=conninfo(postgresql)))


@pytest.fixture
def app(procrastinate_app):
    app = App(
        queue=ProcrastinateQueue(procrastinate_app), defaults={"resume_options": {"wait": 0.0}}
    )
    with procrastinate_app.open():
        yield app
    app.queue.close()


@pytest.fixture
def work(procrastinate_app):
    """Runs what is waiting, and what comes back at once."""

    def work(**options):
        options = {"wait": False, "install_signal_handlers": False, **options}
        procrastinate_app.run_worker(**options)

    return work


def interrupted_once(job):
    """Come to a checkpoint, and go on in the next execution."""
    if not job.state.get("was_interrupted"):
        job.state["was_interrupted"] = True
        job.interrupt("on purpose")


def test_the_progress_of_jobs_is_kept_in_the_database_of_procrastinate(app, work, postgresql):
    @app.job(name="double")
    def double(job, n):
        return job.step(lambda: n * 2, name="doubled")

    handle = double.enqueue(21)
    work()
    assert handle.result(timeout=0) == 42
    assert handle.info().completed == ["doubled"]
    with connected(postgresql) as connection:
        found = connection.execute("SELECT id, result FROM continuable_progress").fetchall()
    assert found == [(handle.id, "42")]


def test_a_job_keeps_its_row_until_it_ends(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job, first, *, last):
        job.step(lambda: None, name="prepare")
        interrupted_once(job)
        job.step(lambda: None, name="finish", isolated=True)
        return last - first

    handle = import_rows.using(priority=5).enqueue(1, last=8)
    ((arguments,),) = rows("args")
    assert arguments["last"] == 8
    assert arguments["_continuable"]["args"] == [1]
    assert arguments["_continuable"]["id"] == handle.id
    work()
    assert handle.result(timeout=0) == 7
    assert handle.info().executions == 2
    assert rows("status::text", "priority", "attempts") == [("succeeded", 5, 1)]


def test_what_the_user_defers_is_a_job_with_the_number_of_its_row(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job, import_id):
        job.step(lambda: None, name="prepare")
        interrupted_once(job)
        return import_id

    number = app.queue.task(import_rows).configure(queue="slow", priority=3).defer(import_id=42)
    handle = app.handle(f"procrastinate-{number}")
    with pytest.raises(JobNotFoundError):
        handle.state()
    work()
    assert handle.result(timeout=0) == 42
    info = handle.info()
    assert (info.queue, info.priority, info.executions) == ("slow", 3, 2)
    assert rows("id", "status::text", "attempts") == [(number, "succeeded", 1)]


def test_arguments_that_do_not_fit_fail_the_row(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job, import_id):
        raise AssertionError("it must not run")

    app.queue.task(import_rows).defer(row_id=42)
    work()
    assert rows("status::text") == [("failed",)]
    assert app.queue.board.list() == []


def test_a_direct_call_of_the_task_runs_the_job_here_and_now(app):
    @app.job(name="double")
    def double(job, n):
        return n * 2

    @app.job(name="adouble")
    async def adouble(job, n):
        return n * 2

    assert app.queue.task(double)(n=21) == 42
    assert asyncio.run(app.queue.task(adouble)(n=21)) == 42
    assert app.queue.task(double).name == "double"


def test_an_async_job_runs_on_the_loop_of_its_worker_whose_app_is_open_there(
    app, work, procrastinate_app
):
    ran = []

    @procrastinate_app.task(name="plain")
    async def plain(n):
        ran.append((n, asyncio.get_running_loop()))

    @app.job(name="aimport")
    async def aimport(job):
        await plain.defer_async(n=1)
        interrupted_once(job)
        ran.append((2, asyncio.get_running_loop()))

    handle = aimport.enqueue()
    work()
    assert handle.state() is State.COMPLETED
    assert sorted(n for n, _ in ran) == [1, 1, 2]
    assert len({loop for _, loop in ran}) == 1


def test_the_users_own_retry_strategy_hears_of_errors_alone(app, work, rows):
    tries = []

    @app.job(name="import_rows")
    def import_rows(job):
        interrupted_once(job)
        tries.append(job.executions)
        raise ValueError("no luck")

    app.queue.task(import_rows).retry_strategy = RetryStrategy(max_attempts=2)
    handle = import_rows.enqueue()
    # It retries at once, but a worker that finds nothing due ends.
    for _ in range(3):
        work()
    assert tries == [2, 3, 4]
    assert handle.state() is State.FAILED
    assert rows("status::text", "attempts") == [("failed", 3)]


def test_retries_of_our_own_use_up_none_of_procrastinates(app, work, rows):
    tries = []

    @app.job(name="import_rows", max_retries=1, retry_wait=0.0)
    def import_rows(job):
        tries.append(job.executions)
        raise ValueError("no luck")

    handle = import_rows.enqueue()
    work()
    assert tries == [1, 2]
    assert handle.state() is State.FAILED
    assert rows("status::text", "attempts") == [("failed", 1)]


def test_a_job_that_failed_is_run_again_from_its_last_checkpoint_by_procrastinates_retry(
    app, work, rows, procrastinate_app
):
    steps = []

    @app.job(name="import_rows", resume_errors_after_advancing=False)
    def import_rows(job):
        job.step(lambda: steps.append("first"), name="first")
        if job.executions == 1:
            raise ValueError("no luck")

    handle = import_rows.enqueue()
    work()
    assert handle.state() is State.FAILED
    ((number,),) = rows("id")

    async def retry():
        async with procrastinate_app.open_async():
            await procrastinate_app.job_manager.retry_job_by_id_async(number, datetime.now(UTC))

    asyncio.run(retry())
    work()
    assert handle.state() is State.COMPLETED
    assert steps == ["first"]


def test_a_job_with_a_lock_goes_on_before_those_that_wait_behind_it(app, work):
    order = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        job.step(lambda: order.append(n), name="first")
        interrupted_once(job)
        job.step(lambda: order.append(n), name="second")

    task = app.queue.task(import_rows).configure(lock="upload")
    for n in range(3):
        task.defer(n=n)
    while len(order) < 6:  # a worker ends whenever it finds nothing that is due
        work(concurrency=3)
    assert order == [0, 0, 1, 1, 2, 2]


def test_a_paused_job_keeps_its_place_behind_its_lock(app, work, rows):
    order = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        order.append(n)

    task = app.queue.task(import_rows)
    task.lock = "upload"
    first, second = import_rows.enqueue(1), import_rows.enqueue(2)
    first.pause()
    work()
    assert order == []
    assert rows("status::text", "extract(year from scheduled_at)") == [
        ("todo", 9999),
        ("todo", None),
    ]
    first.resume()
    work()
    assert order == [1, 2]
    assert second.state() is State.COMPLETED


def test_another_job_with_the_same_queueing_lock_does_not_keep_one_from_coming_back(
    app, work, rows
):
    @app.job(name="import_rows")
    def import_rows(job):
        if job.id == "first":
            if job.executions == 1:
                app.queue.task(import_rows).defer()
            interrupted_once(job)

    app.queue.task(import_rows).queueing_lock = "one"
    handle = import_rows.using(id="first").enqueue()
    work()
    assert handle.state() is State.COMPLETED
    assert rows("status::text", "queueing_lock") == [("succeeded", None), ("succeeded", "one")]


def test_a_job_whose_queueing_lock_is_taken_is_not_enqueued(app, work):
    @app.job(name="import_rows")
    def import_rows(job):
        pass

    app.queue.task(import_rows).queueing_lock = "one"
    import_rows.using(id="first").enqueue()
    with pytest.raises(AlreadyEnqueued):
        import_rows.using(id="second").enqueue()
    with pytest.raises(JobNotFoundError):
        app.handle("second").state()
    work()
    assert app.handle("first").state() is State.COMPLETED


def test_an_id_that_is_taken_is_refused(app, rows):
    @app.job(name="import_rows")
    def import_rows(job, import_id):
        pass

    import_rows.using(id="import").enqueue(42)
    with pytest.raises(DuplicateJobError):
        import_rows.using(id="import").enqueue(43)
    assert len(rows("id")) == 1


def test_a_job_that_gives_up_is_shown_as_aborted(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job):
        job.cancel("nothing to import")

    handle = import_rows.enqueue()
    work()
    assert handle.state() is State.CANCELLED
    assert rows("status::text") == [("aborted",)]


def test_a_cancelled_job_that_waits_does_not_run_and_is_shown_as_aborted(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job):
        raise AssertionError("it must not run")

    import_rows.enqueue().cancel()
    work()
    assert rows("status::text") == [("aborted",)]


def test_a_job_that_was_never_claimed_is_restarted_in_its_row(app, work, rows):
    ran = []

    @app.job(name="import_rows")
    def import_rows(job):
        ran.append(job.executions)

    handle = import_rows.using(wait=3600.0).enqueue()
    handle.restart()
    work()
    assert ran == [1]
    assert rows("status::text") == [("succeeded",)]


def test_a_job_whose_row_is_gone_gets_another(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job):
        pass

    handle = import_rows.enqueue()
    work(delete_jobs="always")
    assert rows("id") == []
    handle.restart()
    work()
    assert handle.info().executions == 2
    assert rows("status::text") == [("succeeded",)]


def test_a_job_that_moves_to_another_queue_is_on_that_one(app, work, rows):
    @app.job(name="import_rows", queue="uploads", resume_options={"queue": "slow", "priority": 9})
    def import_rows(job):
        interrupted_once(job)

    import_rows.enqueue()
    assert rows("queue_name", "priority") == [("uploads", 0)]
    work(queues=["uploads"])
    assert rows("queue_name", "priority", "status::text") == [("slow", 9, "todo")]


def test_without_a_store_progress_rides_in_the_row(procrastinate_app, work, rows):
    steps = []
    app = App(queue=ProcrastinateQueue(procrastinate_app), progress=None)

    @app.job(name="import_rows", resume_options={"wait": 0.0})
    def import_rows(job, *, source):
        job.step(lambda: steps.append(source), name="first")
        interrupted_once(job)
        job.step(lambda: steps.append(source), name="second", isolated=True)

    handle = import_rows.enqueue(source="a.csv")
    work()
    app.queue.close()
    assert steps == ["a.csv", "a.csv"]
    ((arguments, status),) = rows("args", "status::text")
    assert status == "succeeded"
    assert arguments["_continuable"]["progress"]["completed"] == ["first"]
    with pytest.raises(QueueError, match="no store"):
        handle.state()


def test_one_process_may_run_workers_again_and_again_and_two_at_once(app, work, procrastinate_app):
    ran = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        ran.append(n)

    async def two():
        async with procrastinate_app.open_async():
            run = functools.partial(
                procrastinate_app.run_worker_async, wait=False, install_signal_handlers=False
            )
            await asyncio.gather(run(), run())

    for n in range(2):
        import_rows.enqueue(n)
        work()
    import_rows.enqueue(2)
    asyncio.run(two())
    assert ran == [0, 1, 2]


def test_a_worker_that_empties_the_queue_does_not_interrupt_what_is_running(app, work):
    @app.job(name="import_rows")
    def import_rows(job, n):
        @job.step(start=0)
        def process(step):
            if n == 0:
                # By then the other thread has found nothing left to fetch.
                for _ in range(50):
                    step.advance()
                    asyncio.run(asyncio.sleep(0.01))

    handles = [import_rows.enqueue(n) for n in range(2)]
    work(concurrency=2)
    assert [handle.info().executions for handle in handles] == [1, 1]


def test_jobs_are_enqueued_although_procrastinates_app_is_not_open(procrastinate_app, rows):
    app = App(queue=ProcrastinateQueue(procrastinate_app))

    @app.job(name="import_rows")
    def import_rows(job):
        pass

    import_rows.enqueue()
    asyncio.run(import_rows.aenqueue())
    app.queue.close()
    assert len(rows("id")) == 2


@pytest.fixture
def fetched(app, postgresql):
    """The record of a job whose row a worker has fetched just now."""

    @app.job(name="import_rows")
    def import_rows(job):
        pass

    handle = import_rows.enqueue()
    with connected(postgresql) as connection:
        connection.execute("SELECT FROM procrastinate_fetch_job_v2(NULL, NULL)")
    return JobRecord(id=handle.id, name="import_rows", delivery=1)


def test_a_job_that_is_missed_while_a_worker_fetches_it_is_left_to_that_one(app, fetched, rows):
    claiming = threading.Timer(0.2, app.queue.store.claim, [fetched, "worker"])
    claiming.start()
    app.queue._bring_back(fetched, 0.0)
    claiming.join()
    assert rows("status::text") == [("doing",)]


def test_a_job_whose_worker_dies_right_after_it_has_fetched_it_need_not_wait_to_be_called_stalled(
    app, fetched, rows
):
    app.queue._bring_back(fetched, 0.0)
    assert rows("status::text", "args -> '_continuable' -> 'delivery'") == [("todo", 1)]


def test_a_missing_extra_is_an_error_that_says_what_to_install():
    without = (
        "import sys; sys.modules['procrastinate'] = None; import continuable.queues.procrastinate"
    )
    tried = subprocess.run(
        [sys.executable, "-c", without], check=False, capture_output=True, text=True
    )
    assert 'pip install "continuable[procrastinate]"' in tried.stderr.splitlines()[-1]


def test_the_row_of_another_job_is_never_taken_for_ones_own(app, work, rows, postgresql):
    ran = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        ran.append(n)

    handle = import_rows.enqueue(1)
    work()
    with connected(postgresql) as connection:
        connection.execute("TRUNCATE procrastinate_jobs RESTART IDENTITY CASCADE")
    import_rows.enqueue(2)
    handle.restart()
    work()
    assert ran == [1, 2, 1]
    assert rows("id", "status::text") == [(1, "succeeded"), (2, "succeeded")]


def test_a_running_job_is_restarted_in_a_row_of_its_own_behind_the_same_lock(app, work, rows):
    ran = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        ran.append(job.executions)
        if job.executions == 1:
            app.handle(job.id).restart()
            while True:
                job.checkpoint()

    number = app.queue.task(import_rows).configure(lock="upload").defer(n=1)
    work(wait=False)
    work()
    assert ran == [1, 2]
    assert app.handle(f"procrastinate-{number}").state() is State.COMPLETED
    assert rows("status::text", "lock") == [("succeeded", "upload")] * 2


CANCEL = "UPDATE procrastinate_jobs SET status = 'cancelled'"


@pytest.mark.parametrize("how", ["deleted", "cancelled"])
def test_a_job_whose_row_is_gone_is_lost_and_can_be_retried(
    procrastinate_app, work, postgresql, how
):
    queue = ProcrastinateQueue(procrastinate_app)
    app = App(queue=queue, progress=SQLAlchemyProgress(postgresql.url_of(DATABASE), lease=0.3))

    @app.job(name="import_rows")
    def import_rows(job):
        return job.executions

    with procrastinate_app.open():
        gone, left = import_rows.enqueue(), import_rows.enqueue()
        with connected(postgresql) as connection:
            connection.execute(
                ("DELETE FROM procrastinate_jobs" if how == "deleted" else CANCEL)
                + " WHERE id = (SELECT min(id) FROM procrastinate_jobs)"
            )
        queue.consumer()
        until(lambda: gone.state() is State.FAILED, "the look for lost messages")
        assert (gone.info().reason, left.state()) == ("lost", State.WAITING)
        assert queue.missing([gone.info(), left.info()]) == [gone.id]
        gone.retry()
        work()
        assert (gone.result(timeout=0), left.result(timeout=0)) == (1, 1)
    queue.close()
    app.progress.close()


def test_a_job_is_not_lost_that_is_brought_back_while_its_old_worker_writes_its_end(
    procrastinate_app, work, monkeypatch, postgresql
):
    """As when the database comes back, after a lease, under both of them."""
    url = postgresql.url_of(DATABASE)
    queue = ProcrastinateQueue(procrastinate_app)
    app = App(queue=queue, progress=SQLAlchemyProgress(url, lease=0.3))
    is_recovered, writes = threading.Event(), threading.Event()

    def recover():
        while not is_recovered.is_set():  # the heartbeat may renew the lease in between
            app.progress.expire(handle.id, queue.consumer().worker)
            queue.consumer().recover()

    other = threading.Thread(target=recover)

    def send(record, wait):
        is_recovered.set()
        assert writes.wait(DEADLINE)
        return queue._bring_back(record, wait)

    @app.job(name="import_rows")
    def import_rows(job):
        if job.executions == 1:
            consumer = queue.consumer()
            monkeypatch.setattr(consumer, "_send", send)
            other.start()
            assert is_recovered.wait(DEADLINE)
        return job.executions

    finish = procrastinate_app.job_manager.finish_job

    async def finish_job(**options):
        writes.set()
        await asyncio.to_thread(other.join, 30)
        await finish(**options)

    monkeypatch.setattr(procrastinate_app.job_manager, "finish_job", finish_job)
    with procrastinate_app.open():
        handle = import_rows.enqueue()
        end = time.monotonic() + 30
        while handle.state() is not State.COMPLETED:
            assert time.monotonic() < end, handle.info()
            work()
            queue.consumer().recover()
        assert handle.result() == 2
    queue.close()
    app.progress.close()


def test_a_queue_that_is_closed_minds_no_jobs_any_more(app):
    def threads(kind=""):
        names = [thread.name for thread in threading.enumerate()]
        return [name for name in names if name.startswith(f"continuable-{kind}")]

    before = threads()
    app.queue.consumer()
    assert len(threads("heartbeat")) == before.count("continuable-heartbeat") + 1
    app.queue.close()
    assert threads() == before


def test_a_connector_whose_database_cannot_be_told_is_an_error_that_says_what_to_do():
    from procrastinate.testing import InMemoryConnector

    app = App(queue=ProcrastinateQueue(Procrastinate(connector=InMemoryConnector())))

    @app.job(name="import_rows")
    def import_rows(job):
        pass

    with pytest.raises(QueueError, match=r"engine=sqlalchemy\.create_engine"):
        import_rows.enqueue()


def test_a_worker_says_that_its_grace_is_shorter_than_what_jobs_take(app, work, caplog):
    @app.job(name="import_rows")
    def import_rows(job):
        pass

    store = app.queue.store
    claim = store.claim(JobRecord(id="1", name="import_rows"), "worker")
    store.settle(claim, Completed(result="null", progress=None), longest_gap=31.5)
    work()
    assert "Job 'import_rows' went 31.5 s without a checkpoint" in caplog.text
    assert "--shutdown-graceful-timeout" in caplog.text


def test_a_module_that_is_imported_twice_declares_its_job_once(app):
    def declare():
        @app.job(name="import_rows")
        def import_rows(job):
            pass

        return import_rows

    assert app.queue.task(declare()) is app.queue.task(declare())


@pytest.fixture
def finished(procrastinate_app, monkeypatch):
    """The ids of the rows that Procrastinate itself has finished."""
    finished = []
    finish = procrastinate_app.job_manager.finish_job

    async def finish_job(**options):
        finished.append(options["job"].id)
        await finish(**options)

    monkeypatch.setattr(procrastinate_app.job_manager, "finish_job", finish_job)
    return finished


def test_our_rows_are_finished_in_one_statement_and_all_others_as_ever(
    procrastinate_app, finished, app, work, rows
):
    @procrastinate_app.task(name="plain")
    def plain():
        pass

    @app.job(name="ours")
    def ours(job, n):
        return 1 // n

    for n in (1, 0, 1):
        ours.enqueue(n)
    number = plain.defer()
    work()
    assert finished == [number]
    assert rows("task_name", "status::text", "attempts") == [
        ("ours", "succeeded", 1),
        ("ours", "failed", 1),
        ("ours", "succeeded", 1),
        ("plain", "succeeded", 1),
    ]


@pytest.fixture
def older(postgresql, caplog):
    """Empties the queue as a worker of a release that knows nothing of our jobs; what it logs."""
    older = Procrastinate(connector=PsycopgConnector(conninfo=conninfo(postgresql)))
    app = App(queue=ProcrastinateQueue(older))

    @app.job(name="other")
    def other(job):
        pass

    def work():
        older.run_worker(wait=False, install_signal_handlers=False)
        return caplog.text

    yield work
    app.queue.close()


def test_a_job_that_an_older_worker_does_not_know_waits_for_one_that_does(
    app, work, older, rows, postgresql
):
    ran = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        ran.append(n)

    @app.job(name="aimport_rows")
    async def aimport_rows(job, n):
        ran.append(n)

    handles = [import_rows.enqueue(1), aimport_rows.enqueue(2)]
    app.queue.task(import_rows).defer(n=3)
    logged = older()
    wait = "scheduled_at BETWEEN now() + interval '20s' AND now() + interval '30s'"
    assert rows("status::text", "attempts", wait) == [("todo", 0, True)] * 3
    assert [handle.info().reason for handle in handles] == ["unknown job"] * 2
    assert "No job is registered as 'import_rows' here" in logged
    assert "Traceback" not in logged
    with connected(postgresql) as connection:
        connection.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    work()
    assert sorted(ran) == [1, 2, 3]
    assert rows("status::text", "attempts") == [("succeeded", 1)] * 3


def test_a_task_that_is_none_of_ours_fails_as_ever_where_it_is_not_known(
    older, rows, procrastinate_app
):
    @procrastinate_app.task(name="plain")
    def plain():
        pass

    with procrastinate_app.open():
        plain.defer()
    older()
    assert rows("status::text") == [("failed",)]


def test_a_job_that_a_worker_does_not_know_is_cancelled_there(app, older, rows):
    @app.job(name="import_rows")
    def import_rows(job):
        pass

    import_rows.enqueue().cancel()
    older()
    assert rows("status::text") == [("aborted",)]


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        (lambda job, _handle: interrupted_once(job), "succeeded"),
        (lambda job, _handle: job.cancel("enough"), "aborted"),
        (lambda _job, handle: handle.pause(), "todo"),
    ],
    ids=["interrupted", "cancelled", "paused"],
)
def test_what_is_no_failure_is_one_line_in_the_log_of_a_worker(
    app, work, rows, caplog, ends, status
):
    @app.job(name="import_rows")
    def import_rows(job):
        ends(job, app.handle(job.id))
        interrupted_once(job)

    with caplog.at_level("INFO"):
        import_rows.enqueue()
        work()
    assert rows("status::text") == [(status,)]
    (number,) = rows("id")[0]
    lines = [line for line in caplog.messages if line.startswith(f"Job import_rows[{number}]: ")]
    assert len(lines) == 1
    assert "Traceback" not in caplog.text
    assert "Error" not in caplog.text


def test_a_failure_is_logged_with_its_traceback(app, work, caplog):
    @app.job(name="import_rows")
    def import_rows(job):
        raise ValueError("no luck")

    import_rows.enqueue()
    work()
    ended = [r for r in caplog.records if r.name == "procrastinate.worker"]
    assert [record.exc_info[0] for record in ended if record.exc_info] == [ValueError]


@pytest.mark.parametrize("refused", ["a\0b", "\ud800", {"a\0b": 1}, ["x", ("\0",)]], ids=ascii)
def test_an_argument_that_jsonb_refuses_is_refused_when_it_is_enqueued(app, rows, refused):
    @app.job(name="import_rows")
    def import_rows(job, value):
        pass

    with pytest.raises(SerializationError, match=r"PostgreSQL cannot hold .*bytes"):
        import_rows.enqueue(refused)
    with pytest.raises(SerializationError):
        import_rows.enqueue_many([("x",), (refused,)])
    assert rows("id") == []
    assert app.queue.board.list() == []


def test_a_queue_whose_name_is_too_long_for_its_column_is_refused_when_it_is_enqueued(app, rows):
    @app.job(name="import_rows")
    def import_rows(job):
        pass

    with pytest.raises(SerializationError, match=r"value too long for type character varying"):
        import_rows.using(queue="q" * 129).enqueue()
    assert app.queue.board.list() == []


def test_progress_that_jsonb_refuses_is_no_part_of_the_row(app, work, rows):
    @app.job(name="import_rows")
    def import_rows(job):
        @job.step(start="")
        def process(step):
            step.set("a\0b")
            interrupted_once(job)
            return step.cursor

        return process

    handle = import_rows.enqueue()
    work()
    assert handle.info().executions == 2
    assert handle.state() is State.COMPLETED
    ((arguments,),) = rows("args -> '_continuable'")
    assert (arguments["delivery"], arguments["progress"]) == (1, {})


def test_progress_that_jsonb_refuses_fails_a_job_whose_progress_is_kept_nowhere_else(
    procrastinate_app, work, rows, caplog
):
    app = App(queue=ProcrastinateQueue(procrastinate_app), progress=None)

    @app.job(name="import_rows")
    def import_rows(job):
        @job.step(start="")
        def process(step):
            step.set("a\0b")
            interrupted_once(job)

    import_rows.enqueue()
    work()
    app.queue.close()
    assert rows("status::text") == [("failed",)]
    assert "PostgreSQL cannot hold" in caplog.text


def test_many_jobs_are_put_on_the_queue_in_one_statement(app, rows, work):
    ran = []

    @app.job(name="import_rows")
    def import_rows(job, n):
        ran.append(n)

    import_rows.enqueue_many([(n,) for n in range(50)])
    statements = rows("xmin::text", "cmin::text")
    assert len(statements) == 50
    assert len(set(statements)) == 1
    work(concurrency=5)
    assert sorted(ran) == list(range(50))


def test_of_many_jobs_of_which_one_finds_its_queueing_lock_taken_none_is_enqueued(app, rows):
    @app.job(name="import_rows")
    def import_rows(job, n):
        pass

    app.queue.task(import_rows).queueing_lock = "one"
    with pytest.raises(AlreadyEnqueued):
        import_rows.enqueue_many([(1,), (2,)])
    assert rows("id") == []
    assert app.queue.board.list() == []
