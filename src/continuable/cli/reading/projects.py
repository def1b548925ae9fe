"""A Django project around the app: set up before any of its modules is imported."""

from __future__ import annotations

import os
from importlib.util import find_spec

from continuable.cli.reading.modules import broken, look_in_current_folder

SETTINGS = "DJANGO_SETTINGS_MODULE"
JOBS_ARE_IN = ("tasks", "jobs")
"""The modules of a project's apps in which its jobs are declared."""


def set_up_django() -> None:
    """Set Django up and import the jobs of its apps, where `DJANGO_SETTINGS_MODULE` names settings.

    `Failure` if that does not work.
    """
    settings = os.environ.get(SETTINGS)
    if not settings or find_spec("django") is None:
        return
    import django
    from django.utils.module_loading import autodiscover_modules

    look_in_current_folder()
    try:
        django.setup()
        autodiscover_modules(*JOBS_ARE_IN)
    except (Exception, SystemExit) as error:
        raise broken(settings, error) from error
