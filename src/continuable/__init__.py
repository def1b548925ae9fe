"""Jobs that survive a deploy: interrupted at a checkpoint, resumed where they stopped."""

from continuable.app import App
from continuable.errors import (
    CheckpointError,
    ContinuationError,
    DeserializationError,
    DuplicateJobError,
    InvalidStepError,
    JobCancelledError,
    JobFailedError,
    JobNotFoundError,
    JobStateError,
    QueueError,
    ResumeLimitError,
    SerializationError,
    SourceChangedError,
    SourceError,
    StoreError,
    UnadvanceableCursorError,
)
from continuable.interrupt import Interrupt, Superseded
from continuable.job import Job
from continuable.serialization import Serializer
from continuable.step import Step

__all__ = [
    "App",
    "CheckpointError",
    "ContinuationError",
    "DeserializationError",
    "DuplicateJobError",
    "Interrupt",
    "InvalidStepError",
    "Job",
    "JobCancelledError",
    "JobFailedError",
    "JobNotFoundError",
    "JobStateError",
    "QueueError",
    "ResumeLimitError",
    "SerializationError",
    "Serializer",
    "SourceChangedError",
    "SourceError",
    "Step",
    "StoreError",
    "Superseded",
    "UnadvanceableCursorError",
]
