"""The table that the chaos run prints."""

from dataclasses import dataclass

STRIKES = ("SIGTERM", "SIGKILL", "child's", "SIGSTOP", "restart")
COLUMNS = ("place", "rows", "jobs", *STRIKES, "executions", "redone")
WIDTHS = (44, 8, 6, 9, 9, 9, 9, 9, 12, 8)


@dataclass
class Line:
    """How one store has done, with commit or without."""

    store: str
    kind: str
    imports: list
    struck: dict
    problems: list

    @property
    def rows(self):
        return sum(one.count for one in self.imports)

    @property
    def redone(self):
        return sum(one.redone for one in self.imports)

    def __str__(self):
        runs = sum(len(one.runs) for one in self.imports)
        struck = [self.struck[strike] for strike in STRIKES]
        cells = [f"{self.store}, {self.kind}", self.rows, len(self.imports), *struck, runs]
        verdict = "ok" if not self.problems else f"WRONG ({len(self.problems)})"
        return in_columns([*cells, self.redone]) + f"  {verdict}"


def in_columns(cells):
    first, *others = (f"{cell:,}" if isinstance(cell, int) else cell for cell in cells)
    widths = zip(others, WIDTHS[1:], strict=True)
    return f"{first:<{WIDTHS[0]}}" + "".join(f"{cell:>{width}}" for cell, width in widths)


HEADING = in_columns(COLUMNS) + "  verdict"
