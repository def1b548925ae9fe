"""The sales of a day by region, as a report: long steps whose results are remembered.

    continuable enqueue examples/nightly_report.py nightly_report 2026-08-01
    continuable worker examples/nightly_report.py

Every region is a step of its own. A deploy in the middle of the third region costs that region's
work, and not the first two's: their totals are kept with the progress.
"""

import sqlite3
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path

from continuable import App, Job

SALES = "sales.db"  # a table sales (day TEXT, region TEXT, amount INTEGER)
REGIONS = ("north", "east", "south", "west")

app = App()


@app.job(queue="reports")
def nightly_report(job: Job, day: str) -> str:
    date.fromisoformat(day)  # outside of any step: looked at at every start

    totals = {
        region: job.step(partial(total_of, region, day), name=f"total of {region}")
        for region in REGIONS
    }

    # In an execution of its own, which begins with all the totals saved: a deploy while this takes
    # its time has nothing else to lose.
    @job.step(isolated=True)
    def write() -> str:
        report = Path(f"report-{day}.txt")
        lines = [f"{region:<8}{total:>10,}" for region, total in totals.items()]
        report.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(report)

    return write


def total_of(region: str, day: str) -> int:
    query = "SELECT coalesce(sum(amount), 0) FROM sales WHERE region = ? AND day = ?"
    with closing(sqlite3.connect(SALES)) as connection:
        total: int = connection.execute(query, [region, day]).fetchone()[0]
        return total
