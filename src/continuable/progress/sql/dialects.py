"""The statements in `*.sql`, as each database wants them.

`ROW_COLUMNS`, `ROW_VALUES` and `ROW_ASSIGNMENTS` in them are those of `Row`, and `NOW` is the time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from continuable.progress.row import COLUMNS

FOLDER = Path(__file__).parent

PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
"""As statements have it, with its name."""
NOW = re.compile(r"\bNOW\b")
INSERT_IF_ABSENT = "ON CONFLICT DO NOTHING"
ROW_COLUMNS = ", ".join(COLUMNS)
ROW_VALUES = ", ".join("NOW" if name == "enqueued_at" else f":{name}" for name in COLUMNS)
COLUMN_PARAMETER = re.compile(rf"(?<![:\w]):({'|'.join(COLUMNS)})\b")
ROW_ASSIGNMENTS = ", ".join(f"{name} = :{name}" for name in COLUMNS if name != "id")
TABLE = "continuable_progress"
LOCKED_ROW = re.compile(
    r"id = \(\s+SELECT id FROM \w+\s+WHERE (.*?)\s+FOR UPDATE SKIP LOCKED\s+\)", re.DOTALL
)
LOCKING = re.compile(r"FOR UPDATE( SKIP LOCKED)?")
IDLE_OF_POSTGRESQL = "idle_in_transaction_session_timeout"


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """How one database says what not all say alike."""

    name: str
    now: str
    """Seconds since the epoch, on the database's own clock."""
    insert_if_absent: str = INSERT_IF_ABSENT
    locks_rows: bool = True
    """Else `BEGIN IMMEDIATE` has locked the whole file."""
    changes_at_once: bool = True
    """Can one statement change a row that it has looked into first, and give it back?"""
    table: str = TABLE
    folder: Path = FOLDER
    """Statements in there come before those of the same name here."""

    def statement(self, name: str) -> str:
        """The text of `<name>.sql`. Parameters are written `:so`."""
        return _statement(self, name)

    def insertion(self, count: int) -> str:
        """The statement that inserts so many rows; the parameters of row 0 end in `_0`."""
        return _insertion(self, count)

    def limits(self, lock_wait: float, idle: float) -> str:
        """The statement that bounds this transaction. Both in seconds.

        `lock_wait`: it waits no longer for a lock. `idle`: it holds its locks no longer without a
        word from this process, which may be frozen. MySQL has no such limit, and SQLite's locks
        are of this machine.
        """
        milliseconds = max(1, round(lock_wait * 1000))
        match self.name:
            case "postgresql":
                return (
                    f"SELECT set_config('lock_timeout', '{milliseconds}', true), "
                    f"set_config('{IDLE_OF_POSTGRESQL}', '{round(idle * 1000)}', true)"
                )
            case "mysql":
                return _set_in_mysql(max(1, math.ceil(lock_wait)), math.ceil(idle))
            case _:
                return f"PRAGMA busy_timeout = {milliseconds}"

    @property
    def own_limits(self) -> str | None:
        """The statement that reads the limits of a connection, where `limits` changes them.

        `None`: what `limits` says ends with the transaction.
        """
        match self.name:
            case "postgresql":
                return None
            case "mysql":
                return (
                    "SELECT @@SESSION.innodb_lock_wait_timeout /*M! , @@idle_transaction_timeout */"
                )
            case _:
                return "PRAGMA busy_timeout"

    def limits_as_before(self, values: Sequence[int]) -> str:
        """The statement that undoes `limits`; `own_limits` had found `values`."""
        if self.name == "mysql":
            return _set_in_mysql(*values)
        return f"PRAGMA busy_timeout = {values[0]}"


def _set_in_mysql(lock_wait: int, idle: int = 0) -> str:
    """What is in the comment is for MariaDB, and is not seen by MySQL."""
    return (
        f"SET SESSION innodb_lock_wait_timeout = {lock_wait} "
        f"/*M! , idle_transaction_timeout = {idle} */"
    )


@cache
def _insertion(dialect: Dialect, count: int) -> str:
    head, values, tail = re.split(r"(?<=VALUES )(\(.*\))(?=\n)", dialect.statement("insert_row"))
    rows = [COLUMN_PARAMETER.sub(rf":\1_{number}", values) for number in range(count)]
    return f"{head}{', '.join(rows)}{tail}"


@cache
def _statement(dialect: Dialect, name: str) -> str:
    path = dialect.folder / f"{name}.sql"
    text = (path if path.exists() else FOLDER / path.name).read_text("utf-8")
    text = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE)
    text = text.replace(TABLE, dialect.table).replace("ROW_COLUMNS", ROW_COLUMNS)
    text = text.replace("ROW_VALUES", ROW_VALUES).replace("ROW_ASSIGNMENTS", ROW_ASSIGNMENTS)
    text = NOW.sub(lambda _: dialect.now, text)
    text = text.replace(INSERT_IF_ABSENT, dialect.insert_if_absent)
    if not dialect.locks_rows:
        text = LOCKING.sub("", LOCKED_ROW.sub(r"\1", text))
    return text.strip()


POSTGRESQL = Dialect(
    "postgresql", now="CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
)
MYSQL = Dialect(
    "mysql",
    # Not UNIX_TIMESTAMP(NOW()), which goes through local time and so an hour back each autumn.
    now="(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000e0)",
    insert_if_absent="ON DUPLICATE KEY UPDATE id = id",
    changes_at_once=False,
)
SQLITE = Dialect("sqlite", now="((julianday('now') - 2440587.5) * 86400.0)", locks_rows=False)

DIALECTS = {
    "postgresql": POSTGRESQL,
    "mysql": MYSQL,
    "mariadb": MYSQL,
    "sqlite": SQLITE,
}
