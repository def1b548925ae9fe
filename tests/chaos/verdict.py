"""What became of the rows: what is missing, done twice, or written by somebody who must not."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from continuable.progress.rowstore import CONTROLS_EVERY
from tests.chaos.jobs import PAUSE, SAVE_EVERY

WRITE = 1.0
"""Seconds that one write to the store may take on a busy machine."""
MOST_LOST = round((SAVE_EVERY + WRITE) / PAUSE) + 1
"""Rows that a violent stop may cost: those since the last save, a checkpoint's gap, and a write."""
MOST_OF_A_ZOMBIE = round((CONTROLS_EVERY + SAVE_EVERY + WRITE) / PAUSE) + 1
"""Rows that a worker may still do that does not know yet that its job was taken away."""


@dataclass
class Imported:
    """One job that was sent, and what is known of it."""

    id: str
    way: str
    count: int
    state: str = ""
    result: str | None = None
    deaths: int = 0
    """How often its worker has died, or was taken for dead."""
    runs: list = field(default_factory=list)
    """What the journals say of its executions, in their order."""
    saves: list = field(default_factory=list)
    ends: list = field(default_factory=list)
    rows: list = field(default_factory=list)

    @property
    def redone(self):
        return len(self.rows) - len({row.n for row in self.rows})

    def problems(self):
        found = [*self._ending(), *self._content(), *self._cursors()]
        found += self._bounds() if self.way == "set" else self._exactness()
        return [f"{self.id}: {problem}" for problem in found]

    def _ending(self):
        if self.state != "completed":
            yield f"is {self.state}"
        elif self.result != str(self.count):
            yield f"has returned {self.result}"
        if len(self.ends) > 1:
            yield f"has ended {len(self.ends)} times"
        if self.ends and any(run["at"] > self.ends[0]["at"] for run in self.runs):
            yield "was run again after its end"

    def _content(self):
        there = {row.n for row in self.rows}
        if there != set(range(self.count)):
            missing = sorted(set(range(self.count)) - there)
            yield f"{len(missing)} rows are missing, from {missing[:1]}"

    def _cursors(self):
        """No execution may begin before what a save has told."""
        for number, run in enumerate(self.runs):
            until = self._taken_at(number)
            saved = [save["cursor"] for save in self.saves if save["at"] < until]
            if run["cursor"] < max(saved, default=0):
                yield f"began at {run['cursor']} although {max(saved)} was saved"

    def _exactness(self):
        """Each row once, and no execution writes once a later one has."""
        twice = [n for n, times in Counter(row.n for row in self.rows).items() if times > 1]
        if twice:
            yield f"{len(twice)} rows are there twice, such as {twice[0]}"
        order = {run["run"]: number for number, run in enumerate(self.runs)}
        writers = [order[row.run] for row in sorted(self.rows, key=lambda row: row.n)]
        if any(one > other for one, other in pairwise(writers)):
            yield "an execution has written although a later one had begun to"

    def _bounds(self):
        """What is redone, execution by execution."""
        rows = defaultdict(list)
        for row in self.rows:
            rows[row.run].append(row)
        costly = 0
        for number, (run, following) in enumerate(pairwise(self.runs), 1):
            redone = [row for row in rows[run["run"]] if row.n >= following["cursor"]]
            lost = sum(row.at <= self._taken_at(number) for row in redone)
            late = len(redone) - lost
            costly += len(redone) > 1
            if lost > MOST_LOST:
                yield f"execution {run['execution']} lost {lost} rows, more than {MOST_LOST}"
            if late > MOST_OF_A_ZOMBIE:
                yield f"execution {run['execution']} wrote {late} rows when it was over"
        if costly > self.deaths:
            yield f"rows were lost at {costly} stops, though only {self.deaths} were violent"

    def _taken_at(self, number):
        """When an execution, or one after it, was first seen: what is before was before it."""
        return min(run["at"] for run in self.runs[number:])


def gathered(imports, rows, entries):
    """`imports`, with the rows and the entries of the journals that are theirs."""
    for entry in entries:
        one = imports.get(entry["job"])
        kinds = {"began": one.runs, "saved": one.saves, "ended": one.ends}
        if entry["what"] in kinds:
            kinds[entry["what"]].append(entry)
    for row in rows:
        imports[row.job].rows.append(row)
    for one in imports.values():
        one.runs.sort(key=lambda run: (run["execution"], run["at"]))
    return list(imports.values())
