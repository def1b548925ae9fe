"""The queues that the demo can be shown on."""

from continuable.demo.stages.found import QUEUES, stage_at, stage_of
from continuable.demo.stages.stage import Stage

__all__ = ["QUEUES", "Stage", "stage_at", "stage_of"]
