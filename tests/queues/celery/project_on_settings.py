"""A project whose settings a test chooses. Progress is where these say."""

import json
import os
from types import SimpleNamespace

import celery
from celery.result import EagerResult
from celery.states import REJECTED
from redis import Redis

from continuable import App
from continuable.conformance.jobs import declare
from continuable.queues.celery import CeleryQueue


class AlreadyQueuedError(Exception):
    """A call with the same arguments has not ended yet."""


class Once(celery.Task):
    """Lets a call be queued once until it has ended, as the base class of celery-once does."""

    is_graceful = False

    def apply_async(self, args=None, kwargs=None, **options):
        with Redis.from_url(place()) as client:
            if not client.set(self._lock(args), "", nx=True):
                if self.is_graceful:
                    return EagerResult(None, None, REJECTED)
                raise AlreadyQueuedError(self.name)
        return super().apply_async(args, kwargs, **options)

    def after_return(self, status, retval, task_id, args, kwargs, einfo):
        with Redis.from_url(place()) as client:
            client.delete(self._lock(args))

    def _lock(self, args):
        return f"once:{self.name}:{json.dumps(list(args))}"


class OnceGracefully(Once):
    """Says so by a result that is no task's."""

    is_graceful = True


class TriesAgain(celery.Task):
    """Celery itself tries a task again that has raised a `ValueError`."""

    autoretry_for = (ValueError,)


BASES = {"tries again": TriesAgain, "once": Once, "once gracefully": OnceGracefully}


def place():
    return os.environ.get("CONTINUABLE_TEST_REDIS", "redis://")


def make(settings, task_options=None):
    """What the module of a project has: its apps, and the jobs of the suite."""
    celery_app = celery.Celery("project", set_as_current=False)
    celery_app.conf.update(
        broker_url=place(),
        result_backend=place(),
        worker_prefetch_multiplier=4,
        broker_connection_retry_on_startup=True,
    )
    celery_app.conf.update({name: value for name, value in settings.items() if name != "base"})
    base = {"base": BASES[settings["base"]]} if "base" in settings else {}
    app = App(queue=CeleryQueue(celery_app, task_options=task_options or {"*": base}))
    jobs = {"__name__": __name__}
    declare(app, jobs)
    return SimpleNamespace(app=app, celery_app=celery_app, **jobs)


celery_app = make(json.loads(os.environ.get("CONTINUABLE_TEST_SETTINGS", "{}"))).celery_app
