from pathlib import Path

import pytest

from continuable.core.outcome import Completed
from continuable.model.states import State
from continuable.queues.embedded.ledger import Done, LastWords, Ledger, last_words, remove_ledgers
from continuable.queues.embedded.liveness import workers_folder

DONE = Completed(result='"caf\\u00e9\\t"', progress='{"completed":["a"]}')


@pytest.fixture
def ledger(path):
    workers_folder(path).mkdir()
    return Ledger(path, "dead", 0)


def begin(ledger, ahead):
    ledger.prepare(ahead)
    ledger.turn_page()


def test_without_short_jobs_there_is_no_file(ledger, path):
    ledger.prepare(())
    ledger.turn_page()
    ledger.close()
    assert list(workers_folder(path).iterdir()) == []
    assert last_words(path, "dead") == LastWords()


def test_it_says_what_has_started_and_ended(ledger, path, claimed):
    first, second, third = (claimed("dead") for _ in range(3))
    begin(ledger, [second, third])
    assert ledger.turn(first, DONE, 0.25, 1000.5, second)
    words = last_words(path, "dead")
    done = Done(1000.5, 0.25, DONE.result, DONE.progress)
    assert words == LastWords({(first.seq, 1): done}, {(third.seq, 1)})


def test_it_forgets_what_the_table_knows(ledger, path, claimed):
    first, second = claimed("dead"), claimed("dead")
    begin(ledger, [second])
    ledger.turn(first, DONE, 0.0, 1.0, second)
    ledger.prepare(())
    ledger.turn_page()
    assert set(last_words(path, "dead").done) == {(first.seq, 1)}  # harmless: the table knows it
    ledger.prepare(())
    assert last_words(path, "dead") == LastWords()
    ledger.close()
    assert list(workers_folder(path).iterdir()) == []


def test_until_the_page_is_turned_both_count(ledger, path, claimed):
    first, second, third = (claimed("dead") for _ in range(3))
    begin(ledger, [second])
    ledger.turn(first, DONE, 0.0, 1.0, second)
    ledger.prepare([third])
    words = last_words(path, "dead")
    assert (set(words.done), words.ahead) == ({(first.seq, 1)}, {(third.seq, 1)})


def test_one_that_starts_after_another_was_settled_is_not_ahead_any_more(ledger, path, claimed):
    first, second = claimed("dead"), claimed("dead")
    begin(ledger, [first, second])
    ledger.start(first)
    assert last_words(path, "dead").ahead == {(second.seq, 1)}


@pytest.mark.parametrize(
    "line", ["", "done", "done\t7", "done\tx\ty", "done\t1\t1\t2.0", "\x00\xff"]
)
def test_a_line_that_was_not_finished_says_nothing(ledger, path, claimed, line):
    first, second = claimed("dead"), claimed("dead")
    begin(ledger, [second])
    ledger.turn(first, DONE, 0.0, 1.0, second)
    before = last_words(path, "dead")
    [page] = workers_folder(path).iterdir()
    with page.open("ab") as file:
        file.write(line.encode("latin-1"))
    assert last_words(path, "dead") == before


def test_each_thread_has_its_own(ledger, path, claimed):
    other = Ledger(path, "dead", 1)
    jobs = [claimed("dead") for _ in range(4)]
    begin(ledger, [jobs[1]])
    begin(other, [jobs[3]])
    other.turn(jobs[2], DONE, 0.0, 1.0, jobs[3])
    words = last_words(path, "dead")
    assert (set(words.done), words.ahead) == ({(jobs[2].seq, 1)}, {(jobs[1].seq, 1)})
    assert last_words(path, "dea") == LastWords()
    remove_ledgers(path, "dead")
    assert list(workers_folder(path).iterdir()) == []


def test_what_cannot_be_written_is_told(path, claimed):
    ledger = Ledger(path, "dead", 0)  # in a folder that is not there
    first, second = claimed("dead"), claimed("dead")
    begin(ledger, [second])
    assert not ledger.turn(first, DONE, 0.0, 1.0, second)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told(ledger, path, claimed):
    first, second = claimed("dead"), claimed("dead")
    for page in "ab":
        workers_folder(path).joinpath(f"dead.0{page}.ledger").symlink_to("/dev/full")
    begin(ledger, [second])
    assert not ledger.turn(first, DONE, 0.0, 1.0, second)


def test_what_a_dead_worker_has_done_is_not_done_again(ledger, table, claimed):
    ended, running, ahead = (claimed("dead") for _ in range(3))
    begin(ledger, [running, ahead])
    ledger.turn(ended, DONE, 0.25, 1000.5, running)
    assert [job.id for job in table.recover(["dead"])] == [running.id]
    info = table.find(ended.id)
    assert (info.state, info.finished_at.timestamp(), info.deaths) == (State.COMPLETED, 1000.5, 0)
    assert table.result(ended.id).result == DONE.result
    assert (info.completed, info.longest_gap) == (["a"], 0.25)
    assert (table.find(running.id).reason, table.find(running.id).deaths) == ("died", 1)
    info = table.find(ahead.id)
    assert (info.state, info.executions, info.deaths) == (State.WAITING, 0, 0)
    assert table.history(ahead.id) == []


def test_what_it_says_of_another_claim_means_nothing(ledger, table, claimed):
    """As after a power cut that took the table back to before the claim."""
    job, other = claimed("dead"), claimed("dead")
    begin(ledger, [other])
    ledger.turn(job, DONE, 0.0, 1.0, other)
    table.release([job])
    again = table.claim_job("next", job.id)
    table.recover(["dead"])
    assert table.find(job.id).state is State.RUNNING
    table.release([again])
    table.claim_job("dead", job.id)
    assert [one.id for one in table.recover(["dead"])] == [job.id]
    assert table.find(job.id).state is State.INTERRUPTED
