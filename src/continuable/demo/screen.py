"""What the demo shows: a live bar in a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

TENTHS = 10
MARKS = {"good": "bold green", "deploy": "bold yellow", "bad": "bold red", "quiet": "dim"}


class Screen(Protocol):
    """Where the demo is shown."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""
        ...

    def say(self, text: str, mark: str = "") -> None:
        """Tell something that has happened."""
        ...

    def follow(self, release: int, step: str, row: int, total: int) -> None:
        """Show where the import is."""
        ...


def screen() -> Screen:
    """The best that there is: a live one needs a terminal, and `rich`."""
    if not sys.stdout.isatty():
        return PlainScreen()
    try:
        return LiveScreen()
    except ImportError:
        return PlainScreen()


class PlainScreen:
    """A line for whatever happens, and one for each tenth of the rows."""

    def __init__(self) -> None:
        self._tenth = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is to be put right."""

    def say(self, text: str, mark: str = "") -> None:  # noqa: ARG002 - lines have no colours
        """Print it."""
        print(text, flush=True)

    def follow(self, release: int, step: str, row: int, total: int) -> None:
        """Print each tenth once."""
        tenth = row * TENTHS // total if total else 0
        if tenth not in {0, self._tenth}:
            self.say(f"  release {release}  {step}  {row:,} of {total:,} rows")
        self._tenth = tenth


class LiveScreen:
    """A bar that moves, with what has happened above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            TextColumn("  release {task.fields[release]}  [bold]{task.description}[/]"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
            TextColumn("[dim]{task.percentage:.0f} %"),
            TimeElapsedColumn(),
            console=Console(highlight=False),
            refresh_per_second=20,
            expand=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str, mark: str = "") -> None:
        """Print it above the bar."""
        self._progress.console.print(text, style=MARKS.get(mark), markup=False)

    def follow(self, release: int, step: str, row: int, total: int) -> None:
        """Move the bar."""
        if self._task is None:
            self._task = self._progress.add_task(step, total=total, release=release)
        self._progress.update(
            self._task, description=step, completed=row, total=total, release=release
        )
