"""How a job is declared: its options, their defaults, and what is wrong with bad ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

from continuable.core.limits import check_name, check_priority, check_wait

LONGEST_RETRY_WAIT = 3600.0
LARGEST_NUMBER = 2**63 - 1
"""Of what is counted, or added to a time."""

RetryWait = float | Callable[[int], float]


class ResumeOptions(TypedDict, total=False):
    """How an interrupted job comes back."""

    wait: float
    """Seconds until it may resume."""
    queue: str
    priority: int


def exponential_backoff(failures: int) -> float:
    """Seconds to wait after the `failures`-th failure in a row: doubling from 2 s, with jitter."""
    import random  # here, since it takes longer to import than the rest of the package needs

    wait = min(2.0 ** min(failures, 32), LONGEST_RETRY_WAIT)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, keeps no secret


@dataclass(slots=True, kw_only=True, eq=False)
class JobOptions:
    """The options of a job. Raises `TypeError` or `ValueError` for what cannot be meant."""

    queue: str | None = None
    """`None`: the engine's own default."""
    priority: int = 0
    """Higher runs first."""
    max_resumptions: int | None = None
    """Interruptions and errors after which it is resumed; `None`: without limit."""
    resume_options: ResumeOptions
    resume_errors_after_advancing: bool = True
    """Whether an exception after progress resumes the job."""
    max_runtime: float | None = None
    """Seconds after which an execution is interrupted at its next checkpoint."""
    save_every: float = 1.0
    """Seconds between durable saves."""
    max_retries: int = 0
    """Failures in a row without progress after which it is run again."""
    retry_wait: RetryWait = exponential_backoff
    """Seconds to wait for that, or a function of the failures in a row."""
    max_deaths: int = 3
    """Executions in a row that killed their worker, without progress, after which it has failed."""
    removed_steps: Collection[str] = ()
    """Steps of earlier releases that jobs in flight may have completed or be in."""

    def __post_init__(self) -> None:
        for name in ("max_resumptions", "max_runtime", "save_every", "max_retries", "max_deaths"):
            _not_negative(name, getattr(self, name))
        if not self.max_deaths:
            raise ValueError(f"max_deaths is 1 or more, not {self.max_deaths!r}")
        if not callable(self.retry_wait):
            check_wait("retry_wait", self.retry_wait)
        check_priority("priority", self.priority)
        if self.queue is not None:
            check_name("queue", self.queue)
        for key, value in self.resume_options.items():
            if value is not None:
                RESUME_CHECKS[key](f"resume_options[{key!r}]", value)
        if isinstance(self.removed_steps, str):
            raise TypeError(f"removed_steps is a list of names: [{self.removed_steps!r}]")
        self.removed_steps = frozenset(self.removed_steps)

    def retry_after(self, failures: int) -> float | None:
        """Seconds until the job is run again after its `failures`-th failure; `None`: never."""
        if failures > self.max_retries:
            return None
        wait = self.retry_wait(failures) if callable(self.retry_wait) else self.retry_wait
        check_wait("retry_wait", wait)
        return wait


RESUME_CHECKS = {"wait": check_wait, "queue": check_name, "priority": check_priority}
OPTIONS = frozenset(field.name for field in fields(JobOptions))
MAY_BE_NONE = frozenset({"queue", "max_resumptions", "max_runtime"})


def job_options(defaults: JobOptions, own: Mapping[str, Any]) -> JobOptions:
    """`defaults` with a job's `own` options over them; its `resume_options` are merged."""
    unknown = own.keys() - OPTIONS
    if unknown:
        message = f"No such option of a job: {_list(unknown)}. There are {_list(OPTIONS)}"
        raise TypeError(message)
    given = {key: value for key, value in own.items() if value is not None or key in MAY_BE_NONE}
    if "resume_options" in given:
        resume_options = given["resume_options"]
        unknown = resume_options.keys() - ResumeOptions.__annotations__.keys()
        if unknown:
            message = (
                f"No such key of resume_options: {_list(unknown)}. "
                f"There are wait (seconds), queue, priority"
            )
            raise TypeError(message)
        given["resume_options"] = {**defaults.resume_options, **resume_options}
    return replace(defaults, **given)


def _not_negative(name: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} is a number, not {value!r}")
    if not value >= 0:  # so is nan
        raise ValueError(f"{name} is 0 or more, not {value!r}")
    if isinstance(value, int) and value > LARGEST_NUMBER:
        raise ValueError(f"{name} is at most {LARGEST_NUMBER}")


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


DEFAULTS = JobOptions(resume_options={"wait": 5.0})
