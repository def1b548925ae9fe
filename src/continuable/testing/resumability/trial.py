"""One run of a job to its end, undisturbed or struck once on its way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from continuable.core.attention import Attention
from continuable.core.execution import Execution
from continuable.core.outcome import Cancelled, Completed, Failed, Outcome, Suspended
from continuable.core.recorder import Unrecorded
from continuable.model.payload import JobRecord
from continuable.serialization import compact
from continuable.testing.resumability.course import Course, Killed
from continuable.testing.resumability.diagnosis import EndlessError
from continuable.testing.resumability.driver import Driver
from continuable.testing.resumability.points import ERROR, KILL, Strike
from continuable.testing.resumability.watching import CourseRecorder, Watch

if TYPE_CHECKING:
    from continuable.core.definition import Definition

MANY_EXECUTIONS = 10_000


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended: what it returned, or why it was cancelled."""

    value: Any = None
    cancelled: str | None = None


class Trial:
    """Runs a job to its end. To be used once."""

    def __init__(
        self,
        definition: Definition,
        record: JobRecord,
        driver: Driver,
        strike: Strike | None = None,
    ) -> None:
        self._definition = definition
        self._driver = driver
        self._record = record
        self.course = Course(compact(record.progress), strike)

    def run(self, between: Callable[[], object]) -> Ending:
        """The job's end; raises what the job raises. `between` is called between executions."""
        __tracebackhide__ = True
        record = self._record
        for _ in range(MANY_EXECUTIONS):
            following = self._execute(JobRecord.from_json(record.to_json()))
            if isinstance(following, Ending):
                return following
            record = following
            between()
        raise EndlessError(f"It was interrupted {MANY_EXECUTIONS} times and has not ended")

    def _execute(self, record: JobRecord) -> JobRecord | Ending:
        """One execution: the record that the next one is to run, or the end."""
        __tracebackhide__ = True
        course, was_struck = self.course, self.course.has_struck
        attention, recorder = (
            (Attention(), Unrecorded()) if was_struck else (Watch(course), CourseRecorder(course))
        )
        execution = Execution(
            self._definition,
            record,
            attention=attention,
            recorder=recorder,
            passes=(Killed,),
            resumes_errors=False,
        )
        if was_struck:
            return self._following(record, self._driver.run(execution), is_struck=False)
        course.execution = execution
        try:
            outcome = self._driver.run(execution)
            if isinstance(outcome, Completed | Cancelled):
                course.pass_end()
        except BaseException as error:
            if not course.is_dead or isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        if course.is_dead and course.strike is not None:
            return self._after_death(record, course.strike)
        return self._following(record, outcome, is_struck=course.has_struck)

    def _after_death(self, record: JobRecord, strike: Strike) -> JobRecord:
        """Whatever came of the execution, nobody has heard of it."""
        if strike.fault != KILL:  # a duplicate, delivered again after the end
            return self._duplicate(record)
        return _next(record, json.loads(self.course.durable.document(strike.durable)))

    def _duplicate(self, record: JobRecord) -> JobRecord:
        """The other execution: it begins with the same payload, unless a store knows better."""
        course = self.course
        is_stored = course.has_committed
        return _next(record, json.loads(course.durable.oldest) if is_stored else record.progress)

    def _following(
        self, record: JobRecord, outcome: Outcome, *, is_struck: bool
    ) -> JobRecord | Ending:
        __tracebackhide__ = True
        match outcome:
            case Completed():
                return Ending(value=outcome.value)
            case Cancelled():
                return Ending(cancelled=outcome.reason)
            case Suspended():
                self.course.require(outcome.progress)
                return _next(record, json.loads(outcome.progress), counts=outcome.is_counted)
            case Failed():
                strike = self.course.strike
                if is_struck and strike and strike.fault == ERROR and outcome.may_retry:
                    return _next(record, json.loads(outcome.progress))
                raise outcome.error
        return self._duplicate(record)  # it has superseded this one


def _next(record: JobRecord, progress: dict[str, Any], *, counts: bool = False) -> JobRecord:
    return replace(
        record,
        executions=record.executions + 1,
        resumptions=record.resumptions + counts,
        progress=progress,
    )
