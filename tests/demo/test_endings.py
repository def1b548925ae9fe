"""However the demo ends, its servers and workers end with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from continuable.demo import processes
from continuable.demo.processes import Process, ending_in_order, signals_held
from tests.demo.processes import marked
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(
    not Path("/proc").exists(), reason="who is left is looked up in /proc"
)


@pytest.fixture
def mark():
    return uuid4().hex


@pytest.fixture
def temporary():
    """For temporary files; whoever runs PostgreSQL for root gets there, too."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "queue", [pytest.param("embedded", marks=pytest.mark.sample), "celery", "rq", "procrastinate"]
)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_demo_that_is_ended_in_its_middle_leaves_nothing(queue, number, code, mark, temporary):
    environment = os.environ | {"CONTINUABLE_TEST_MARK": mark, "TMPDIR": str(temporary)}
    demo = subprocess.Popen(
        [sys.executable, "-m", "continuable", "demo", "--queue", queue],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    with demo:
        for line in demo.stdout:
            if "release 1  process" in line:
                break
        assert len(marked(mark)) > 1, "a worker runs"
        demo.send_signal(number)
        demo.stdout.read()
        assert demo.wait(DEADLINE) == code
    assert marked(mark) == []
    assert list(temporary.iterdir()) == []


FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import os, time; os.setpgrp(); time.sleep(600)"])
if os.fork() == 0:
    os.fork()
    time.sleep(600)
"""


@pytest.mark.parametrize("source", ["/proc", "ps"])
def test_what_a_process_has_started_is_killed_with_it_and_after_it(
    source, mark, tmp_path, monkeypatch
):
    monkeypatch.setattr(processes, "PROC", Path(source))
    environment = os.environ | {"CONTINUABLE_TEST_MARK": mark}
    process = Process([sys.executable, "-c", FAMILY], tmp_path / "log", env=environment)
    until(lambda: process.exit_code is not None, "the end of the first")
    until(lambda: len(marked(mark)) == 3, "three that are left")
    process.kill()
    assert marked(mark) == []


def test_signals_end_a_block_once():
    def be_impatient():
        with ending_in_order():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(SystemExit) as ended:
        be_impatient()
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_signal_waits_until_what_is_started_is_known():
    known = []

    def start():
        with ending_in_order():
            with signals_held():
                signal.raise_signal(signal.SIGINT)
                known.append("started")
            known.append("never reached")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert known == ["started"]


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        with ending_in_order(), signals_held():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
