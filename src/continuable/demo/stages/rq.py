"""RQ, whose worker runs each job in a process of its own."""

from __future__ import annotations

import sys

from redis import Redis

from continuable import App
from continuable.demo.place import Place
from continuable.demo.stages.onredis import StageOnRedis
from continuable.queues.rq import RQQueue


class RQStage(StageOnRedis):
    """Functions that RQ calls."""

    title = "RQ"
    progress_in = "its Redis"
    variables = ("RQ_",)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._redis = Redis.from_url(place.server)
        self.app = App(queue=RQQueue(self._redis), progress=self.progress)

    def command(self, grace: float) -> list[str]:  # noqa: ARG002 - RQ waits for its job
        """See `Stage.command`."""
        return [sys.executable, "-m", "rq.cli", "worker"]

    def command_as_typed(self) -> str:
        """See `Stage.command_as_typed`."""
        return "rq worker"

    def environment(self) -> dict[str, str]:
        """See `Stage.environment`."""
        return {"RQ_REDIS_URL": self.place.server}

    def close(self) -> None:
        """See `Stage.close`."""
        super().close()
        self._redis.close()
