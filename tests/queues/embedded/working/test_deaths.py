"""Workers that die, and workers that seem to."""

import os
import signal
import subprocess
import sys

import pytest

from continuable.model.states import State
from continuable.queues.embedded.liveness import dead_workers, known_workers, workers_folder
from tests.queues.embedded.working.jobs import make_app, rows_in
from tests.queues.embedded.working.process import is_alive
from tests.waiting import DEADLINE, until


@pytest.mark.parametrize("name", ["loop", "async loop"])
def test_the_job_of_a_killed_worker_resumes_elsewhere_at_once(app, work_elsewhere, marks, name):
    victim = work_elsewhere()
    handle = app.jobs[name].enqueue()
    until(lambda: marks.is_left(f"{handle.id}-1"))
    until(lambda: handle.info().progress.get("current", ["", 0])[1] > 0)
    other = work_elsewhere()
    other.await_start()
    victim.kill()
    until(lambda: marks.is_left(f"{handle.id}-2"))
    info = handle.info()
    assert (info.reason, info.resumptions, info.executions) == ("died", 1, 2)
    assert f"resumed at 'turn', cursor {info.progress['current'][1]}"[:17] in other.log
    events = [entry.event for entry in app.queue.board.history(handle.id)]
    assert events == ["job.died"]
    marks.leave("go")
    until(lambda: handle.state() is State.COMPLETED)
    assert other.stop() == 0


def test_the_last_worker_that_was_killed_is_followed_by_the_next_one(app, work_elsewhere, marks):
    handle = app.jobs["loop"].enqueue()
    victim = work_elsewhere()
    until(lambda: marks.is_left(f"{handle.id}-1"))
    victim.kill()
    assert handle.state() is State.RUNNING  # as far as anybody has seen
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    assert (handle.state(), handle.info().resumptions) == (State.COMPLETED, 1)


def test_a_job_that_moves_is_not_to_blame_for_the_deaths_of_its_workers(app, work_elsewhere, marks):
    """Each time within the seconds until its next save would be due."""
    handle = app.jobs["slow save"].enqueue()
    for execution in range(1, 6):
        worker = work_elsewhere()
        until(lambda execution=execution: marks.is_left(f"{handle.id}-{execution}"))
        worker.kill()
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    info = handle.info()
    assert (info.state, info.executions) == (State.COMPLETED, 6)


def test_a_job_that_kills_its_worker_again_and_again_has_failed(app, work_elsewhere):
    handle = app.jobs["poison"].enqueue()
    harmless = app.jobs["add"].enqueue(1)
    for _ in range(3):
        assert work_elsewhere().wait() == -signal.SIGKILL
    last = work_elsewhere()
    until(lambda: handle.state() is State.FAILED)
    info = handle.info()
    assert (
        info.error
        == "Killed its worker 3 times in a row without progress, last at 'turn', cursor 7"
    )
    assert (info.deaths, info.progress["current"]) == (3, ["turn", 7])
    assert harmless.result(timeout=DEADLINE) == 1
    assert last.stop() == 0


def test_a_job_that_may_kill_one_worker_only_has_failed_with_its_cursor(app, work_elsewhere):
    handle = app.jobs["poison once"].enqueue()
    assert work_elsewhere().wait() == -signal.SIGKILL
    other = work_elsewhere()
    until(lambda: handle.state() is State.FAILED)
    info = handle.info()
    assert info.error == "Killed its worker once without progress, last at 'turn', cursor 7"
    assert (info.deaths, info.executions, info.cursor) == (1, 1, 7)
    other.await_log("failed at 'turn', cursor 7: Killed its worker once")
    assert other.stop() == 0


def test_a_worker_that_is_stopped_for_a_while_keeps_its_job(app, work_elsewhere, marks):
    sleeper = work_elsewhere()
    kept = app.jobs["loop"].enqueue()
    until(lambda: marks.is_left(f"{kept.id}-1"))
    sleeper.freeze()
    # That this one's job is recovered shows that somebody has looked at the sleeper, too.
    victim = work_elsewhere()
    lost = app.jobs["loop"].enqueue()
    until(lambda: marks.is_left(f"{lost.id}-1"))
    work_elsewhere().await_start()
    victim.kill()
    until(lambda: marks.is_left(f"{lost.id}-2"))
    assert (kept.state(), kept.info().executions) == (State.RUNNING, 1)
    sleeper.send(signal.SIGCONT)
    marks.leave("go")
    until(lambda: kept.state() is State.COMPLETED)
    assert kept.info().executions == 1


@pytest.mark.parametrize("how", ["copied", "removed"])
def test_a_worker_whose_lock_was_lost_is_soon_alive_again(
    app, work_elsewhere, marks, path, how, tmp_path_factory
):
    worker = work_elsewhere()
    worker.await_start()
    folder = workers_folder(path)
    [lock] = folder.glob("*.lock")
    if how == "copied":
        copy = tmp_path_factory.mktemp("backup") / "copy"
        assert app.jobs["copy"].enqueue(str(folder), str(copy)).result(timeout=DEADLINE)
    else:
        lock.unlink()
    until(lambda: lock.exists() and not dead_workers(path, [lock.stem]))
    kept, lost = [app.jobs["loop"].enqueue() for _ in range(2)]
    until(lambda: marks.is_left(f"{kept.id}-1"))
    victim = work_elsewhere()
    until(lambda: marks.is_left(f"{lost.id}-1"))
    victim.kill()
    work_elsewhere().await_start()
    until(lambda: marks.is_left(f"{lost.id}-2"))  # who has seen that one has seen the other, too
    assert (kept.state(), kept.info().executions) == (State.RUNNING, 1)
    marks.leave("go")
    until(lambda: kept.state() is State.COMPLETED)
    assert kept.info().executions == 1


def test_a_release_that_reaches_the_file_by_another_path_leaves_the_old_ones_jobs_alone(
    app, work_elsewhere, marks, path, tmp_path_factory
):
    link = tmp_path_factory.mktemp("release") / "jobs.db"
    link.symlink_to(path)
    old = work_elsewhere()
    kept = app.jobs["loop"].enqueue()
    until(lambda: marks.is_left(f"{kept.id}-1"))
    new = work_elsewhere(path=link, drain=True)
    assert make_app(link).jobs["add"].enqueue(1).result(timeout=DEADLINE) == 1
    assert (kept.state(), kept.info().executions) == (State.RUNNING, 1)
    assert old.stop() == 0
    until(lambda: kept.info().executions == 2)
    marks.leave("go")
    assert new.wait() == 0
    assert kept.state() is State.COMPLETED


@pytest.mark.parametrize("mode", ["commit", "save", "finish"])
def test_a_worker_that_comes_back_too_late_writes_nothing(app, work_elsewhere, marks, target, mode):
    handle = app.jobs["zombie"].enqueue(mode, str(target))
    zombie = work_elsewhere()
    until(lambda: marks.is_left("ready"))
    zombie.freeze()
    handle.restart()
    assert work_elsewhere(drain=True).wait() == 0
    assert handle.result() == "the new one's"
    before = handle.info()
    marks.leave("continue")
    zombie.send(signal.SIGCONT)
    if mode == "finish":
        zombie.await_log("was taken over by a newer execution")
    else:
        until(lambda: marks.is_left("raised"))
        assert marks.read("raised") == "Superseded"
    assert zombie.stop() == 0
    assert rows_in(target) == [1]
    assert handle.info() == before
    assert handle.result() == "the new one's"


def test_requests_for_the_job_of_a_dead_worker_need_no_worker(app, work_elsewhere, marks):
    handles = [app.jobs["loop"].enqueue() for _ in range(2)]
    victim = work_elsewhere(threads=2)
    until(lambda: all(marks.is_left(f"{handle.id}-1") for handle in handles))
    victim.kill()
    assert handles[0].cancel().state is State.CANCELLED
    assert handles[1].state() is State.PAUSED or handles[1].pause().state is State.PAUSED


# --- the supervisor


def children(path):
    return {int(worker.rsplit("-", 2)[1]) for worker in known_workers(path)}


def test_a_killed_process_is_replaced_and_all_are_stopped_together(
    app, work_elsewhere, marks, path
):
    handles = [app.jobs["loop"].enqueue() for _ in range(2)]
    supervisor = work_elsewhere(processes=2)
    until(lambda: all(marks.is_left(f"{handle.id}-1") for handle in handles))
    first = int(marks.read(f"{handles[0].id}-1"))
    os.kill(first, signal.SIGKILL)
    supervisor.await_log(f"Worker process {first} ended (exit code -9) and is replaced")
    until(lambda: marks.is_left(f"{handles[0].id}-2"))
    until(lambda: len(children(path) - {first}) == 2)
    pids = children(path) - {first}
    until(lambda: supervisor.workers_started >= 3)
    assert supervisor.stop() == 0
    assert [handle.state() for handle in handles] == [State.INTERRUPTED] * 2
    assert not any(is_alive(pid) for pid in pids)


def test_the_processes_of_a_killed_supervisor_stop_by_themselves(app, work_elsewhere, marks, path):
    handle = app.jobs["loop"].enqueue()
    supervisor = work_elsewhere(processes=2)
    until(lambda: marks.is_left(f"{handle.id}-1") and supervisor.workers_started >= 2)
    pids = children(path)
    supervisor.kill()
    until(lambda: not any(is_alive(pid) for pid in pids))
    assert (handle.state(), handle.info().reason) == (State.INTERRUPTED, "stopping")


def test_supervised_processes_end_when_there_is_no_work_left(app, work_elsewhere):
    handles = app.jobs["add"].enqueue_many([(n,) for n in range(50)])
    assert work_elsewhere(processes=2, drain=True).wait() == 0
    assert [handle.result() for handle in handles] == list(range(50))


def test_a_second_signal_to_the_supervisor_waits_for_no_grace(app, work_elsewhere, marks):
    handle = app.jobs["deaf"].enqueue()
    supervisor = work_elsewhere(processes=1, grace=600)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    supervisor.send(signal.SIGTERM)
    supervisor.await_log("its jobs have 600 s")
    assert supervisor.stop() == 1
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    assert (handle.state(), handle.info().reason) == (State.COMPLETED, "stopping")


def test_a_signal_to_supervisor_and_workers_alike_leaves_them_their_grace(
    app, work_elsewhere, marks
):
    """systemd signals every process of a service, unless it is told otherwise."""
    handle = app.jobs["deaf"].enqueue()
    supervisor = work_elsewhere(processes=1, grace=600)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    worker = int(handle.info().worker.split("-")[-2])
    supervisor.send(signal.SIGTERM)
    supervisor.await_log("its jobs have 600 s")
    os.kill(worker, signal.SIGTERM)
    marks.leave("go")
    assert supervisor.wait() == 0
    assert handle.state() is State.COMPLETED


def test_two_signals_at_once_to_the_supervisor_wait_for_no_grace_either(app, work_elsewhere, marks):
    handle = app.jobs["deaf"].enqueue()
    supervisor = work_elsewhere(processes=1, grace=600)
    until(lambda: marks.is_left(f"{handle.id}-1"))
    supervisor.send(signal.SIGSTOP)
    supervisor.send(signal.SIGTERM)
    supervisor.send(signal.SIGINT)
    supervisor.send(signal.SIGCONT)
    assert supervisor.wait() == 1
    marks.leave("go")
    assert work_elsewhere(drain=True).wait() == 0
    assert (handle.state(), handle.info().reason) == (State.COMPLETED, "stopping")


def test_a_worker_that_a_stop_reaches_while_it_starts_has_ended_well():
    """The signal of systemd's, before it has a handler for it."""
    worker = "import os, signal, sys; os.write(1, b'up\\n'); sys.stdin.read(); {}".format(
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    code = (
        "import sys; from continuable.queues.embedded.supervisor import supervise; "
        f"sys.exit(supervise([sys.executable, '-c', {worker!r}], 2))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as supervisor:
        try:
            assert supervisor.stdout.readline() == b"up\n"
            supervisor.terminate()
            assert supervisor.wait(DEADLINE) == 0
        finally:
            supervisor.kill()
