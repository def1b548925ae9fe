"""`run` in a real process: Ctrl-C, the same command again, and a terminal."""

import fcntl
import os
import pty
import re
import signal
import subprocess
import termios
from pathlib import Path

from continuable.model.states import State
from tests.cli.conftest import rows
from tests.cli.process import COMMAND, environment, process
from tests.waiting import DEADLINE, until


def some_rows():
    return until(lambda: len(rows()) > 10, "rows are written")


def test_ctrl_c_interrupts_at_the_next_checkpoint_and_the_same_command_resumes(call, walk, table):
    with process("run", walk, "walk") as running:
        some_rows()
        assert running.stop(signal.SIGINT) == 130
        written = len(rows())
        assert running.stderr == (
            f"Interrupted at 'write', cursor {written}: the same command resumes it\n"
        )
    (job,) = table.list()
    assert (job.state, job.cursor) == (State.PAUSED, written)
    Path("hurry").touch()
    again = call("run", walk, "walk")
    assert again.exit_code == 0
    assert f"goes on at 'write', cursor {written}" in again.stderr
    assert "returned 1000" in again.stdout
    assert rows() == list(range(1000))


def test_a_second_ctrl_c_does_not_wait_for_a_checkpoint(jobs, table):
    app = jobs(
        """
        import os
        import signal
        import time
        from pathlib import Path

        @app.job
        def deaf(job):
            job.step(lambda: None, name="before")
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            signal.set_wakeup_fd(writer)
            Path("deaf").touch()
            os.read(reader, 1)
            Path("signalled").touch()
            time.sleep(60)
        """
    )
    with process("run", app, "deaf") as running:
        until(Path("deaf").exists, "the job is deaf")
        running.send(signal.SIGINT)
        until(Path("signalled").exists, "the first signal is there")
        assert running.stop(signal.SIGINT) == 130
        assert "Traceback" not in running.stderr
    (job,) = table.list()
    assert job.state is State.PAUSED
    assert job.completed == ["before"]


def test_sigterm_hands_the_job_back_to_the_queue(walk, table):
    with process("run", walk, "walk") as running:
        some_rows()
        assert running.stop(signal.SIGTERM) == 130
    (job,) = table.list()
    assert (job.state, job.reason) == (State.INTERRUPTED, "stopping")
    assert job.cursor == len(rows())


def test_a_killed_run_is_resumed_by_the_same_command(call, walk, table):
    with process("run", walk, "walk") as running:
        until(lambda: table.list() and table.list()[0].done > 10, "progress is saved")
        running.stop(signal.SIGKILL)
    Path("hurry").touch()
    assert call("run", walk, "walk").exit_code == 0
    assert sorted(set(rows())) == list(range(1000))
    assert table.list()[0].executions == 2


def test_a_job_goes_on_when_nobody_reads_its_lines_any_more(walk, table):
    with subprocess.Popen(
        [*COMMAND, "run", walk, "walk"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as running:
        running.stdout.readline()
        running.stdout.close()
        Path("hurry").touch()
        complaint = running.stderr.read().decode()
        running.wait(DEADLINE)
    assert complaint == ""
    assert table.list()[0].state is State.COMPLETED
    assert rows() == list(range(1000))


def test_on_a_terminal_there_is_a_live_bar_and_ctrl_c_is_a_key(walk, table):
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, 120))

    def be_in_charge_of_the_terminal():
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    running = subprocess.Popen(
        [*COMMAND, "run", walk, "walk"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(TERM="xterm-256color", COLUMNS="120"),
        start_new_session=True,
        preexec_fn=be_in_charge_of_the_terminal,  # noqa: PLW1509 - it starts nothing
    )
    os.close(slave)
    seen = b""
    while b"s left" not in seen:
        seen += os.read(master, 4096)
    os.write(master, b"\x03")
    seen += the_rest(master)
    os.close(master)
    assert running.wait(DEADLINE) == 130
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert "\x1b[2K" in seen.decode()  # lines are drawn anew in their place
    assert re.search(
        r"▸ write +[━╸╺]+ +\d+ % +\d+ of 1,000 +[\d,.]+/s +\d+ s left +cursor \d", text
    )
    assert "Interrupted at 'write'" in text
    assert table.list()[0].state is State.PAUSED


def the_rest(descriptor):
    """What is written until the terminal is closed."""
    text = b""
    while True:
        try:
            more = os.read(descriptor, 4096)
        except OSError:  # Linux: nobody has the other end open
            return text
        if not more:
            return text
        text += more
