"""How the tests of a store say what they mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from continuable.conformance.keepers import JOB
from continuable.core.outcome import Cancelled, Completed, ErrorReport, Failed, Suspended
from continuable.model.payload import JobRecord
from continuable.progress import Claim, ProgressStore, Requested, Settled, Stale

DEADLINE = 120.0

_workers = count(1)


def a_record(job_id: str = JOB, name: str = "app.import", **fields: Any) -> JobRecord:
    """A message."""
    return JobRecord(
        id=job_id,
        name=name,
        **{"queue": "imports", "priority": 3, "arguments": "[[1],{}]", **fields},
    )


def completed(progress: str | None = None) -> Completed:
    """An outcome."""
    return Completed(result="42", progress=progress)


def suspended(progress: str, **fields: Any) -> Suspended:
    """An outcome."""
    return Suspended(
        progress=progress,
        **{
            "reason": "stopping",
            "description": "at 'rows', cursor 5",
            "wait": 0.0,
            "queue": None,
            "priority": None,
            "is_counted": True,
            **fields,
        },
    )


def failed(progress: str, *, made_progress: bool = True) -> Failed:
    """An outcome."""
    return Failed(
        error=ValueError("no"),
        report=ErrorReport("ValueError: no", "Traceback ..."),
        progress=progress,
        made_progress=made_progress,
        may_retry=True,
    )


def cancelled(progress: str, reason: str = "") -> Cancelled:
    """An outcome."""
    return Cancelled(reason=reason, progress=progress)


def message(answer: Settled | Requested) -> JobRecord:
    """The message that is to be sent."""
    assert answer.record is not None, answer
    return answer.record


def granted(answer: object) -> Claim:
    """The claim that was granted."""
    assert isinstance(answer, Claim), answer
    return answer


def assert_held_while(
    renew: Callable[[Claim, str], object], store: ProgressStore, record: JobRecord
) -> None:
    """See that nobody else has the job for three leases, as long as its claim is renewed in time.

    A machine may stall for longer than a lease: then the other worker has it, and it starts over.
    """
    claim, worker, other = granted(store.claim(record, "one")), "one", "two"
    began = time.monotonic()
    until = began + DEADLINE
    while (since := time.monotonic()) < began + 3 * store.lease:
        renew(claim, worker)
        answer = store.claim(record, other)
        if isinstance(answer, Claim):
            now = time.monotonic()
            assert now - since > 0.9 * store.lease
            assert now < until
            claim, worker, other, began = answer, other, worker, now


def granted_or_none(answer: object) -> Claim | None:
    """The claim, where it was granted."""
    return answer if isinstance(answer, Claim) else None


def over_or_none(answer: object) -> Stale | None:
    """The end, where it has come."""
    return answer if isinstance(answer, Stale) else None


def claim_when_free(store: ProgressStore, record: JobRecord, **options: Any) -> Claim:
    """Claim a job whose worker has died, for a worker that is new each time."""
    worker = f"next-{next(_workers)}"
    claim: Claim = eventually(lambda: granted_or_none(store.claim(record, worker, **options)))
    return claim


def events(store: ProgressStore, record: JobRecord) -> list[str]:
    """What the history of a job tells."""
    return [entry.event for entry in store.history(record.id)]


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + DEADLINE
    while not (found := look()):
        assert time.monotonic() < end, f"nothing was found within {DEADLINE} s"
        time.sleep(0.01)
    return found
