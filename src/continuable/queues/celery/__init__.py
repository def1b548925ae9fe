"""`CeleryQueue`: the jobs of an app are tasks of Celery's, run by `celery -A proj worker`."""

try:
    import celery as _celery  # noqa: F401 - what all of this needs
except ImportError as error:
    raise ImportError(
        'CeleryQueue needs Celery: run  pip install "continuable[celery]"  in this environment'
    ) from error

from continuable.queues.celery.queue import CeleryQueue

__all__ = ["CeleryQueue"]
