"""`continuable demo`: an import that a deploy and a crash cannot hurt, in real processes."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["show"]


def show(
    csv: Path | None = None,
    rows: int = 80_000,
    *,
    queue: str = "embedded",
    plain: bool = False,
    kill: bool = True,
    commit: bool | None = None,
) -> int:
    """Import a CSV file while its worker is stopped and killed, and show what comes of it.

    It leaves no process running, even if a signal ends it.

    Args:
        csv: The file, in UTF-8; one is made if left out.
        rows: How many rows to make.
        queue: `embedded`, `celery`, `rq` or `procrastinate`; the engines on a server of their own.
        plain: Do it without continuations, to show the difference.
        kill: Kill a worker, too, after the deploy; not with `plain`, which starts over anyway.
        commit: Commit rows and cursor together, for which progress has to be where the rows are;
            otherwise the cursor is saved once a second. Left out: as the queue's own store can.

    Returns:
        The exit code: 0 if every row is in the table exactly once.
    """
    # Imported here: the jobs read their environment, and the command line wants to start fast.
    from continuable.demo.processes import DemoError, ending_in_order
    from continuable.demo.screen import screen
    from continuable.demo.stages import stage_of
    from continuable.demo.story import Plot, Story, rows_in
    from continuable.demo.upload import make_csv

    with ending_in_order(), TemporaryDirectory(prefix="continuable-demo-") as name:
        folder = Path(name)
        try:
            stage = stage_of(queue)
            path = folder / "orders.csv" if csv is None else csv.absolute()
            if csv is None:
                make_csv(path, rows)
            plot = Plot(
                queue=queue,
                stage=stage,
                csv=path,
                total=rows_in(path),
                plain=plain,
                kill=kill and not plain,
                commit=stage.commits if commit is None else commit,
            )
            with screen() as shown:
                return 0 if Story(plot, folder, shown).tell() else 1
        except DemoError as error:
            print(error, file=sys.stderr)
            return 1
