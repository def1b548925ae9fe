"""A project whose settings a test chooses. Progress is where these say."""

import json
import os
from types import SimpleNamespace

import celery

from continuable import App
from continuable.conformance.jobs import declare
from continuable.queues.celery import CeleryQueue


def make(settings, task_options=None):
    """What the module of a project has: its apps, and the jobs of the suite."""
    redis = os.environ.get("CONTINUABLE_TEST_REDIS", "redis://")
    celery_app = celery.Celery("project", set_as_current=False)
    celery_app.conf.update(
        broker_url=redis,
        result_backend=redis,
        worker_prefetch_multiplier=4,
        broker_connection_retry_on_startup=True,
    )
    celery_app.conf.update(settings)
    app = App(queue=CeleryQueue(celery_app, task_options=task_options or {}))
    jobs = {"__name__": __name__}
    declare(app, jobs)
    return SimpleNamespace(app=app, celery_app=celery_app, **jobs)


celery_app = make(json.loads(os.environ.get("CONTINUABLE_TEST_SETTINGS", "{}"))).celery_app
