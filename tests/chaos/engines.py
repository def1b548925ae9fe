"""The engines of others: an app on each, without jobs, and the engine's own command."""

import sys
from pathlib import Path
from uuid import uuid4

from continuable import App
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from tests.chaos.jobs import PROJECT

LEASE = 1.5
"""Seconds after which a worker without a sign of life has its jobs taken away."""
VISIBLE_AFTER = 3
"""Seconds after which Redis delivers a message again that Celery has not acknowledged."""
AT_ONCE = "2"
"""Jobs that a worker runs at once, where it can."""


def on_celery(site):
    from celery import Celery

    from continuable.queues.celery import CeleryQueue

    engine = Celery("chaos", broker=site.broker, backend=site.broker)
    engine.conf.update(
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": VISIBLE_AFTER, "polling_interval": 0.05},
    )
    return engine, App(queue=CeleryQueue(engine), progress=store(site))


def on_rq(site):
    from redis import Redis

    from continuable.queues.rq import RQQueue

    return None, App(queue=RQQueue(Redis.from_url(site.broker)), progress=store(site))


def on_procrastinate(site):
    import procrastinate

    from continuable.queues.procrastinate import ProcrastinateQueue

    conninfo = site.url.replace("+psycopg", "")
    engine = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
    return engine, App(queue=ProcrastinateQueue(engine), progress=store(site))


def store(site):
    return SQLAlchemyProgress(site.url, lease=LEASE)


def prepare(site):
    """What its project has to prepare."""
    if site.kind == "procrastinate":
        engine, _ = on_procrastinate(site)
        with engine.open():
            engine.schema_manager.apply_schema()


def celery_worker(_site):
    return [
        *[sys.executable, "-m", "celery", "-A", f"{PROJECT}:engine", "worker"],
        *["--pool", "prefork", "-c", AT_ONCE, "-n", f"{uuid4().hex[:8]}@%h"],
        *["--without-gossip", "--without-mingle", "--loglevel", "WARNING"],
    ]


def rq_worker(site):
    rq = str(Path(sys.executable).with_name("rq"))
    return [rq, "worker", "--url", site.broker, "--quiet", "default"]


def procrastinate_worker(_site):
    return [
        *[sys.executable, "-m", "procrastinate", "-a", f"{PROJECT}.engine", "worker"],
        *["--concurrency", AT_ONCE, "--fetch-job-polling-interval", "0.1"],
    ]


APPS = {"celery": on_celery, "rq": on_rq, "procrastinate": on_procrastinate}
COMMANDS = {"celery": celery_worker, "rq": rq_worker, "procrastinate": procrastinate_worker}
