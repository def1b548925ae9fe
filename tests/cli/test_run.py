import json

import pytest

from continuable.model.states import State
from continuable.queues.embedded.liveness import WorkerLock
from tests.cli.conftest import sentence
from tests.queues.embedded.dead import dead_worker

COUNT = """
    @app.job(save_every=0.0)
    def count(job, to=3):
        job.step(lambda: None, name="prepare")

        @job.step(start=0)
        def walk(step):
            step.total = to
            for _ in step.iterate(range(to)):
                pass

        return {"to": to}
    """

FAIL_ONCE = """
    from pathlib import Path

    @app.job(resume_options={"wait": 0.0})
    def fail_once(job):
        @job.step(start=0)
        def walk(step):
            if step.cursor == 0:
                step.set(7)
                job.checkpoint()
            if not Path("mended").exists():
                raise ValueError("not yet")

        return "through"
    """


def test_a_job_is_run_to_its_end_and_its_result_is_printed(call, jobs, table):
    result = call("run", jobs(COUNT), "count", "to=2")
    assert result.exit_code == 0
    assert result.stderr == ""
    (job,) = table.list()
    assert job.state is State.COMPLETED
    told = result.stdout.splitlines()
    assert told[-1] == f'count[{job.id}] returned {{"to":2}}'
    assert f"count[{job.id}] step prepare completed" in told
    assert f"count[{job.id}] completed" in told


def test_a_result_of_nothing_is_not_printed(call, jobs):
    assert "returned" not in call("run", jobs("@app.job\ndef nothing(job): ..."), "nothing").output


def test_the_same_call_is_the_same_job_and_another_is_another(call, add, table):
    call("run", add, "add", "1")
    again = call("run", add, "add", "1")
    call("run", add, "add", "2")
    first, second = sorted(job.id for job in table.list())
    assert first != second
    assert first.startswith("add-")
    assert again.exit_code == 0
    assert "was completed before: it begins anew" in again.stderr


def test_the_id_may_be_chosen(call, add, table):
    assert call("run", add, "add", "1", "--id", "mine").exit_code == 0
    assert table.find("mine").state is State.COMPLETED


@pytest.mark.parametrize("verb", ["run", "enqueue"])
@pytest.mark.parametrize("job_id", ["", "a:b", "a\nb"])
def test_an_id_that_no_engine_takes_is_wrong_usage(call, add, verb, job_id):
    assert sentence(call(verb, add, "add", "1", "--id", job_id), 2).startswith("id ")


def test_the_id_follows_from_a_name_of_other_characters_too(call, jobs):
    app = jobs("@app.job(name='zähle bis ' + 'x' * 200)\ndef count(job): return 42")
    assert call("run", app, "zähle bis " + "x" * 200).exit_code == 0


def test_an_id_that_belongs_to_another_job_or_other_arguments_is_refused(call, jobs):
    app = jobs("@app.job\ndef one(job, n): ...\n@app.job\ndef two(job, n): ...")
    call("run", app, "one", "1", "--id", "mine")
    told = sentence(call("run", app, "two", "1", "--id", "mine"), 2)
    assert told.startswith("The id 'mine' is that of a jobs_of_test")
    told = sentence(call("run", app, "one", "2", "--id", "mine"), 2)
    assert "was enqueued with other arguments, [[1],{}]: repeat those, or choose another" in told


def test_json_is_the_job_with_its_result(call, jobs):
    result = call("run", jobs(COUNT), "count", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["state"] == "completed"
    assert document["result"] == {"to": 3}
    assert document["completed"] == ["prepare", "walk"]


def test_a_job_that_fails_shows_its_traceback_and_goes_on_from_there(call, jobs, folder):
    app = jobs(FAIL_ONCE)
    result = call("run", app, "fail_once")
    assert result.exit_code == 1
    assert 'raise ValueError("not yet")' in result.stderr
    job_id = result.stderr.split("continuable retry ")[1].split("`")[0]
    assert result.stderr.splitlines()[-1] == (
        f"Error: fail_once[{job_id}] failed at 'walk', cursor 7 (ValueError: not yet): mend it, "
        f"and `continuable retry {job_id}` goes on there"
    )
    (folder / "mended").touch()
    again = call("run", app, "fail_once")
    assert again.exit_code == 0
    assert "has failed before: it goes on at 'walk', cursor 7" in again.stderr
    assert 'returned "through"' in again.stdout


def test_json_of_a_job_that_fails_has_its_traceback(call, jobs):
    result = call("run", jobs("@app.job\ndef fail(job): 1 / 0"), "fail", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["error"] == "ZeroDivisionError: division by zero"
    assert "1 / 0" in document["traceback"]


def test_a_job_that_cancels_itself_is_no_error_and_no_success(call, jobs):
    app = jobs("@app.job\ndef give_up(job): job.cancel('no rows')")
    result = call("run", app, "give_up", "--id", "x")
    assert result.exit_code == 1
    assert "Error" not in result.stderr
    assert result.stderr.splitlines()[-1] == (
        "give_up[x] was cancelled (no rows) at its beginning: `continuable retry x` goes on"
    )


def test_a_job_that_is_retried_is_waited_for(call, jobs, folder):
    app = jobs(
        """
        from pathlib import Path

        @app.job(max_retries=1, retry_wait=0.0)
        def second_time_lucky(job):
            Path("there").touch(exist_ok=job.executions > 1)
        """
    )
    (folder / "there").touch()
    assert call("run", app, "second_time_lucky").exit_code == 0


def test_an_isolated_step_has_an_execution_of_its_own(call, jobs, table):
    app = jobs(
        """
        @app.job
        def isolated(job):
            job.step(lambda: None, name="a")
            job.step(lambda: None, name="b", isolated=True)
            job.step(lambda: None, name="c")
        """
    )
    assert call("run", app, "isolated").exit_code == 0
    assert table.list()[0].executions == 3


def test_async_jobs_run(call, jobs):
    result = call("run", jobs("@app.job\nasync def answer(job): return 42"), "answer")
    assert "returned 42" in result.stdout


def test_a_paused_job_is_carried_on(call, add, table):
    job_id = call("enqueue", add, "add", "1", "--id", "x").stdout.strip()
    call("pause", add, job_id)
    assert call("run", add, "add", "1", "--id", "x").exit_code == 0
    assert table.find("x").state is State.COMPLETED


def test_a_job_that_somebody_else_runs_is_left_alone(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    lock = WorkerLock(table.database.path, "alive")
    lock.acquire()
    table.claim_job("alive", "x")
    told = sentence(call("run", add, "add", "1", "--id", "x"), 1)
    lock.release()
    assert told == "Job 'x' is running on worker alive: `continuable watch x` shows it"
    assert table.find("x").state is State.RUNNING


def test_a_job_whose_worker_has_died_is_taken_over(call, add, table):
    call("enqueue", add, "add", "1", "--id", "x")
    table.claim_job(dead_worker(), "x")
    assert call("run", add, "add", "1", "--id", "x").exit_code == 0


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["ad"], 3, "has no job 'ad': did you mean 'add'?"),
        (["add"], 2, "missing a required argument: 'a'"),
        ([], 2, "Say which job: its name comes after the app"),
    ],
)
def test_wrong_words_are_told_and_nothing_is_enqueued(call, add, folder, words, exit_code, told):
    assert told in sentence(call("run", add, *words), exit_code)
    assert not (folder / "jobs.db").exists()


def test_only_the_embedded_queues_jobs_run_in_a_terminal(call, elsewhere):
    told = sentence(call("run", elsewhere, "add", "1"), 2)
    assert told.startswith("The app is on TestQueue, and `run` is for the embedded queue")
