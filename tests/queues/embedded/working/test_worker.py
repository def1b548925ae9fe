"""What a worker does with its jobs, in this process: outcomes, order, requests, time."""

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from continuable.errors import JobCancelledError, JobFailedError
from continuable.model.states import State
from continuable.queues.embedded.worker import Worker, WorkerOptions
from continuable.worker import runner as runners
from tests.waiting import DEADLINE, until


def events(app, handle):
    return [entry.event for entry in app.queue.board.history(handle.id)]


# --- outcomes


def test_jobs_of_both_kinds_return_their_values(own, work):
    @own.job
    def plain(job, n):
        return n + 1

    @own.job
    async def eventual(job, n):
        return await job.step(step_of(n), name="only")

    def step_of(n):
        async def step():
            return n * 2

        return step

    handles = [plain.enqueue(1), eventual.enqueue(4)]
    assert work(own) == 0
    assert [handle.result() for handle in handles] == [2, 8]


def test_a_failure_without_progress_is_retried_with_a_wait(own, work):
    attempts = []

    @own.job(max_retries=2, retry_wait=0.01)
    def failing(job):
        attempts.append(job.executions)
        raise ValueError("no luck")

    handle = failing.enqueue()
    assert work(own) == 0
    assert attempts == [1, 2, 3]
    with pytest.raises(JobFailedError, match="ValueError: no luck"):
        handle.result()
    assert events(own, handle) == ["job.retrying", "job.retrying", "job.failed"]


def test_the_wait_may_depend_on_the_number_of_failures(own, work):
    asked = []

    @own.job(max_retries=3, retry_wait=lambda failures: asked.append(failures) or 0.0)
    def failing(job):
        raise ValueError("no luck")

    handle = failing.enqueue()
    assert work(own) == 0
    assert asked == [1, 2, 3]
    assert handle.info().executions == 4


def test_without_a_wait_of_its_own_a_retry_comes_after_two_seconds_and_then_twice_that(
    own, execute
):
    @own.job(max_retries=9)
    def failing(job):
        raise ValueError("no luck")

    handle = failing.enqueue()
    waits = []
    for expected in (2, 4, 8):
        ran_at = time.time()
        execute(own, handle.id)
        waits.append(handle.info().run_at.timestamp() - ran_at)
        assert 0.75 * expected <= waits[-1] <= 1.25 * expected + 5
    assert len({wait % 1 for wait in waits}) == 3, "jitter"


@pytest.mark.parametrize("wait", [lambda failures: 1 / 0, lambda failures: "soon", lambda _: -1])
def test_a_wait_that_cannot_be_told_is_no_end_of_the_worker(own, work, wait, log, monkeypatch):
    monkeypatch.setattr(runners, "exponential_backoff", lambda failures: 0.0)

    @own.job(max_retries=1, retry_wait=wait)
    def failing(job):
        raise ValueError("no luck")

    handle = failing.enqueue()
    assert work(own) == 0
    info = handle.info()
    assert (info.state, info.executions, info.error) == (State.FAILED, 2, "ValueError: no luck")
    assert "retry_wait of job" in log.text


@pytest.mark.parametrize("odd", ["caf\udce9.csv", "nul\0"])
def test_text_that_no_database_takes_is_escaped(own, work, odd):
    """The name of a file that is not UTF-8, say: it is not to break worker after worker."""

    @own.job
    def failing(job):
        job.notify(odd, file=odd)
        job.notify("plain")
        raise ValueError(odd)

    @own.job
    def interrupted(job):
        if job.executions == 1:
            job.interrupt(odd)
        job.cancel(odd)

    @own.job
    def keeping(job, name):
        job.step(lambda: name, name="same")
        return name

    handles = [failing.enqueue(), interrupted.enqueue(), keeping.enqueue(odd)]
    assert work(own) == 0
    escaped = odd.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    assert handles[0].info().error == f"ValueError: {escaped}"
    assert events(own, handles[0]) == [escaped, "plain", "job.failed"]
    assert (handles[1].state(), handles[1].info().reason) == (State.CANCELLED, escaped)
    assert handles[2].result() == odd


def test_progress_forgives_earlier_failures(own, work):
    attempts = []

    @own.job(max_retries=1, retry_wait=0.0, resume_errors_after_advancing=True)
    def failing(job):
        attempts.append(job.executions)
        if job.executions in {1, 3}:
            raise ValueError("without progress")

        @job.step(start=0)
        def turn(step):
            step.set(step.cursor + 1)
            if step.cursor < 2:
                raise ValueError("after progress")

    handle = failing.enqueue()
    work(own)
    assert (attempts, handle.state()) == ([1, 2, 3, 4], State.COMPLETED)
    assert handle.info().error == "ValueError: without progress"


def test_an_error_after_progress_resumes_after_the_wait(own, work):
    times = []

    @own.job(resume_options={"wait": 0.15})
    def failing(job):
        times.append(time.monotonic())

        @job.step(start=0)
        def turn(step):
            step.set(step.cursor + 1)
            if step.cursor < 2:
                raise ValueError("bad row")

    handle = failing.enqueue()
    work(own)
    assert handle.state() is State.COMPLETED
    assert times[1] - times[0] >= 0.14
    assert handle.info().error == "ValueError: bad row"


def test_resumptions_have_a_limit(own, work):
    @own.job(max_resumptions=2)
    def restless(job):
        @job.step(start=0)
        def turn(step):
            step.set(step.cursor + 1)
            job.interrupt("tired")

    handle = restless.enqueue()
    work(own)
    info = handle.info()
    assert (info.state, info.executions, info.resumptions) == (State.FAILED, 3, 2)
    assert "Job was resumed a maximum of 2 times" in info.error
    assert info.progress["current"] == ["turn", 3]


def test_an_execution_takes_no_longer_than_its_max_runtime(own, work):
    @own.job(max_runtime=0.05, max_resumptions=0)
    def long(job):
        @job.step(start=0)
        def turn(step):
            while step.cursor < 40:
                time.sleep(0.005)
                step.advance()

    handle = long.enqueue()
    work(own)
    info = handle.info()
    assert (info.state, info.resumptions) == (State.COMPLETED, 0)
    assert info.executions > 1
    assert info.reason == "max_runtime"


def test_isolated_steps_have_executions_of_their_own(own, work):
    ran = []

    @own.job
    def job_of_three(job):
        for name, isolated in [("a", False), ("b", True), ("c", False)]:
            job.step(lambda n=name: ran.append((n, job.executions)), name=name, isolated=isolated)

    handle = job_of_three.enqueue()
    work(own)
    assert ran == [("a", 1), ("b", 2), ("c", 3)]
    assert (handle.state(), handle.info().resumptions) == (State.COMPLETED, 0)


def test_a_job_gives_itself_up(own, work):
    @own.job
    def hopeless(job):
        job.cancel("the customer is gone")

    handle = hopeless.enqueue()
    work(own)
    with pytest.raises(JobCancelledError, match="the customer is gone"):
        handle.result()


def test_what_a_job_tells_is_in_its_history_before_its_end(own, work):
    @own.job
    def talking(job, circle=()):
        job.notify("found", rows=3, odd={1, 2})
        job.notify("strange", data={(1, 2): 3})
        raise ValueError("the end")

    handle = talking.enqueue()
    work(own)
    first, second, last = own.queue.board.history(handle.id)
    assert (first.event, first.data["rows"]) == ("found", 3)
    assert second.event == "strange"
    assert last.event == "job.failed"


def test_telling_does_not_wait_for_the_jobs_own_transaction(own, work, path):
    own.queue.database.open()

    @own.job
    def talking(job):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            job.notify("inside")
            took = time.monotonic() - began
            connection.execute("COMMIT")
        return took

    handle = talking.enqueue()
    work(own)
    assert handle.result() < 1
    assert events(own, handle) == ["inside"]


@pytest.mark.parametrize("cause", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_a_job_raises_the_worker_goes_on(own, work, cause, is_async):
    if is_async:

        @own.job
        async def rude(job):
            raise cause
    else:

        @own.job
        def rude(job):
            raise cause

    @own.job
    async def polite(job):
        return 1

    handles = [rude.enqueue(), polite.enqueue()]
    assert work(own) == 0
    assert handles[0].state() is State.FAILED
    assert cause.__name__ in handles[0].info().error
    assert handles[1].result() == 1


# --- what cannot be run


def test_a_job_without_code_stays_on_the_queue(own, work, log):
    @own.job(name="removed")
    def removed(job):
        return 1

    handle = removed.enqueue()
    del own.registry.jobs["removed"]
    assert work(own) == 0  # and does not wait for the code
    assert (handle.state(), handle.info().executions) == (State.WAITING, 0)
    own.registry.jobs["removed"] = removed
    work(own)
    assert handle.result() == 1


@pytest.mark.parametrize(
    ("column", "damaged"),
    [
        ("arguments", b"[[1"),
        ("arguments", b"7"),
        ("arguments", b"[1, 2]"),
        ("arguments", b"{}"),
        ("arguments", b'[["\xff\xfe"],{}]'),
        ("progress", b"nonsense"),
        ("progress", b'{"completed": 5}'),
        ("progress", b"[]"),
        ("progress", b"\xff"),
        ("arguments", b"[" * 100_000),
        ("progress", b'{"state":' * 100_000),
        ("progress", b'{"current": 7}'),
        ("progress", b'{"current": ["turn"], "done": "x"}'),
    ],
)
def test_a_damaged_row_fails_and_the_others_run(own, work, raw, column, damaged):
    @own.job
    def good(job, n):
        return n

    bad, fine = good.enqueue(1), good.enqueue(2)
    raw.execute(
        f"UPDATE continuable_jobs SET {column} = CAST(? AS TEXT) WHERE id = ?", [damaged, bad.id]
    )
    assert work(own) == 0
    assert fine.result() == 2
    info = bad.info()
    assert info.state is State.FAILED
    assert info.error.startswith(
        "continuable.errors.DeserializationError"
    ) or info.error.startswith("DeserializationError")
    assert "cannot be read" in info.error
    assert info.cursor is None
    assert {job.id for job in own.queue.board.list()} == {bad.id, fine.id}


def test_a_job_that_breaks_its_worker_is_not_fed_to_one_after_the_other(
    own, work, log, monkeypatch
):
    """Whatever it is that breaks: the next such mistake is not known yet."""

    @own.job(name="breaking")
    def breaking(job): ...

    @own.job(name="fine")
    def fine(job):
        return 1

    class BrokenExecution(runners.Execution):
        def __init__(self, definition, *args, **options):
            if definition.name == "breaking":
                raise RuntimeError("a mistake of the library's")
            super().__init__(definition, *args, **options)

    monkeypatch.setattr(runners, "Execution", BrokenExecution)
    bad, good = breaking.enqueue(), fine.enqueue()
    assert [work(own) for _ in range(3)] == [1, 1, 1]
    info = bad.info()
    assert (info.state, info.deaths) == (State.FAILED, 3)
    assert info.error.startswith("Killed its worker 3 times in a row without progress")
    assert "a mistake of the library's" in log.text
    assert work(own) == 0
    assert good.result() == 1


def test_a_claim_that_came_too_late_is_nobodys_death_even_if_it_cannot_be_released(own, path):
    @own.job(name="late")
    def late(job): ...

    handle = late.enqueue()
    worker = Worker(own.queue, WorkerOptions())
    claimed = own.queue.table.claim_next(worker.id)
    worker._is_stopping = True
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert worker._run(claimed) is None
        other.execute("ROLLBACK")
    assert worker._hand_back()
    assert (handle.state(), handle.info().deaths) == (State.INTERRUPTED, 0)


def test_a_subscriber_that_raises_breaks_nothing(own, work, log):
    @own.subscribe
    def broken(event):
        raise RuntimeError("subscriber")

    @own.job
    def plain(job):
        job.step(lambda: 1, name="one")
        return 1

    handle = plain.enqueue()
    assert work(own) == 0
    assert handle.result() == 1
    assert "A subscriber of job.completed failed" in log.text


# --- order and choice


def test_the_highest_priority_runs_first(own, work):
    ran = []

    @own.job
    def noting(job, name):
        ran.append(name)

    noting.using(priority=0).enqueue("low")
    noting.using(priority=9, queue="other").enqueue("high")
    noting.using(priority=5).enqueue("middle")
    work(own)
    assert ran == ["high", "middle", "low"]


def test_a_worker_takes_from_its_queues_only(own, work):
    @own.job
    def plain(job):
        return job.queue

    handles = [plain.using(queue=queue).enqueue() for queue in ("a", "b", "c")]
    work(own, queues=("a", "c"))
    assert [handle.state() for handle in handles] == ["completed", "waiting", "completed"]
    work(own, queues=("b",))
    assert handles[1].result() == "b"


def test_a_resumed_job_goes_where_its_options_say(own, work):
    @own.job(resume_options={"queue": "slow", "priority": 7})
    def moving(job):
        if job.executions == 1:
            job.interrupt("later")
        return job.queue

    handle = moving.enqueue()
    work(own)
    assert (handle.result(), handle.info().priority) == ("slow", 7)


def test_a_unique_key_is_free_again_at_the_end(own, work):
    @own.job
    def plain(job):
        if job.executions == 1:
            job.interrupt("once")

    first = plain.using(unique="key").enqueue()
    assert plain.using(unique="key").enqueue().id == first.id
    work(own)
    assert plain.using(unique="key").enqueue().is_new


def test_a_job_joins_the_users_transaction(own, work, path):
    own.queue.database.open()

    @own.job
    def plain(job, n):
        return n

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        lost = plain.using(connection=connection).enqueue(1)
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        kept = plain.using(connection=connection).enqueue(2)
        connection.execute("COMMIT")
    work(own)
    assert kept.result() == 2
    assert lost.id not in [job.id for job in own.queue.board.list()]


# --- a transaction of the job's own


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")  # it is careless
@pytest.mark.parametrize("made_progress", [True, False])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_transaction_left_open_by_an_error_does_not_hold_up_the_end(
    own, work, path, made_progress, wrapped, log
):
    own.queue.database.open()

    @own.job
    def careless(job):
        @job.step(start=0)
        def turn(step):
            if step.cursor == 1:
                return
            if made_progress:
                step.set(1)
            if wrapped:
                try:
                    insert()
                except ValueError as error:
                    raise RuntimeError("wrapped") from error
            insert()

    def insert():
        connection = sqlite3.connect(path, isolation_level=None)
        circle = [connection]
        circle.append(circle)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE uncommitted (n INTEGER)")
        raise ValueError("bad row")

    handle = careless.enqueue()
    assert work(own) == 0
    assert handle.state() is (State.COMPLETED if made_progress else State.FAILED)
    assert "cannot be written" not in log.text
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema")]
    assert "uncommitted" not in tables


def test_a_connection_closed_after_a_commit_is_no_trouble(own, work, path):
    own.queue.database.open()

    @own.job(save_every=0.0)
    def careful(job):
        @job.step(start=0)
        def turn(step):
            connection = sqlite3.connect(path, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            step.commit(5, connection)
            connection.execute("COMMIT")
            connection.close()
            for _ in range(20):
                step.checkpoint()
                time.sleep(0.005)
            return step.cursor

        return turn

    handle = careful.enqueue()
    work(own)
    assert handle.result() == 5


# --- requests while it runs


@pytest.fixture
def looping(own):
    """A job that runs until the test is over, and what it does."""
    started, over = threading.Event(), threading.Event()

    @own.job(save_every=0.05)
    def looping(job):
        @job.step(start=0)
        def turn(step):
            step.advance()
            started.set()
            while not over.is_set():
                step.advance()
                time.sleep(0.002)

    looping.started, looping.over = started, over
    yield looping
    over.set()


def test_pause_resume_and_cancel_reach_a_running_job(own, looping, beside):
    handle = looping.enqueue()

    def steer():
        for verb, state in [("pause", State.PAUSED), ("cancel", State.CANCELLED)]:
            assert looping.started.wait(DEADLINE)
            getattr(handle, verb)()
            until(lambda state=state: handle.state() is state)
            looping.started.clear()
            if state is State.PAUSED:
                assert handle.info().progress["current"][1] > 0
                handle.resume()

    beside(steer, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert Worker(own.queue, WorkerOptions()).run() == 0
    info = handle.info()
    assert (info.state, info.executions, info.resumptions) == (State.CANCELLED, 2, 0)
    assert handle._result().reason == "cancelled"


def test_a_restart_supersedes_the_running_execution(own, looping, beside):
    handle = looping.enqueue()

    def steer():
        assert looping.started.wait(DEADLINE)
        looping.started.clear()
        handle.restart()
        assert looping.started.wait(DEADLINE)
        looping.over.set()

    beside(steer)
    assert Worker(own.queue, WorkerOptions(drain=True)).run() == 0
    assert (handle.state(), handle.info().executions) == (State.COMPLETED, 2)


def test_a_restart_may_begin_in_the_same_worker_before_the_old_execution_has_ended(own, beside):
    started, over, ended = [threading.Event() for _ in range(2)], threading.Event(), []

    @own.job(save_every=0.05)
    def held(job):
        @job.step(start=0)
        def turn(step):
            started[job.executions - 1].set()
            if job.executions == 1:
                assert started[1].wait(DEADLINE)  # and comes to no checkpoint before
            try:
                while not over.is_set():
                    step.advance()
                    time.sleep(0.002)
            except BaseException as error:
                ended.append((job.executions, type(error).__name__, str(error)))
                raise

    handle = held.enqueue()

    def steer():
        assert started[0].wait(DEADLINE)
        handle.restart()
        until(lambda: ended)
        until(lambda: handle.info().cursor)  # the new one is minded: its progress is saved
        handle.pause()
        until(lambda: handle.state() is State.PAUSED)  # and hears what is wanted of it

    def stop():
        over.set()
        os.kill(os.getpid(), signal.SIGTERM)

    beside(steer, stop)
    assert Worker(own.queue, WorkerOptions(threads=2)).run() == 0
    assert [who[:2] for who in ended] == [(1, "Superseded"), (2, "Interrupt")]


def test_a_job_that_was_discarded_while_it_ran_leaves_nothing(own, work):
    @own.job
    def vanishing(job):
        own.queue.table.discard(job.id)
        job.notify("still here")

    vanishing.enqueue()
    assert work(own) == 0
    assert own.queue.board.list() == []


# --- time


def test_an_idle_worker_wakes_for_new_work_and_sleeps_without_it(own, beside, monkeypatch):
    # By itself, it looks for work too late.
    monkeypatch.setattr(f"{Worker.__module__}.LONGEST_SLEEP", 10 * DEADLINE)
    looks = []

    @own.job
    def plain(job):
        return time.time()

    def enqueue():
        until(lambda: any(own.queue.database.path.with_name("jobs.db-workers").glob("*.fifo")))
        for _ in range(5):
            plain.enqueue().result(timeout=DEADLINE)
        now = time.time()
        delayed = plain.using(wait=0.3).enqueue()
        assert delayed.result(timeout=DEADLINE) >= now + 0.3
        claim = own.queue.table.claim_next
        monkeypatch.setattr(own.queue.table, "claim_next", lambda *_: looks.append(1) or claim(*_))
        time.sleep(0.5)  # nothing is to happen in here

    beside(enqueue, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert Worker(own.queue, WorkerOptions()).run() == 0
    assert len(looks) <= 2  # of the worker that has become idle


def test_a_clock_that_is_set_back_holds_nothing_up(own, work):
    back = []
    own.queue.database.clock = lambda: time.time() - 3600 * len(back)

    @own.job(resume_options={"wait": 0.2}, save_every=0.0)
    def resumed(job):
        @job.step(start=0)
        def turn(step):
            for _ in range(step.cursor, 10):
                step.advance()
                time.sleep(0.002)
            if job.executions == 1:
                back.append(True)
                job.interrupt("once")

    handle = resumed.enqueue()

    @own.job
    def other(job):
        if not back:
            back.append(True)

    before = resumed.enqueue()
    other.enqueue()
    assert work(own) == 0
    assert [handle.state(), before.state()] == [State.COMPLETED] * 2


def test_progress_is_told_when_it_is_saved(own, work):
    saved = []

    @own.subscribe
    def note(event):
        if event.name == "progress.saved":
            saved.append(event.cursor)

    @own.job(save_every=0.02)
    def rows(job):
        @job.step(start=0)
        def turn(step):
            while len(saved) < 2:
                step.advance()
                time.sleep(0.002)

    rows.enqueue()
    assert work(own) == 0
    assert saved[0] < saved[1]


def test_a_worker_needs_the_embedded_queue(own):
    class Other:
        def bind(self, registry):
            pass

    from continuable import App

    with pytest.raises(TypeError, match="not the embedded queue"):
        Worker(App(queue=Other()).queue, WorkerOptions())


def test_a_worker_that_starts_after_it_was_told_to_stop_takes_nothing(own, work, monkeypatch):
    @own.job
    def plain(job):
        pass

    handle = plain.enqueue()
    table, claims = own.queue.table, []
    claim = table.claim_next
    monkeypatch.setattr(table, "claim_next", lambda *args: claims.append(args) or claim(*args))
    control, supervisor = os.pipe()
    os.close(supervisor)
    try:
        assert work(own, control=control) == 0
    finally:
        os.close(control)
    assert not claims
    assert handle.state() is State.WAITING
