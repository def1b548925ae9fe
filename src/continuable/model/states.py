"""The states of a job, as people see them everywhere, and who may change which into which."""

from __future__ import annotations

from enum import StrEnum

from continuable.errors import JobStateError


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    COMPLETED = "completed"

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to the job by itself."""
        return self in FINISHED

    @property
    def is_running(self) -> bool:
        """Whether an execution is under way."""
        return self in RUNNING


RUNNING = frozenset({State.RUNNING, State.PAUSING, State.CANCELLING})
ON_QUEUE = frozenset({State.WAITING, State.INTERRUPTED})
FINISHED = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})

# What people may ask of a job, and the state each request leads to. What executions do by
# themselves (start, be interrupted, complete, fail) is in `progress/lifecycle.py`.
REQUESTS: dict[str, dict[State, State]] = {
    "pause": {
        State.WAITING: State.PAUSED,  # not started: held at once
        State.INTERRUPTED: State.PAUSED,  # between two executions: held at once
        State.RUNNING: State.PAUSING,  # held at its next checkpoint
        State.PAUSING: State.PAUSING,  # asked twice
        State.PAUSED: State.PAUSED,  # asked twice
    },
    "resume": {
        State.PAUSED: State.INTERRUPTED,  # carries on at its cursor
        State.PAUSING: State.RUNNING,  # changed their mind before the checkpoint came
        State.INTERRUPTED: State.INTERRUPTED,  # does not wait any longer
    },
    "cancel": {
        State.WAITING: State.CANCELLED,  # never ran
        State.INTERRUPTED: State.CANCELLED,  # between two executions: at once
        State.PAUSED: State.CANCELLED,  # held: at once
        State.RUNNING: State.CANCELLING,  # at its next checkpoint
        State.PAUSING: State.CANCELLING,  # stopping for good wins over holding
        State.CANCELLING: State.CANCELLING,  # asked twice
        State.CANCELLED: State.CANCELLED,  # asked twice
    },
    "retry": {
        State.FAILED: State.INTERRUPTED,  # from its last checkpoint
        State.CANCELLED: State.INTERRUPTED,  # called back, from its last checkpoint
    },
    "restart": dict.fromkeys(
        State,
        State.WAITING,  # from any state, from the beginning; a running execution is fenced out
    ),
}


def requested(verb: str, job_id: str, state: State) -> State:
    """The state that `verb` leads to; `JobStateError` where it is not possible."""
    try:
        return REQUESTS[verb][state]
    except KeyError:
        allowed = ", ".join(REQUESTS[verb])
        raise JobStateError(job_id, state, verb, allowed) from None
