"""`check_resumable`: proof that a job comes to the same result wherever it is interrupted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from continuable.testing.resumability.diagnosis import Diagnosis
from continuable.testing.resumability.driver import Driver
from continuable.testing.resumability.plan import Plan
from continuable.testing.resumability.points import FAULTS
from continuable.testing.resumability.report import NotResumableError, Resumability
from continuable.testing.resumability.rounds import Rounds
from continuable.testing.resumability.world import World

if TYPE_CHECKING:
    from continuable.declaration.definition import JobDefinition

FEW = 20


def check_resumable(
    job: JobDefinition[..., Any],
    *args: Any,
    observe: Callable[[], Any] | None = None,
    reset: Callable[[], object] | None = None,
    forget: Callable[[], object] | None = None,
    faults: Sequence[str] = ("interrupt", "kill"),
    budget: int | None = None,
    strikes: Sequence[int] | None = None,
    **kwargs: Any,
) -> Resumability:
    """Prove that `job` comes to the same result wherever it is interrupted, or its process dies.

    Runs it once undisturbed, and then once for each checkpoint and fault: struck there, and
    resumed to its end. No queue takes part, and no delay is waited for.

    Args:
        job: The job, plain or `async def`.
        *args: Its arguments.
        observe: Takes a snapshot of all that the job changes, to be compared with `==`. Left
            out, what the job returns is compared.
        reset: Makes the world what it was before the job; called before each run.
        forget: Drops what a process takes with it when it ends, such as a cache in a module or
            the open transaction of a shared connection; called before each execution.
        faults: `interrupt`, `kill` (from all that may have been durable: everything, all but
            the last cursor, or no more than had to be), `error` (an exception, and a retry), and
            `duplicate` (delivered twice: the other execution begins with the same payload).
        budget: How many points to strike. Of more they are sampled evenly; the first, the last
            and the borders of steps are always among them.
        strikes: Numbers of the strikes to make, instead of all; more than there are begin anew.
            See `continuable.testing.strikes`, for property tests.
        **kwargs: Its keyword arguments.

    Returns:
        What was struck.

    Raises:
        NotResumableError: An `AssertionError` that names every strike that led to another
            result, with the difference and its usual cause.
        NotRepeatableError: An `AssertionError`: the job comes to another result even without a
            strike, or `reset` does not make the world what it was.
    """
    __tracebackhide__ = True
    _refuse_unknown(faults)
    _refuse_running_loop(job)
    with Driver() as driver:
        rounds = Rounds(job, args, kwargs, driver, World(driver, observe, reset, forget))
        expected, points = rounds.run_undisturbed()
        plan = Plan(points, faults, budget, strikes)
        found = Resumability(job.name, plan.points, plan.struck, len(plan.strikes), plan.how)
        with _quiet():
            failures = rounds.strike(plan.strikes, expected)
            if not failures:
                return found
            rounds.refuse_other_result(expected)
            # A cause is told by what other strikes lead to: some of each kind, if few were made.
            others = Plan(points, faults, FEW).strikes if strikes is not None else ()
            context = [*failures, *rounds.strike(others, expected)]
    raise NotResumableError(found, failures, Diagnosis(context, is_of_value=observe is None))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep thousands of executions out of the log that pytest shows with a failure."""
    logger = logging.getLogger("continuable")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = was_disabled


def _refuse_unknown(faults: Sequence[str]) -> None:
    __tracebackhide__ = True
    if isinstance(faults, str) or not faults or {*faults} - {*FAULTS}:
        raise ValueError(f"faults is a list of {', '.join(FAULTS)}, not {faults!r}")


def _refuse_running_loop(job: JobDefinition[..., Any]) -> None:
    __tracebackhide__ = True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    if job.is_async:
        raise RuntimeError(
            "check_resumable runs an async job in event loops of its own, and one is running "
            "here: call it from a plain test, or with `await asyncio.to_thread(...)`"
        )
