"""Jobs that survive a deploy: interrupted at a checkpoint, resumed where they stopped."""

from continuable.app import App
from continuable.core.interrupt import Interrupt, Superseded
from continuable.core.job import Job
from continuable.core.step import Step
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
from continuable.serialization import Serializer

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
