"""The states of a job, and what people may ask in each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuable.errors import JobStateError, QueueError
from continuable.model.states import FINISHED, REQUESTS, RUNNING, State, requested

VERBS = st.sampled_from(list(REQUESTS))
STATES = st.sampled_from(State)


def test_a_state_is_its_name():
    assert f"{State.WAITING}" == State.WAITING == "waiting"
    assert State("paused") is State.PAUSED


def test_a_state_is_finished_or_running_or_neither_but_never_both():
    assert {state for state in State if state.is_finished} == FINISHED
    assert {state for state in State if state.is_running} == RUNNING
    assert not FINISHED & RUNNING


@pytest.mark.parametrize(
    ("verb", "state", "after"),
    [
        ("pause", "waiting", "paused"),
        ("pause", "running", "pausing"),
        ("resume", "paused", "interrupted"),
        ("resume", "pausing", "running"),
        ("cancel", "waiting", "cancelled"),
        ("cancel", "running", "cancelling"),
        ("cancel", "pausing", "cancelling"),
        ("retry", "failed", "interrupted"),
        ("restart", "running", "waiting"),
        ("restart", "completed", "waiting"),
    ],
)
def test_a_request_leads_to_a_state(verb, state, after):
    assert requested(verb, "1", State(state)) == after


@given(VERBS, STATES)
def test_a_request_is_answered_with_a_state_or_says_what_it_works_on(verb, state):
    try:
        after = requested(verb, "import-42", state)
    except JobStateError as error:
        message = str(error)
        assert message.startswith(f"Cannot {verb} job 'import-42': it is {state} ({verb} works on ")
        assert all(allowed.value in message for allowed in REQUESTS[verb])
        assert (error.job_id, error.state, error.verb) == ("import-42", state, verb)  # noqa: PT017
    else:
        assert after in State


@given(st.sampled_from(["pause", "cancel", "restart"]), STATES)
def test_asking_twice_is_asking_once(verb, state):
    if state in REQUESTS[verb]:
        after = requested(verb, "1", state)
        assert requested(verb, "1", after) == after


@given(VERBS, STATES)
def test_only_what_runs_is_asked_to_stop_at_its_next_checkpoint(verb, state):
    after = REQUESTS[verb].get(state)
    if after is not None and after.is_running:
        assert state.is_running


@given(STATES)
def test_every_job_can_be_stopped_or_is_finished(state):
    assert state in REQUESTS["cancel"] or state in FINISHED


def test_the_error_is_not_one_of_the_jobs_code():
    with pytest.raises(QueueError):
        requested("pause", "1", State.COMPLETED)
