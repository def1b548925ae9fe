"""`RQQueue`: the jobs of an app on RQ, run by workers that `rq worker` starts."""

try:
    import rq as _rq  # noqa: F401 - to say at once what is missing
except ImportError as error:
    raise ImportError('RQ is not installed: pip install "continuable[rq]"') from error

from continuable.queues.rq.queue import RQQueue

__all__ = ["RQQueue"]
