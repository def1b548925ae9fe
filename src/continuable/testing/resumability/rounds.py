"""A job, run round after round: undisturbed, and struck once on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from continuable.model.payload import JobRecord
from continuable.testing.resumability.diagnosis import Failure
from continuable.testing.resumability.driver import Driver
from continuable.testing.resumability.points import Point, Strike, with_neighbours
from continuable.testing.resumability.report import NotRepeatableError
from continuable.testing.resumability.trial import Trial
from continuable.testing.resumability.world import Result, World

if TYPE_CHECKING:
    from continuable.core.definition import Definition

JOB_ID = "check_resumable"

EACH_TIME = (
    "Let observe= leave out what is never the same twice: times, random ids, objects that are "
    "equal to nothing but themselves."
)
ON_ITS_WAY = "Nothing but its arguments and the world may decide where a job has its checkpoints."


class Rounds:
    """Each round is a run of the job to its end, in a fresh world."""

    def __init__(
        self,
        job: Definition,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        driver: Driver,
        world: World,
    ) -> None:
        self._job = job
        self._driver = driver
        self._world = world
        self._record = JobRecord(
            id=JOB_ID,
            name=job.name,
            arguments=job.plain_arguments(args, kwargs),
            queue=job.options.queue,
            priority=job.options.priority,
            executions=1,
        )

    def run_undisturbed(self) -> tuple[Result, list[Point]]:
        """What the job comes to, and the points that it passes; raises what the job raises."""
        __tracebackhide__ = True
        beginning = self._world.beginning()
        trial = self._trial()
        expected = self._world.result(trial).kept()
        self._world.refuse_other_beginning(beginning)
        return expected, with_neighbours(trial.course.points)

    def strike(self, strikes: Sequence[Strike], expected: Result) -> list[Failure]:
        """Make each of `strikes` in a round of its own: those that led to another result."""
        __tracebackhide__ = True
        failures = []
        for strike in strikes:  # no comprehension: pytest would show its frame
            if failure := self._strike(strike, expected):
                failures.append(failure)  # noqa: PERF401
        return failures

    def refuse_other_result(self, expected: Result) -> None:
        """Run undisturbed again: `NotRepeatableError` if that comes to another result."""
        __tracebackhide__ = True
        self._world.renew()
        found = list(expected.differences(self._world.result(self._trial())))
        if found:
            what = f"{self._job.name} comes to another result each time, even undisturbed:"
            raise NotRepeatableError(what, found, EACH_TIME)

    def _strike(self, strike: Strike, expected: Result) -> Failure | None:
        __tracebackhide__ = True
        self._world.renew()
        trial = self._trial(strike)
        try:
            actual = self._world.result(trial)
        except Exception as error:  # noqa: BLE001 - it is what the report tells
            return Failure(strike, error=error, has_swallowed=trial.course.has_swallowed)
        if not trial.course.has_struck:
            what = f"{self._job.name} did not come to the same point a second time: {strike}"
            raise NotRepeatableError(what, [], ON_ITS_WAY)
        if actual == expected:
            return None
        found = tuple(expected.differences(actual))
        return Failure(strike, found, has_swallowed=trial.course.has_swallowed) if found else None

    def _trial(self, strike: Strike | None = None) -> Trial:
        return Trial(self._job, self._record, self._driver, strike)
