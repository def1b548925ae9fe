"""How an app and its jobs are doing: what can be known of them without running any."""

from continuable.cli.health.examination import examine
from continuable.cli.health.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
