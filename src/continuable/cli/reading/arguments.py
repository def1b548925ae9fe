"""The arguments of a job from typed words: JSON or text, and `key=value` for keywords."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from continuable.cli.failures import WRONG_USAGE, Failure
from continuable.declaration.definition import JobDefinition

Call = tuple[list[Any], dict[str, Any]]


def read_arguments(job: JobDefinition[..., Any], words: Sequence[str]) -> Call:
    """Positional and keyword arguments for `job`; `Failure` if its function does not take them.

    `key=value` is a keyword if the function has such a parameter, else a plain string. A
    parameter annotated `str` gets `42` as a string.
    """
    parameters = list(inspect.signature(job.function).parameters.values())[1:]
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        parameter = keyword(parameters, key) if equals else None
        if parameter is not None:
            if key in keywords:
                raise Failure(f"{key!r} is given twice: give it once", WRONG_USAGE)
            keywords[key] = value_of(text, parameter)
        else:
            positional.append(value_of(word, place(parameters, len(positional))))
    try:
        job.plain_arguments(positional, keywords)
    except TypeError as error:
        raise Failure(str(error), WRONG_USAGE) from error
    return positional, keywords


def keyword(parameters: Sequence[inspect.Parameter], name: str) -> inspect.Parameter | None:
    """The parameter that takes `name=`, if any."""
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            return parameter if name.isidentifier() else None
        if parameter.name == name and parameter.kind in _BY_NAME:
            return parameter
    return None


def place(parameters: Sequence[inspect.Parameter], index: int) -> inspect.Parameter | None:
    """The parameter that takes the positional argument number `index`, if any."""
    for number, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_POSITIONAL:
            return parameter
        if number == index and parameter.kind in _BY_PLACE:
            return parameter
    return None


def value_of(text: str, parameter: inspect.Parameter | None) -> Any:
    """The value of a word: parsed if it is JSON, else the word itself."""
    try:
        value = json.loads(text, parse_constant=_not_json)
    except (ValueError, RecursionError):
        return text
    wants_text = parameter is not None and parameter.annotation in (str, "str")
    return text if wants_text and not isinstance(value, str) else value


def _not_json(constant: str) -> NoReturn:
    """Refuse `NaN` and `Infinity`, which Python would parse."""
    raise ValueError(constant)


_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
