"""Every block of code in the README and in the docs runs.

The blocks of a page run in order, in one process of their own and in an empty folder (``page.py``):

- ``python`` blocks share one namespace, and may ``await`` at the top level;
- a block after ``<!-- file: imports.py -->`` is saved as that file, and its names are imported;
- in ``console`` and ``sh`` blocks, lines that begin with ``$ continuable`` or ``$ python`` are run.
  They must succeed; where the page shows an output, it must be that one, ``...`` standing for
  anything. Other commands, such as ``$ make demo``, are not run;
- a block inside an HTML comment runs too, and readers do not see it;
- what cannot run is marked by another language, such as ``text``.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docs.page import blocks

ROOT = Path(__file__).parents[2]
PAGES = [page for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))] if page.exists()]
ENGINES = {"celery", "procrastinate", "rq"}
"""The pages that start a server."""
SECONDS_PER_PAGE = 300

BLOCKS = [
    pytest.param(
        page,
        block.line,
        id=f"{page.relative_to(ROOT)}:{block.line}",
        marks=[pytest.mark.server] * (page.stem in ENGINES),
    )
    for page in PAGES
    for block in blocks(page)
]


@pytest.mark.parametrize(("page", "line"), BLOCKS)
def test_the_block_runs(page: Path, line: int):
    errors, output = run(page)
    where = f"{page.relative_to(ROOT)}:{line}"
    if line in errors:
        assert errors[line] is None, f"{where} failed\n{errors[line]}\n{output}"
    elif any(errors.values()):
        pytest.skip("an earlier block of the page failed")
    else:
        pytest.fail(f"{where} did not come to its end in time\n{output}")


@cache
def run(page: Path) -> tuple[dict[int, str | None], str]:
    """What became of each block, by its line, as far as the page came; and what it printed."""
    with TemporaryDirectory() as folder:
        results = Path(folder, "results.jsonl")
        results.touch()
        Path(folder, "reader").mkdir()
        output = run_in_a_process_of_its_own(page, results, Path(folder, "reader"))
        outcomes = map(json.loads, results.read_text(encoding="utf-8").splitlines())
        return {outcome["line"]: outcome["error"] for outcome in outcomes}, output


def run_in_a_process_of_its_own(page: Path, results: Path, folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONTINUABLE_")}
    with Path(folder.parent, "output").open("w+", encoding="utf-8") as output:
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [sys.executable, Path(__file__).with_name("page.py"), page, results],
                check=False,
                cwd=folder,
                env=environment | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=SECONDS_PER_PAGE,
            )
        output.seek(0)
        return output.read()
