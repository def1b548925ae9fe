"""All that a job changes, as the test's own functions see it and set it back."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from continuable.testing.resumability.difference import Difference, differences, is_alike
from continuable.testing.resumability.driver import Driver
from continuable.testing.resumability.report import NotRepeatableError
from continuable.testing.resumability.trial import Ending, Trial


@dataclass(frozen=True, slots=True)
class Result:
    """What a job came to: what is seen of the world, and whether the job gave itself up."""

    seen: Any
    cancelled: str | None = None

    def kept(self) -> Result:
        """The same, which later runs do not change."""
        return replace(self, seen=_copy(self.seen))

    def differences(self, actual: Result) -> Iterator[Difference]:
        """What is different in `actual`."""
        if self.cancelled != actual.cancelled:
            text = f"{_ending(actual)} instead of {_ending(self)}"
            yield Difference(text, "other", frozenset({text}))
        yield from differences(self.seen, actual.seen)


class World:
    """The world in which a job runs again and again, from the same beginning."""

    def __init__(
        self,
        driver: Driver,
        observe: Callable[[], Any] | None,
        reset: Callable[[], object] | None,
        forget: Callable[[], object] | None,
    ) -> None:
        self._driver = driver
        self._observe = observe
        self._reset = reset
        self._forget = forget

    def renew(self) -> None:
        """Make it what it was before the job, for a process that has just started."""
        __tracebackhide__ = True
        self._begin_process()
        self._call(self._reset)

    def result(self, trial: Trial) -> Result:
        """What `trial` comes to."""
        __tracebackhide__ = True
        ending = trial.run(between=self._begin_process)
        return Result(self._look(ending), ending.cancelled)

    def beginning(self) -> Any:
        """What is seen of a world that was just renewed."""
        __tracebackhide__ = True
        self.renew()
        try:
            return _copy(self._call(self._observe))
        except Exception as error:  # noqa: BLE001 - such as that of a file that is not there yet
            return repr(error)

    def refuse_other_beginning(self, beginning: Any) -> None:
        """See that a second run finds the world as the first one did."""
        __tracebackhide__ = True
        now = self.beginning()
        if is_alike(beginning, now):
            return
        what = "reset= does not make" if self._reset else "There is no reset= that makes"
        raise NotRepeatableError(
            f"{what} the world what it was before the job:",
            list(differences(beginning, now)),
            "Each run must begin as the first one did: undo all that observe= can see of the job.",
        )

    def _begin_process(self) -> None:
        __tracebackhide__ = True
        self._call(self._forget)

    def _look(self, ending: Ending) -> Any:
        __tracebackhide__ = True
        return ending.value if self._observe is None else self._call(self._observe)

    def _call(self, function: Callable[[], Any] | None) -> Any:
        __tracebackhide__ = True
        value = function() if function is not None else None
        return self._driver.wait_for(value) if inspect.iscoroutine(value) else value


def _copy(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - whatever cannot be copied is compared as it is
        return value


def _ending(result: Result) -> str:
    return "completed" if result.cancelled is None else f"cancelled ({result.cancelled})"
