import pytest

from continuable.cli.showing.endings import exit_code, farewell
from continuable.model.info import JobResult
from continuable.model.states import State
from tests.cli.showing.jobs import job

AT_7 = {"step": "read", "cursor": 7}


def told(capsys, ending, **changes):
    farewell(job(state=ending.state, **changes), ending)
    return capsys.readouterr()


def test_only_a_completed_job_is_a_success():
    assert [state for state in State if exit_code(state) == 0] == [State.COMPLETED]
    assert {exit_code(state) for state in State} == {0, 1}


def test_a_result_goes_to_standard_output(capsys):
    out, err = told(capsys, JobResult(State.COMPLETED, result='{"rows":3}'))
    assert (out, err) == ('process_import[42] returned {"rows":3}\n', "")


@pytest.mark.parametrize("result", [None, "null"])
def test_no_result_needs_no_word(capsys, result):
    assert told(capsys, JobResult(State.COMPLETED, result=result)) == ("", "")


def test_a_failure_is_told_behind_its_traceback(capsys):
    ending = JobResult(State.FAILED, error="ValueError: no", traceback="Traceback: ...\n")
    out, err = told(capsys, ending, **AT_7)
    assert out == ""
    assert err == (
        "Traceback: ...\n"
        "Error: process_import[42] failed at 'read', cursor 7 (ValueError: no): mend it, and "
        "`continuable retry 42` goes on there\n"
    )


@pytest.mark.parametrize(
    ("ending", "sentence"),
    [
        (
            JobResult(State.CANCELLED, reason="no rows"),
            "was cancelled (no rows) at 'read', cursor 7: `continuable retry 42` goes on",
        ),
        (
            JobResult(State.CANCELLED, reason="cancelled"),
            "was cancelled at 'read', cursor 7: `continuable retry 42` goes on",
        ),
        (
            JobResult(State.PAUSED, reason="paused"),
            "was paused at 'read', cursor 7: `continuable resume 42` lets it go on",
        ),
        (
            JobResult(State.INTERRUPTED, reason="unknown job"),
            "is interrupted (unknown job) at 'read', cursor 7: `continuable show 42` tells more",
        ),
    ],
)
def test_an_interruption_is_no_error(capsys, ending, sentence):
    assert told(capsys, ending, **AT_7).err == f"process_import[42] {sentence}\n"
