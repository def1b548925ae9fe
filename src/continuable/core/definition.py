"""`Definition`: a registered job, as far as it takes to run it; `Registry`: those of an app."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from continuable.core.limits import check_name

if TYPE_CHECKING:
    from continuable.core.options import JobOptions
    from continuable.events.stream import EventStream
    from continuable.serialization import Codec

OWN_STORE: Final[Any] = object()
"""The store of an app that names none: that of its queue."""


class Definition:
    """The code of a job, its options, and what it shares with the other jobs of its app."""

    is_async = False

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        options: JobOptions,
        codec: Codec,
        events: EventStream,
    ) -> None:
        check_name("The name of a job", name)
        self.function = function
        self.name = name
        self.options = options
        self.codec = codec
        self.events = events
        self._signature = inspect.signature(function)
        self._counts = positional_counts(self._signature)

    def plain_arguments(self, args: Any, kwargs: Mapping[str, Any]) -> str:
        """The arguments of a call, serialised; `TypeError` if the function does not take them."""
        if kwargs or len(args) not in self._counts:  # else it is known to fit
            try:
                self._signature.bind(None, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.name}{self._signature}: {error}") from None
        what, codec = f"An argument of job {self.name!r}", self.codec
        by_position = codec.dumps(list(args), what) if args else "[]"
        by_name = codec.dumps(dict(kwargs), what) if kwargs else "{}"
        return f"[{by_position},{by_name}]"

    def __repr__(self) -> str:
        return f"<job {self.name}>"


@dataclass(slots=True, eq=False)
class Registry:
    """What a queue is given of its app: the jobs, how values are kept, and who hears of events."""

    codec: Codec
    events: EventStream
    progress: Any = OWN_STORE
    """The store that the app names; `None`: progress is kept in the messages alone."""
    keep_finished: float | None = None
    """Seconds after which workers forget completed and cancelled jobs; `None`: never."""
    jobs: dict[str, Definition] = field(default_factory=dict)
    """By their names; jobs are added as modules are imported."""


def positional_counts(signature: inspect.Signature) -> range:
    """With how many arguments by position alone, behind the job, the function may be called.

    None are given where that is not the whole truth.
    """
    parameters = list(signature.parameters.values())
    if any(parameter.kind is not parameter.POSITIONAL_OR_KEYWORD for parameter in parameters):
        return range(0)
    needed = sum(parameter.default is parameter.empty for parameter in parameters[1:])
    return range(needed, len(parameters))
