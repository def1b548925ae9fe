"""What the demo shows: a live progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

TENTHS = 10
STYLES = {"good": "bold green", "deploy": "bold yellow", "bad": "bold red", "quiet": "dim"}


def screen() -> Screen:
    """The screen that fits standard output."""
    return LiveScreen() if sys.stdout.isatty() else Screen()


class Screen:
    """Plain lines: one for each event, and one for each tenth of the rows."""

    def __init__(self) -> None:
        self._tenth = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, text: str, mark: str = "") -> None:  # noqa: ARG002 - plain lines have no style
        """Print the line of an event. `mark` is a key of `STYLES`."""
        print(text, flush=True)

    def follow(self, release: int, step: str, row: int, total: int) -> None:
        """Show the progress of the import: the row that was written last."""
        tenth = row * TENTHS // total if total else 0
        if tenth not in {0, self._tenth}:
            self.say(f"  release {release}  {step}  {row:,} of {total:,} rows")
        self._tenth = tenth


class LiveScreen(Screen):
    """A progress bar, with the lines of events above it."""

    def __init__(self) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("  release {task.fields[release]}  [bold]{task.description}[/]"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
            TextColumn("[dim]{task.percentage:.0f} %"),
            TimeElapsedColumn(),
            console=Console(highlight=False),
            refresh_per_second=20,
            expand=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def say(self, text: str, mark: str = "") -> None:
        """Print the line of an event above the bar."""
        self._progress.console.print(text, style=STYLES.get(mark), markup=False)

    def follow(self, release: int, step: str, row: int, total: int) -> None:
        """Move the bar, which is there from the first call on."""
        if not self._progress.task_ids:
            self._progress.add_task(step, total=total, release=release)
        self._progress.update(
            self._progress.task_ids[0],
            description=step,
            completed=row,
            total=total,
            release=release,
        )
