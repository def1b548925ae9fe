"""`ProcrastinateQueue`: jobs as tasks of Procrastinate, on PostgreSQL."""

try:
    from continuable.queues.procrastinate.queue import ProcrastinateQueue
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"procrastinate", "psycopg", "sqlalchemy"}:
        raise
    raise ImportError(
        f'ProcrastinateQueue needs {error.name}: pip install "continuable[procrastinate]"'
    ) from error

__all__ = ["ProcrastinateQueue"]
