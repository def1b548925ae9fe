"""What is an error, and what is none."""

import pickle

import pytest

import continuable
from continuable import ContinuationError, Interrupt, QueueError, Superseded
from continuable.core.interrupt import interrupt_in, without_interrupts
from continuable.errors import (
    DuplicateJobError,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    JobStateError,
    ResumeLimitError,
)

ERRORS = [getattr(continuable, name) for name in continuable.__all__ if name.endswith("Error")]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_a_mistake_in_the_code_or_the_queues(error):
    assert issubclass(error, ContinuationError) != issubclass(error, QueueError)


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("UnadvanceableCursorError", TypeError),
        ("SerializationError", TypeError),
        ("DeserializationError", ValueError),
        ("JobNotFoundError", LookupError),
    ],
)
def test_some_are_what_python_itself_would_raise(name, builtin):
    assert issubclass(getattr(continuable, name), builtin)


@pytest.mark.parametrize(
    "error",
    [
        ResumeLimitError(3),
        JobNotFoundError("job-1"),
        DuplicateJobError("job-1", "waiting"),
        JobStateError("job-1", "completed", "pause", "running"),
        JobFailedError("job-1", "ValueError: no luck", "Traceback"),
        JobCancelledError("job-1", "revoked"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_in_another_process(error):
    for other in (pickle.loads(pickle.dumps(error)), type(error)(*error.args)):
        assert (type(other), str(other), vars(other)) == (type(error), str(error), vars(error))


def test_an_interruption_is_no_error():
    assert issubclass(Superseded, Interrupt)
    assert not issubclass(Interrupt, Exception)


def test_an_interrupt_tells_its_reason():
    assert (Interrupt("stopping").reason, str(Interrupt("stopping"))) == ("stopping", "stopping")
    assert str(Interrupt("cancelled", "too late")) == "cancelled: too late"
    assert Superseded().reason == "superseded"


def test_of_a_group_real_errors_are_left_and_no_interrupts():
    first, second = Interrupt("a"), Interrupt("b")
    inner = BaseExceptionGroup("inner", [second, KeyError()])
    mixed = BaseExceptionGroup("outer", [first, inner])
    only = BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [second]), first])
    left = without_interrupts(mixed)
    assert isinstance(left, ExceptionGroup)
    assert [type(error) for error in left.exceptions[0].exceptions] == [KeyError]
    assert without_interrupts(only) is None
    assert interrupt_in(only) is second
    assert without_interrupts(first) is None
    assert without_interrupts(error := KeyError()) is error
