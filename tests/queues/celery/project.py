"""What a worker of the tests imports: a Celery app, and the jobs on it."""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import celery
from celery.exceptions import Ignore, Reject
from celery.signals import task_revoked
from redis import Redis

from continuable import App
from continuable.conformance.jobs import LEASE, declare
from continuable.conformance.journal import Journal
from continuable.progress.redis import RedisProgress
from continuable.queues.celery import CeleryQueue

REDIS = os.environ.get("CONTINUABLE_TEST_REDIS", "redis://")
IS_OLDER = "CONTINUABLE_TEST_OLDER" in os.environ
"""Whether this is a worker of an older release, which has not the jobs of the suite."""
BROKER = os.environ.get("CONTINUABLE_TEST_BROKER", REDIS)


class TriesOnDemand(celery.Task):
    """Celery itself tries a task again as often as a header of its message says."""

    @property
    def max_retries(self):
        return (self.request.headers or {}).get("tries", 0)


celery_app = celery.Celery("project", broker=BROKER, backend=REDIS)
celery_app.conf.update(
    task_default_queue=os.environ.get("CONTINUABLE_TEST_QUEUE", "celery"),
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    task_track_started=True,
    broker_transport_options={"polling_interval": 0.05} if BROKER.startswith("redis") else {},
)
celery_app.conf.update(json.loads(os.environ.get("CONTINUABLE_TEST_SETTINGS", "{}")))
app = App(
    queue=CeleryQueue(
        celery_app,
        task_options={
            "*": {
                "base": TriesOnDemand,
                "autoretry_for": (ValueError,),
                "retry_kwargs": {"countdown": 0},
            }
        },
    ),
    progress=RedisProgress(Redis.from_url(REDIS), lease=LEASE),
)
if not IS_OLDER:
    declare(app, globals())


@task_revoked.connect
def note_revoked(request, terminated, expired, **_):
    """Leaves a line in the folder of the job."""
    told = {"id": request.id, "terminated": terminated, "expired": expired}
    with open(Path(request.args[0], "revoked"), "a") as file:
        file.write(f"{json.dumps(told)}\n")


@celery_app.task
def note(rows, folder):
    """A plain task of Celery's that depends on jobs."""
    with open(f"{folder}/notes", "a") as file:
        file.write(f"{json.dumps(rows)}\n")
    return rows


@celery_app.task
def note_failure(task_id, *, folder):
    """An errback."""
    with open(Path(folder, "failures"), "a") as file:
        file.write(f"{task_id}\n")


@dataclass
class Imported:
    """What JSON alone cannot carry."""

    rows: int


@app.job
def count(job, folder):
    """Returns an object of a class."""
    Journal(folder).begin(job.executions)
    return Imported(3)


@app.job
def leave(job, folder):
    """Does what ends a program."""
    Journal(folder).begin(job.executions)
    sys.exit(3)


@app.job(resume_options={"wait": 0.0})
def say_a_word(job, folder, word):
    """Says one of Celery's own words, once."""
    journal = Journal(folder)
    run = journal.begin(job.executions)
    job.step(lambda: run.write("first"), name="first")
    if len(journal.begins) == 1:
        match word:
            case "retry":
                raise celery.current_task.retry(countdown=0, max_retries=1)
            case "ignore":
                raise Ignore
            case "reject":
                raise Reject("once more", requeue=True)
    return "said"


@app.job(resume_options={"wait": 0.0}, save_every=0.05)
def block(job, folder):
    """Goes without a checkpoint once the test says so, until it is released."""
    journal = Journal(folder)
    run = journal.begin(job.executions)

    @job.step(start=0)
    def rows(step):
        for row in range(step.cursor, 3):
            run.write(str(row))
            step.set(row + 1)
        while not Path(folder, "block").exists():
            step.checkpoint()
            time.sleep(0.01)
        run.write("blocked")
        while not journal.is_released:
            time.sleep(0.01)


unstored = App(queue=CeleryQueue(celery_app), progress=None)
if not IS_OLDER:
    copy_unstored = unstored.job(name="copy_unstored", resume_options={"wait": 0.0})(
        app.jobs[f"{__name__}.copy_rows"].function
    )


@app.job(resume_options={"wait": 0.0})
def describe_message(job, folder):
    """What Celery knows of the message, in both of two executions."""
    request = celery.current_task.request
    names = ("expires", "timelimit", "shadow", "root_id", "group", "retries", "delivery_info")
    now = {name: getattr(request, name) for name in names}
    now["headers"] = {
        name: value for name, value in request.headers.items() if name != "continuable"
    }
    first = job.step(lambda: now, name="describe")
    if not job.state.get("came_back"):
        job.state["came_back"] = True
        job.interrupt("to be described once more")
    return [first, now]
