"""Which stages there are, and what is missing for one of them."""

from __future__ import annotations

from importlib import import_module

from continuable.demo.failure import DemoError
from continuable.demo.place import Place
from continuable.demo.stages.stage import Stage

QUEUES = {
    "embedded": "EmbeddedStage",
    "celery": "CeleryStage",
    "rq": "RQStage",
    "procrastinate": "ProcrastinateStage",
}
"""The class of each, in the module of its name."""


def stage_of(queue: str) -> type[Stage]:
    """A kind of stage; `DemoError` where something for it is not installed."""
    try:
        module = import_module(f"continuable.demo.stages.{queue}")
        kind: type[Stage] = getattr(module, QUEUES[queue])
        kind.require()
    except ImportError as error:
        raise DemoError(
            f'The demo on {queue} needs {_missing(error)}: pip install "continuable[{queue},demo]"'
        ) from error
    return kind


def stage_at(place: Place) -> Stage:
    """The stage for a worker."""
    return stage_of(place.queue)(place)


def _missing(error: ImportError) -> str:
    """What has to be installed."""
    # Our adapters tell it in a sentence of their own; psycopg, for a library that is no module.
    name: str = error.name or getattr(error.__cause__, "name", None) or ""
    return name.partition(".")[0] or f"more than there is ({str(error).splitlines()[0]})"
