"""What can be said of a function before it is called."""

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: an `async def`, a partial or an object of one."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(type(function), "__call__", None)  # noqa: B004 - asks what kind it is
    )


def function_name(function: Callable[..., Any]) -> str:
    """What to call it in messages: its own name, or that of what a partial wraps."""
    function = getattr(function, "func", function)
    return getattr(function, "__qualname__", None) or type(function).__name__


def wants_step(function: Callable[..., Any]) -> bool:
    """Whether a step's function is to be handed the step: it has a required parameter.

    An optional one is left alone, so that `lambda row=row: ...` in a loop works. `TypeError`
    for a function that requires more than the step.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some built-in functions do not tell
        return False
    required = [p for p in parameters if p.default is Parameter.empty]
    positional = [p for p in required if p.kind in _POSITIONAL]
    if len(positional) > 1 or any(p.kind is Parameter.KEYWORD_ONLY for p in required):
        message = (
            f"{function_name(function)}{inspect.signature(function)} cannot be a step: it is "
            f"called with the step or with nothing, so give its other parameters defaults "
            f"or wrap it in a function of your own"
        )
        raise TypeError(message)
    return bool(positional)
