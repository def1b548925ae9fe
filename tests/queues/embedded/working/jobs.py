"""The jobs that real workers run in these tests. They are told when by files in a folder."""

import asyncio
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from continuable import App

PATIENCE = 60


class Marks:
    """Files that a test and its jobs leave for each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, name: str, text: str = "") -> None:
        unfinished = self.folder / f"{name}.{os.getpid()}.new"
        unfinished.write_text(text)
        unfinished.rename(self.folder / name)

    def is_left(self, name: str) -> bool:
        return (self.folder / name).exists()

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def is_first(self, name: str) -> bool:
        try:
            (self.folder / name).open("x").close()
        except FileExistsError:
            return False
        return True

    def await_(self, name: str) -> None:
        until = time.monotonic() + PATIENCE
        while not self.is_left(name):
            assert time.monotonic() < until, f"{name} never came"
            time.sleep(0.005)


def rows_in(path: Path) -> list[int]:
    """What an import has written."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM imported ORDER BY n")]


def make_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")  # so that tests may look while jobs write
        connection.execute("CREATE TABLE imported (n INTEGER)")


def make_app(path: Path) -> App:  # noqa: C901, PLR0915 - one job after the other
    app = App(f"sqlite:///{path}", defaults={"resume_options": {"wait": 0.0}})
    marks = Marks(path.resolve().parent)

    @app.job(name="add")
    def add(job, a, b=0):
        return a + b

    @app.job(name="copy")
    def copy(job, folder, target):
        """A backup: it reads, and closes, what its worker holds a lock on."""
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.fifo"))
        return True

    @app.job(name="import", save_every=0.05)
    def import_rows(job, mode, target, count, batch=5, pause=0.001):
        @job.step(start=0)
        def process(step):
            with closing(sqlite3.connect(target, isolation_level=None, timeout=30)) as connection:
                for first in range(step.cursor, count, batch):
                    rows = [(n,) for n in range(first, min(first + batch, count))]
                    write_rows(mode, step, connection, rows)
                    time.sleep(pause)

        job.step(lambda: count, name="finalize")
        return count

    @app.job(name="loop", save_every=0.05)
    def loop(job, name="go"):
        @job.step(start=0)
        def turn(step):
            marks.leave(f"{job.id}-{job.executions}", str(os.getpid()))
            while not marks.is_left(name):
                step.advance()
                time.sleep(0.002)

    @app.job(name="async loop", save_every=0.05)
    async def async_loop(job, name="go"):
        @job.step(start=0)
        async def turn(step):
            marks.leave(f"{job.id}-{job.executions}", str(os.getpid()))
            while not marks.is_left(name):
                step.advance()
                await asyncio.sleep(0.002)

        await turn

    @app.job(name="group", save_every=0.05)
    async def group(job):
        @job.step(start=0)
        async def turn(step):
            async def work():
                while not marks.is_left("go"):
                    step.advance()
                    await asyncio.sleep(0.002)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(work())
                tasks.create_task(asyncio.sleep(0.01))
                marks.leave(f"{job.id}-{job.executions}")

        await turn

    @app.job(name="swallow")
    def swallow(job):
        @job.step(start=0)
        def turn(step):
            marks.leave(f"{job.id}-{job.executions}")
            while not marks.is_left("go"):
                try:
                    step.advance()
                except BaseException:
                    marks.leave("swallowed")
                    return
                time.sleep(0.002)

        job.step(lambda: marks.leave("second step"), name="second")

    @app.job(name="slow save", save_every=60.0)
    def slow_save(job):
        @job.step(start=0)
        def turn(step):
            step.advance()
            marks.leave(f"{job.id}-{job.executions}")
            while not marks.is_left("go"):
                time.sleep(0.005)

    @app.job(name="deaf", save_every=0.05)
    def deaf(job):
        @job.step(start=0)
        def turn(step):
            step.set(41)
            if step.resumed and marks.is_left("go"):
                return
            time.sleep(0.2)
            step.set(42)
            marks.leave(f"{job.id}-{job.executions}")
            marks.await_("go")

    def poison(job):
        @job.step(start=0)
        def turn(step):
            step.set(7)
            time.sleep(0.3)
            step.set(7)
            while app.handle(job.id).info().cursor != 7:
                time.sleep(0.005)
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGKILL)

    app.job(name="poison", save_every=0.0)(poison)
    app.job(name="poison once", save_every=0.0, max_deaths=1)(poison)

    @app.job(name="zombie", save_every=0.05)
    def zombie(job, mode, target):
        @job.step(start=0)
        def turn(step):
            if not marks.is_first("zombie"):
                with closing(sqlite3.connect(target, isolation_level=None)) as connection:
                    write_rows("commit", step, connection, [(1,)])
                return
            marks.leave("ready")
            marks.await_("continue")
            try:
                if mode == "commit":
                    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
                        write_rows("commit", step, connection, [(666,)])
                while mode == "save":
                    step.advance()
                    time.sleep(0.002)
            except BaseException as error:
                marks.leave("raised", type(error).__name__)
                raise

        return "the zombie's" if job.executions == 1 and mode == "finish" else "the new one's"

    return app


def write_rows(mode, step, connection, rows):
    """Write `rows`, and move the cursor behind them in the way that `mode` says."""
    following = rows[-1][0] + 1
    insert = "INSERT INTO imported VALUES (?)"
    if mode == "transaction":
        with step.transaction(connection) as tx:
            connection.executemany(insert, rows)
            tx.save(following, items=len(rows))
    elif mode == "commit":
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(insert, rows)
            step.commit(following, connection, items=len(rows))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        step.checkpoint()
    else:
        for row in rows:
            connection.execute(insert, row)
            step.advance(past=row[0])
