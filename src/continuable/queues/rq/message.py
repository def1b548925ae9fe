"""What rides with a job of RQ's: a field of its hash, beside those that RQ reads and writes.

RQ's own arguments, and the user's `meta`, stay what they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from continuable.model.payload import JobRecord

FIELD = "continuable"

SPARE_RETRIES = 1000
"""Retries that RQ may use up for a job whose process was killed, beside the user's own.

RQ takes a job for failed whose work horse has died, unless there is a retry left. How many deaths
are too many is the store's to say.
"""


@dataclass(slots=True)
class Message:
    """A job as it waits on a queue of RQ's."""

    record: JobRecord
    due: float = 0.0
    """Seconds since the epoch before which it must not run."""
    retries: int | None = None
    """What is left of the retries that the user has asked RQ for."""
    has_failed: bool = False
    """RQ was told that it has failed: if it is delivered again, somebody wants another try."""

    @property
    def retries_left(self) -> int:
        """What RQ is told of the retries."""
        return SPARE_RETRIES + (self.retries or 0)

    def to_json(self) -> str:
        """As text."""
        return json.dumps(
            {
                "record": self.record.to_plain(),
                "due": self.due,
                "retries": self.retries,
                "has_failed": self.has_failed,
            }
        )

    @classmethod
    def from_json(cls, text: bytes | str) -> Message:
        """Read it back."""
        plain = json.loads(text)
        return cls(**{**plain, "record": JobRecord.from_plain(plain["record"])})
