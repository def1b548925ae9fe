"""One place under torment: imports come in for as long as it lasts, and are then let finish."""

import contextlib
import random
import shutil
import tempfile
import time
from collections import Counter
from itertools import count, cycle
from pathlib import Path

from continuable.errors import JobNotFoundError, StoreBusyError, StoreError
from continuable.model.payload import JobRecord
from tests.chaos import engines
from tests.chaos.crew import Crew
from tests.chaos.jobs import add_imports
from tests.chaos.journal import entries_in
from tests.chaos.spool import Spool
from tests.chaos.table import Line
from tests.chaos.tormentor import Tormentor
from tests.chaos.verdict import Imported, gathered

WORKERS = 3
AT_A_TIME = 6
"""Jobs that are unfinished at any time."""
ROWS = 1000
TICK = 0.05
LOOK_EVERY = 0.3
PATIENCE = 60.0
"""Seconds in which everything must be finished once nothing happens any more."""


def run(place, seconds, seed, rows=ROWS):
    """Torment `place` for so long, with imports of so many rows; the lines for the table."""
    folder = Path(tempfile.mkdtemp(prefix="continuable-chaos-"))
    with place.opened(folder) as (site, servers):
        lines = list(Run(place, site, servers, random.Random(seed), rows).lines(seconds))
    if any(line.problems for line in lines):
        lines[-1].problems.append(f"see what the workers have left in {folder}")
    else:
        shutil.rmtree(folder)
    return lines


class Run:
    """The side of whoever sends the jobs and strikes at those who run them."""

    def __init__(self, place, site, servers, dice, count_of_rows):
        self.place = place
        self.count = count_of_rows
        self.imports = {}
        self.crew = Crew(site, WORKERS)
        self._site = site
        self._rows = prepared(site)
        self._app = site.app
        add_imports(self._app, self._rows, None)
        self._store = site.store()
        self._board = self._store or self._app.queue.board
        self._spool = Spool(site.path / "spool")
        self._tormentor = Tormentor(self.crew, servers, dice)
        self._ways = cycle(place.ways)
        self._numbers = count(1)
        self._unfinished = set()
        self._looks_at = 0.0

    def lines(self, seconds):
        try:
            problems = self._live(seconds)
        finally:
            self._tormentor.relent()
            self.crew.end()
            self._rows.close()
            if self._store is not None:
                self._store.close()
            else:
                self._app.queue.close()
                if self._site.is_engine:
                    self._app.progress.close()
        return self._told(problems)

    def _live(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end or not self._tormentor.has_dealt_all:
            self._feed()
            self.crew.fill()
            self._tormentor.look()
            self._look()
            time.sleep(TICK)
        self._tormentor.relent()
        deadline = time.monotonic() + PATIENCE
        while self._unfinished and time.monotonic() < deadline:
            self.crew.fill()
            self._look()
            time.sleep(TICK)
        self.crew.leave()
        for one in self.imports.values():
            self._read(one)
        gathered(self.imports, self._rows.all(), entries_in(self._site.path))
        return self.crew.problems + [f"a worker said: {words}" for words in self.crew.words()]

    def _feed(self):
        with contextlib.suppress(StoreBusyError):  # then at the next turn
            while len(self._unfinished) < AT_A_TIME:
                way = next(self._ways)
                one = Imported(f"{way}-{next(self._numbers)}", way, self.count)
                self._send(one)
                self.imports[one.id] = one
                self._unfinished.add(one.id)

    def _send(self, one):
        definition = self._app.jobs["import"]
        if self._store is None:
            definition.using(id=one.id).enqueue(one.way, one.count)
        else:
            arguments = definition.plain_arguments((one.way, one.count), {})
            self._spool.send(JobRecord(id=one.id, name="import", arguments=arguments))

    def _look(self):
        if time.monotonic() < self._looks_at:
            return
        self._looks_at = time.monotonic() + LOOK_EVERY
        with contextlib.suppress(StoreError):  # the server is away
            for job_id in list(self._unfinished):
                with contextlib.suppress(JobNotFoundError):  # nobody has taken it yet
                    if self._board.find(job_id).state.is_finished:
                        self._unfinished.remove(job_id)

    def _read(self, one):
        with contextlib.suppress(JobNotFoundError):
            found = self._board.result(one.id)
            one.state, one.result = str(found.state), found.result
            one.deaths = Counter(entry.event for entry in self._board.history(one.id))["job.died"]

    def _told(self, problems):
        kinds = {True: "with commit", False: "without"}
        for is_committed, kind in kinds.items():
            imports = [i for i in self.imports.values() if (i.way != "set") is is_committed]
            if imports:
                found = [problem for one in imports for problem in one.problems()]
                yield Line(self.place.name, kind, imports, self._tormentor.struck, problems + found)


def prepared(site):
    """The rows' table, and what a project has to prepare for its store."""
    if site.kind == "django":
        from tests.progress.django_project import use

        use(site.url, site.url)
    engines.prepare(site)
    rows = site.rows()
    rows.create()
    return rows
