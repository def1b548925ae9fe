"""The Django app that brings the tables."""

from django.apps import AppConfig


class ContinuableConfig(AppConfig):
    """Progress of jobs."""

    name = "continuable.django"
    label = "continuable"
    verbose_name = "Continuable jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from continuable.django import checks  # noqa: F401 - it needs the models
