"""Celery, with Redis as its broker and result backend."""

from __future__ import annotations

import sys

from celery import Celery

from continuable import App
from continuable.demo.place import Place
from continuable.demo.stages.onredis import StageOnRedis
from continuable.demo.stages.stage import ENGINE_APP
from continuable.queues.celery import CeleryQueue

WORDS = ["-A", f"{ENGINE_APP}:engine_app", "worker", "--concurrency", "1"]


class CeleryStage(StageOnRedis):
    """Tasks of Celery's, in a prefork pool."""

    title = "Celery"
    progress_in = "its Redis"
    variables = ("CELERY_",)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.engine_app = Celery("demo", broker=place.server, backend=place.server)
        self.engine_app.conf.broker_connection_retry_on_startup = True
        self.app = App(queue=CeleryQueue(self.engine_app), progress=self.progress)

    def command(self, grace: float) -> list[str]:  # noqa: ARG002 - Celery waits for its jobs
        """See `Stage.command`."""
        return [sys.executable, "-m", "celery", *WORDS, "--loglevel", "INFO"]

    def command_as_typed(self) -> str:
        """See `Stage.command_as_typed`."""
        return " ".join(["celery", *WORDS])

    def close(self) -> None:
        """See `Stage.close`."""
        super().close()
        self.engine_app.close()
