"""The id of a job that is run in a terminal: the same call is the same job."""

from __future__ import annotations

import hashlib
from typing import Any

from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.cli.showing.phrases import short_name
from continuable.declaration.definition import JobDefinition
from continuable.model.info import JobInfo

LENGTH = 10


def derived_id(job: JobDefinition[..., Any], plain_arguments: str) -> str:
    """`process_import-3f9a1c2b55`: the same for the same job and arguments."""
    digest = hashlib.sha256(f"{job.name}\n{plain_arguments}".encode()).hexdigest()
    return f"{short_name(job.name)}-{digest[:LENGTH]}"


def refuse_other_job(found: JobInfo, job: JobDefinition[..., Any], plain_arguments: str) -> None:
    """`Failure` where the id belongs to another job, or to other arguments."""
    if found.name != job.name:
        raise Failure(
            f"The id {found.id!r} is that of a {found.name} job: choose another --id", WRONG_USAGE
        )
    if found.arguments != plain_arguments:
        raise Failure(
            f"Job {found.id!r} was enqueued with other arguments, {found.arguments}: "
            f"repeat those, or choose another --id",
            WRONG_USAGE,
        )
