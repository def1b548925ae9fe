"""What a driver's own exception means: SQLSTATE, MySQL's number, or SQLite's name."""

from __future__ import annotations

IN_THE_WAY = frozenset({"40001", "40P01", "55P03", 1205, 1213, 3572})
NO_TABLE = frozenset({"42P01", 1146})


def is_busy(cause: BaseException | None) -> bool:
    """Whether another transaction is in the way: the same may be tried again."""
    name = getattr(cause, "sqlite_errorname", "")
    return bool(_codes(cause) & IN_THE_WAY) or name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def lacks_table(cause: BaseException | None) -> bool:
    """Whether the database has no such table."""
    is_of_sqlite = hasattr(cause, "sqlite_errorname") and "no such table" in str(cause)
    return bool(_codes(cause) & NO_TABLE) or is_of_sqlite


def _codes(cause: BaseException | None) -> set[object]:
    arguments = getattr(cause, "args", ())
    codes = {getattr(cause, "sqlstate", None), *arguments[:1]}
    return {code for code in codes if isinstance(code, str | int)}
