"""The app that a project's settings name."""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS

from continuable.app import App
from continuable.progress.django import DjangoProgress
from continuable.queues.engine import EngineQueue

SETTING = "CONTINUABLE_APP"
"""Names it: `"shop.jobs:app"`. So does the environment variable of that name, which wins."""


def configured_app() -> App | None:
    """The app; `None`: the settings name none.

    Raises `ImproperlyConfigured` where they name something else.
    """
    target = os.environ.get(SETTING) or getattr(settings, SETTING, None)
    if target is None:
        return None
    module, _, name = target.partition(":")
    try:
        app = getattr(import_module(module), name or "app")
    except (ImportError, AttributeError) as error:
        raise ImproperlyConfigured(f"{SETTING} = {target!r} names no app: {error}") from error
    if not isinstance(app, App):
        raise ImproperlyConfigured(f"{SETTING} = {target!r} names no App, but {app!r}")
    return app


def needed_app() -> App:
    """The app. Raises `ImproperlyConfigured` where the settings name none."""
    app = configured_app()
    if app is None:
        raise ImproperlyConfigured(f"Say which app has the jobs: {SETTING} = 'shop.jobs:app'")
    return app


def progress_alias() -> str:
    """The database that the app's progress is in, as in `DATABASES`."""
    app = configured_app()
    queue = None if app is None else app.queue
    if isinstance(queue, EngineQueue) and isinstance(queue.store, DjangoProgress):
        return queue.store.alias
    return DEFAULT_DB_ALIAS
