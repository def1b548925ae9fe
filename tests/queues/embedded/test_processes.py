"""Several real processes at one file."""

import subprocess
import sys

from continuable.model.states import State
from continuable.queues.embedded.liveness import dead_workers, remove_files
from tests.waiting import DEADLINE

WORK = """
import sys
from pathlib import Path
from continuable.core.outcome import Completed
from continuable.queues.embedded.database import JobDatabase
from continuable.queues.embedded.liveness import WorkerLock
from continuable.queues.embedded.table import JobTable
from continuable.worker.runner import RunResult

path, worker = Path(sys.argv[1]), sys.argv[2]
WorkerLock(path, worker).acquire()
table = JobTable(JobDatabase(path))
table.database.open()
print("ready", flush=True)
sys.stdin.readline()
done = Completed(result="null", progress=None)
job = table.claim_next(worker)
if worker == "hanging":
    print(job.id, flush=True)
    sys.stdin.readline()
while job:
    print(job.id)
    job = table.end_and_claim_next(RunResult(job, done))
"""


def start(path, worker):
    return subprocess.Popen(
        [sys.executable, "-c", WORK, str(path), worker],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_every_job_runs_once_whatever_number_of_processes_claim(table, make):
    table.enqueue([make(f"j{n}") for n in range(600)])
    processes = [start(table.database.path, f"w{n}") for n in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    ran = "".join(process.communicate(timeout=DEADLINE)[0] for process in processes).split()
    assert all(process.returncode == 0 for process in processes)
    assert sorted(ran) == sorted(f"j{n}" for n in range(600))
    assert table.counts() == {State.COMPLETED: 600}


def test_processes_that_start_together_make_one_file(path, database, table):
    processes = [start(path, f"w{n}") for n in range(4)]
    for process in processes:
        assert process.communicate("go\n", timeout=DEADLINE)[0] == "ready\n"
        assert process.returncode == 0
    assert table.list() == []


def test_the_jobs_of_a_killed_process_are_there_at_once(table, enqueue):
    path = table.database.path
    job_id = enqueue()
    process = start(path, "hanging")
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline().strip() == job_id
    assert dead_workers(path, table.workers()) == set()
    process.kill()
    process.communicate()
    dead = dead_workers(path, table.workers())
    assert [job.id for job in table.reclaim(dead)] == [job_id]
    remove_files(path, dead)
    assert table.claim_next("next").id == job_id
