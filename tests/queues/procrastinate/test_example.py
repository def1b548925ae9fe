"""`examples/procrastinate_import.py` does what it says, with a stop in its middle."""

import os
import signal
import subprocess
import sys

import pytest

from tests.queues.procrastinate.conftest import ROOT, connected, conninfo
from tests.waiting import until

ROWS = 20_000
MODULE = "procrastinate_import"


@pytest.mark.slow
def test_every_order_is_imported_once_although_its_worker_is_stopped(
    postgresql, start_worker, tmp_path, monkeypatch
):
    monkeypatch.setenv("DATABASE_URL", conninfo(postgresql))
    places = [ROOT / "src", ROOT / "examples"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, places)))
    orders = tmp_path / "orders.csv"
    with orders.open("w") as file:
        file.write("order,amount\n")
        file.writelines(f"A-{number},{number}.50\n" for number in range(ROWS))

    job_id = run_continuable("enqueue", "process_import", str(orders)).strip()
    first = start_worker(module=MODULE)
    until(lambda: count(postgresql) > 1000, "some rows")
    first.signal_main(signal.SIGTERM)
    assert first.wait() == 0
    assert 0 < count(postgresql) < ROWS
    start_worker(module=MODULE)
    until(lambda: count(postgresql) == ROWS, "all rows")
    until(lambda: "completed" in run_continuable("show", job_id), "its end")


def run_continuable(verb: str, *words: str) -> str:
    example = str(ROOT / "examples" / f"{MODULE}.py")
    return subprocess.run(
        [sys.executable, "-m", "continuable", verb, example, *words],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout


def count(postgresql) -> int:
    with connected(postgresql) as connection:
        if not connection.execute("SELECT to_regclass('orders')").fetchone()[0]:
            return 0
        return connection.execute('SELECT count(DISTINCT "order") FROM orders').fetchone()[0]
