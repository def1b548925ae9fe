"""Writes `docs/queues/README.md` from the flags of the queues. Needs what `make lint` sets up."""  # noqa: INP001 - a folder of scripts

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from continuable.progress.django import DjangoProgress
from continuable.progress.redis import RedisProgress
from continuable.progress.sqlalchemy import SQLAlchemyProgress
from continuable.progress.sqlite import SQLiteProgress
from continuable.queues.capabilities import Capabilities
from continuable.queues.celery import CeleryQueue
from continuable.queues.embedded import EmbeddedQueue
from continuable.queues.procrastinate import ProcrastinateQueue
from continuable.queues.rq import RQQueue

PAGE = Path(__file__).parents[1] / "docs" / "queues" / "README.md"
COMMAND = ".venvs/dev/bin/python tools/capabilities.py"
QUEUES: dict[str, type[Capabilities]] = {
    "[embedded](../running.md)": EmbeddedQueue,
    "[Celery](celery.md)": CeleryQueue,
    "[RQ](rq.md)": RQQueue,
    "[Procrastinate](procrastinate.md)": ProcrastinateQueue,
}
FLAG = re.compile(r'^    (\w+): ClassVar.*\n    """(.*)"""$', re.MULTILINE)
STORES = (SQLAlchemyProgress, DjangoProgress, SQLiteProgress, RedisProgress)

BEGINNING = f"""\
<!-- Written by `{COMMAND}` from the flags of the queues. -->

# The queues side by side

The same job runs on each of them, in each of these kinds of worker:

- A worker that is told to stop, by a signal to its main process or to all its processes, has its
  job stop at the next checkpoint, and hands it over under the same id.
- A job whose process is killed, or whose whole worker is, resumes at its last save.

On each of them a job never runs twice at once, and one that has ended is not run again, however
often it is delivered. `continuable list`, `show`, `watch`, `pause`, `resume`, `cancel`, `retry`,
`restart`, `discard` and `check` work.

They differ in this:
"""

STORED = """\
On Celery, RQ and Procrastinate the app may name another store, `App(queue=..., progress=...)`:
"""

END = """\
`continuable.conformance.QueueSuite` asks each queue all of this, with real workers, and
`ProgressStoreSuite` each store: both are there for an adapter and a store of your own.
"""


def page() -> str:
    """The whole page."""
    stores = {f"`{store.__name__}`": yes(store.can_commit) for store in STORES}
    rows = [[question, *map(cell(name), QUEUES.values())] for name, question in questions()]
    commits = [
        "Does it commit the cursor, and jobs that you enqueue, together with your rows?",
        *stores.values(),
    ]
    tables = [table(["", *QUEUES], rows), STORED, table(["", *stores], [commits])]
    return "\n".join([BEGINNING, *tables, END])


def questions() -> list[tuple[str, str]]:
    """Every flag, with the question that is written below it."""
    return FLAG.findall(inspect.getsource(Capabilities))


def cell(name: str) -> Any:
    """What a queue answers to a question."""
    return lambda queue: words(getattr(queue, name), queue)


def words(answer: object, queue: type[Capabilities]) -> str:
    """An answer in words: to a question with yes or no, or to one for kinds of worker."""
    if not isinstance(answer, tuple | frozenset):
        return yes(answer)
    kinds = [f"`{kind}`" for kind in queue.worker_kinds if kind in answer]
    return ", ".join(kinds) or "none"


def yes(answer: object) -> str:
    """An answer in a word."""
    return "yes" if answer else "no"


def table(heading: list[str], rows: list[list[str]]) -> str:
    """As Markdown has it."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
