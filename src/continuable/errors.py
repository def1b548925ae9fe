"""Every error of the library.

::

    Exception
    └── ContinuationError            a mistake in the code of a job: never resumed
        ├── InvalidStepError         steps out of order, unnamed, nested, lost
        ├── CheckpointError          a checkpoint or commit where none can be kept
        ├── UnadvanceableCursorError a cursor that has no successor       (also a TypeError)
        ├── SourceError              a source that cannot be iterated so that it resumes
        │   └── SourceChangedError   the data under a cursor is not what it was
        ├── ResumeLimitError         resumed more often than `max_resumptions`
        ├── SerializationError       a value that cannot be kept          (also a TypeError)
        └── DeserializationError     a payload that cannot be read        (also a ValueError)
    └── QueueError                   what a queue or store cannot do for its caller
        ├── JobNotFoundError         no such job                          (also a LookupError)
        ├── DuplicateJobError        that job id is taken
        ├── JobStateError            not from the state the job is in
        ├── JobFailedError           asked for the result of a job that failed
        ├── JobCancelledError        asked for the result of a cancelled job
        └── StoreError               the database cannot be opened, read or written
            └── StoreBusyError       another connection held a lock for too long

An interruption is not an error: see `continuable.core.interrupt`.
"""


class ContinuationError(Exception):
    """A mistake in the code of a job, which running it again would only repeat."""


class InvalidStepError(ContinuationError):
    """Steps that are out of order, nested, unnamed, not awaited, or no longer reached."""


class CheckpointError(ContinuationError):
    """A checkpoint or a commit in a place where progress could not be kept truthfully."""


class UnadvanceableCursorError(ContinuationError, TypeError):
    """`Step.advance` on a cursor that has no natural successor."""


class SourceError(ContinuationError, TypeError):
    """`Step.iterate` over something that cannot start again in its middle."""


class SourceChangedError(SourceError):
    """The data under a cursor is no longer what it was when the cursor was taken."""


class ResumeLimitError(ContinuationError):
    """A job that was interrupted more often than its `max_resumptions` allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            limit
        )  # here and below: from its `args` it is made again in another process
        self.limit = limit

    def __str__(self) -> str:
        return f"Job was resumed a maximum of {self.limit} times"


class SerializationError(ContinuationError, TypeError):
    """A cursor, argument, state or result that cannot be written down."""


class DeserializationError(ContinuationError, ValueError):
    """A payload that cannot be read back: damaged, or of a type nobody here knows."""


class QueueError(Exception):
    """What a queue, or the store behind it, cannot do for its caller."""


class JobNotFoundError(QueueError, LookupError):
    """There is no job of that id, or it was pruned."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"No job {self.job_id!r}: it was never enqueued here, or has been pruned"


class DuplicateJobError(QueueError):
    """A job was enqueued under an id that another one has."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(job_id, state)
        self.job_id = job_id
        self.state = state

    def __str__(self) -> str:
        return (
            f"Job {self.job_id!r} already exists ({self.state}): "
            f"choose another id, or restart it if it should run again"
        )


class JobStateError(QueueError):
    """A job was asked for something that its state does not allow."""

    def __init__(self, job_id: str, state: str, verb: str, allowed: str) -> None:
        super().__init__(job_id, state, verb, allowed)
        self.job_id = job_id
        self.state = state
        self.verb = verb
        self.allowed = allowed

    def __str__(self) -> str:
        return (
            f"Cannot {self.verb} job {self.job_id!r}: it is {self.state} "
            f"({self.verb} works on {self.allowed})"
        )


class JobFailedError(QueueError):
    """The job whose result was asked for has failed; `traceback` is the job's own."""

    def __init__(self, job_id: str, summary: str, traceback: str = "") -> None:
        super().__init__(job_id, summary, traceback)
        self.job_id = job_id
        self.summary = summary
        self.traceback = traceback

    def __str__(self) -> str:
        return f"Job {self.job_id!r} failed: {self.summary}"


class JobCancelledError(QueueError):
    """The job whose result was asked for has been cancelled."""

    def __init__(self, job_id: str, reason: str = "") -> None:
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def __str__(self) -> str:
        return f"Job {self.job_id!r} was cancelled" + (f": {self.reason}" if self.reason else "")


class StoreError(QueueError):
    """The database cannot be opened, read or written; the message says what to do."""


class StoreBusyError(StoreError):
    """Another connection held a lock for longer than we waited; trying again is safe."""
