"""Runs the tests: `tests.py SELECTION VERSION...`, on all those Pythons at the same time.

What was tested, and what was left out and why, is said at the end and kept in `.venvs/tested`.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]
TESTED = ROOT / ".venvs" / "tested"
SUPPORTED = ("3.13", "3.12", "3.11")
MINUTE = 60.0


@dataclass(frozen=True)
class Selection:
    """Some of the tests, by their marks."""

    marks: str
    title: str
    left_out: str = ""


SELECTIONS = {
    "quick": Selection(
        "not slow and not server and not workers",
        "the quick tests",
        "the slow tests, and those that need a server or workers; `make test` runs them",
    ),
    "sample": Selection(
        "not slow or sample",
        "all tests but the slow ones, and a sample of those",
        "the other slow tests, and other Pythons; `make test-all` runs them",
    ),
    "rest": Selection("slow and not sample", "the slow tests that are not in the sample"),
    "all": Selection("", "all tests"),
}


class Run:
    """The tests of a selection on one Python, under way. Several of them write to logs."""

    def __init__(
        self, version: str, selection: Selection, processes: int, log: Path | None
    ) -> None:
        self.version = version
        self.seconds: float | None = None
        self._selection = selection
        self._began = time.monotonic()
        self._log = log
        self._results = ROOT / ".venvs" / version / "results.xml"
        self._results.unlink(missing_ok=True)
        python = ROOT / ".venvs" / version / "bin" / "python"
        options = ["-n", str(processes), f"--junitxml={self._results}"]
        output: IO[bytes] | None = log.open("wb") if log else None
        self.process = subprocess.Popen(
            [python, "-m", "pytest", "-q", "-m", selection.marks, *options],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )

    def look(self) -> bool:
        """Whether it has ended; what it has to say at its end is shown once."""
        if self.process.poll() is None:
            return False
        if self.seconds is None:
            self.seconds = time.monotonic() - self._began
            if self._log:
                _, _, end = self._log.read_text(errors="replace").rpartition("100%]")
                print(f"\n== Python {self.version} ==\n{end.strip()}", flush=True)
        return True

    @property
    def percentage(self) -> str:
        """How far it has come, as its log says."""
        found = re.findall(r"(\d+)%\]", self._log.read_text(errors="replace") if self._log else "")
        return f"{found[-1] if found else 0} %"

    def verdict(self) -> Iterator[str]:
        """What was tested, and what was skipped and why: each reason once."""
        outcome = "FAILED" if self.process.returncode else "passed"
        title = self._selection.title
        if not self._results.exists():
            yield f"Python {self.version}: {outcome} ({title}; there are no results)"
            return
        tests = [*ET.parse(self._results).iter("testcase")]  # noqa: S314 - our own
        skipped = [test.find("skipped") for test in tests]
        reasons = Counter(one.get("message", "") for one in skipped if one is not None)
        yield (
            f"Python {self.version}: {outcome} in {self.seconds:.0f} s "
            f"({title}; {len(tests)} run, {reasons.total()} of them skipped)"
        )
        yield from (f"  skipped {times}: {reason}" for reason, times in sorted(reasons.items()))


def run(versions: list[str], selections: list[Selection]) -> list[Run]:
    """All of them side by side, on two test processes for each core: much of a test is waiting."""
    is_alone = len(versions) == 1
    processes = max(2, 2 * (os.cpu_count() or 1) // len(versions))
    runs = [
        Run(version, selection, processes, None if is_alone else ROOT / f".venvs/{version}/log")
        for version, selection in zip(versions, selections, strict=True)
    ]
    told_at = time.monotonic()
    try:
        while not all([one.look() for one in runs]):  # noqa: C419 - each is to be asked
            time.sleep(0.1)
            if not is_alone and time.monotonic() - told_at > MINUTE:
                told_at = time.monotonic()
                print(*(f"Python {one.version}: {one.percentage}" for one in runs), sep=", ")
    finally:
        for one in runs:
            one.process.terminate()
    return runs


def main(selection: str, versions: list[str]) -> int:
    """`all-but-sample`: all tests, but none that `sample` has run on the first of the Pythons."""
    is_after_sample = selection == "after-sample"
    selections = [SELECTIONS["all" if is_after_sample else selection] for _ in versions]
    if is_after_sample:
        selections[0] = SELECTIONS["rest"]
    runs = run(versions, selections)
    lines = [line for one in runs for line in one.verdict()]
    lines += [f"Left out: {one.left_out}" for one in set(selections) if one.left_out]
    if selection in {"all", "after-sample"}:
        missing = [version for version in SUPPORTED if version not in versions]
        lines += [f"Python {version}: not found, not tested" for version in missing]
    with TESTED.open("a" if is_after_sample else "w", encoding="utf-8") as tested:
        tested.writelines(f"{line}\n" for line in lines)
    print("", *lines, sep="\n")
    return int(any(one.process.returncode for one in runs))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
