"""`BadTimesSuite`: workers that are killed, or told again to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from continuable.app import App
from continuable.conformance.engine import EngineSuite, StartWorker, await_hold, enqueue, result
from continuable.conformance.jobs import HELD_AT, ROWS
from continuable.conformance.journal import Journal
from continuable.conformance.workers import DEADLINE, PROC

LONG_LEASE = 20 * DEADLINE
"""Seconds: nobody waits for its end."""
HURRY = 1.2
"""Seconds between two signals: there are engines that take two within a second for one."""


class BadTimesSuite(EngineSuite):
    """Part of `QueueSuite`."""

    hurries: ClassVar[Sequence[Sequence[int]]] = ((signal.SIGTERM, signal.SIGTERM),)
    """By which signals, one after the other, is a worker ended whose job does not stop?"""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run the tests that ask for a `hurry` with each of them."""
        super().pytest_generate_tests(metafunc)
        if "hurry" in metafunc.fixturenames:
            names = ["-".join(signal.Signals(number).name for number in h) for h in self.hurries]
            metafunc.parametrize("hurry", self.hurries, ids=names)

    @pytest.mark.parametrize("whom", ["job", "all"])
    def test_a_job_whose_process_is_gone_from_this_machine_waits_for_no_lease(
        self,
        app: App,
        start_worker: StartWorker,
        kind: str,
        whom: str,
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        if not PROC.exists():
            pytest.skip("only Linux tells whose process is gone")
        handle = enqueue(app, "copy_rows", folder)
        first = start_worker(kind, lease=LONG_LEASE)
        await_hold(journal, first)
        first.until(lambda: handle.info().cursor == HELD_AT, "a save of the cursor")
        if whom == "all":
            first.signal_all(signal.SIGKILL)
            first.wait()
            last = start_worker(kind, lease=LONG_LEASE)
        elif journal.begins[0].pid == first.pid:
            pytest.skip("this kind of worker is one process")
        else:
            os.kill(journal.begins[0].pid, signal.SIGKILL)
            last = first
        last.until(lambda: len(journal.begins) == 2, "another execution")
        assert not is_shown_as_failed(handle.id)
        journal.release()
        assert result(handle, last) == ROWS
        assert journal.rows == list(range(ROWS))
        assert (handle.info().reason, len(journal.begins)) == ("died", 2)

    def test_a_worker_that_is_told_again_to_stop_keeps_what_was_saved(
        self,
        app: App,
        start_worker: StartWorker,
        kind: str,
        hurry: Sequence[int],
        journal: Journal,
        folder: str,
        is_shown_as_failed: Callable[[str], bool],
    ) -> None:
        handle = enqueue(app, "go_without_checkpoint", folder)
        first = start_worker(kind)
        first.until(lambda: bool(journal.rows) and handle.info().cursor == HELD_AT, "a save")
        Path(folder, "block").touch()
        first.until(lambda: journal.entries[-1].what == "blocked", "the job, without checkpoints")
        for number in hurry:
            first.signal_main(number)
            time.sleep(HURRY)  # as somebody does who sees that nothing happens
        if kind in app.queue.patient_kinds:
            assert first.is_alive
            first.signal_all(signal.SIGKILL)
        first.wait()
        assert not is_shown_as_failed(handle.id)
        journal.release()
        second = start_worker(kind)
        assert result(handle, second) == HELD_AT
        assert journal.rows == list(range(HELD_AT))
        assert not journal.runs_overlap
        assert not is_shown_as_failed(handle.id)
