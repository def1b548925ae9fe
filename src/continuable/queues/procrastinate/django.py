"""Procrastinate's app for Django: a proxy, with nothing but tasks behind it before Django is ready.

Jobs are declared before that, in the modules `tasks.py` that are imported while it gets ready.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import procrastinate

from continuable.errors import QueueError

if TYPE_CHECKING:
    from continuable.progress.django import DjangoProgress

CONTRIB = "procrastinate.contrib.django"
TABLES = "continuable.django"


def app_behind(blueprint: procrastinate.Blueprint) -> procrastinate.App | None:
    """The app itself; `None`: Django is not ready yet, so that there is none."""
    app = _behind(blueprint)
    return app if isinstance(app, procrastinate.App) else None


def django_store(app: procrastinate.App) -> DjangoProgress | None:
    """Progress beside the tables of Procrastinate, where `app` is Django's.

    Raises `QueueError` where the project does not have the tables.
    """
    if CONTRIB not in sys.modules:
        return None
    from django.apps import apps
    from django.conf import settings
    from procrastinate.contrib.django import app as proxy

    if _behind(proxy) is not _behind(app):
        return None
    if not apps.is_installed(TABLES):
        raise QueueError(
            f"Progress is kept in a table of Django's, which this project does not have. Add "
            f'"{TABLES}" to INSTALLED_APPS and run `manage.py migrate`, or name a store: '
            f"App(queue=..., progress=...)"
        )
    from continuable.progress.django import DjangoProgress

    return DjangoProgress(getattr(settings, "PROCRASTINATE_DATABASE_ALIAS", "default"))


def _behind(blueprint: Any) -> object:
    """What answers for `blueprint`, be it a proxy: a method knows whose it is."""
    return blueprint.add_task_alias.__self__
