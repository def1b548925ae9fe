"""Enums and dataclasses: found again by the name of their class, in modules already imported.

A payload is data: reading it imports no module, and of all that it may name only Enums and
dataclasses are touched, the latter without their `__init__`.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from enum import Enum, Flag
from functools import lru_cache
from typing import Any

from continuable.errors import DeserializationError
from continuable.serialization.naming import importable_module
from continuable.serialization.plain_types import TAG, Loader, Recurse, UnkeepableError

_HEAP_TYPE = 1 << 9  # set for classes that a `class` statement made


def dump_enum(value: Enum) -> Any:
    """A member by its name; a flag by its value, since a combination has no name of its own."""
    kept = value.value if isinstance(value, Flag) else value.name
    return {TAG: "enum", "type": _type_name(type(value)), "v": kept}


def dump_dataclass(value: Any, plain: Recurse) -> Any:
    """Its fields. What else a value holds would be lost, and is refused."""
    kind: Any = type(value)
    name, fields = _shape(kind)
    for attribute in getattr(value, "__dict__", ()):
        if attribute not in fields and not _is_derived(kind, attribute):
            message = (
                f"{name} holds an attribute {attribute!r} that is not one of its fields "
                f"and would be lost: declare it as a field"
            )
            raise UnkeepableError(message)
    kept = {field: plain(getattr(value, field)) for field in fields}
    return {TAG: "dataclass", "type": name, "v": kept}


def _is_derived(kind: type, attribute: str) -> bool:
    """Whether it is a cached property, or a mark that Python itself leaves on instances."""
    return attribute.startswith("__") or hasattr(getattr(kind, attribute, None), "__get__")


# Classes are few and each is looked at once, since values of it are dumped at every save.
@lru_cache(maxsize=1024)
def _shape(kind: Any) -> tuple[str, tuple[str, ...]]:
    for base in kind.__mro__[:-1]:
        if not base.__flags__ & _HEAP_TYPE:
            message = (
                f"{kind.__qualname__} is a dataclass and a {base.__qualname__}, "
                f"and only its fields could be kept"
            )
            raise UnkeepableError(message)
    return _type_name(kind), tuple(field.name for field in _fields(kind))


def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(kind)


@lru_cache(maxsize=1024)
def _type_name(kind: type) -> str:
    if "<locals>" in kind.__qualname__:
        message = (
            f"{kind.__qualname__} is defined inside a function, where it cannot be found again; "
            f"define it at the top of a module"
        )
        raise UnkeepableError(message)
    name = f"{importable_module(kind.__module__)}:{kind.__qualname__}"
    if not any(found is kind for found in _types_named(name)):
        message = (
            f"{kind.__qualname__} cannot be found again as {name!r}; "
            f"define it at the top of a module, under its own name"
        )
        raise UnkeepableError(message)
    return name


def _find_type(name: str) -> Any:
    for found in _types_named(name):
        return found
    message = (
        f"unknown type {name!r}: no module imported here has this class; "
        f"import it at the top of the module that defines the job"
    )
    raise DeserializationError(message)


def _types_named(name: str) -> Iterator[type]:
    module_name, _, qualname = name.partition(":")
    modules = [sys.modules.get(module_name)]
    if importable_module("__main__") == module_name:
        modules.insert(0, sys.modules["__main__"])
    for module in modules:
        found: Any = module
        for part in qualname.split("."):
            # Not `getattr`: that may run a module's `__getattr__`, which may import.
            found = getattr(found, "__dict__", {}).get(part)
        if isinstance(found, type):
            yield found


def _load_enum(plain: dict[str, Any], _: Recurse) -> Any:
    kind, kept = _find_type(plain["type"]), plain["v"]
    if issubclass(kind, Flag) and type(kept) is int:
        member = kind(kept)
    elif issubclass(kind, Enum) and type(kept) is str:
        member = kind.__members__.get(kept)
    else:
        member = None
    if member is None or not isinstance(member, kind):
        message = f"{plain['type']} is no Enum, or has no member {kept!r} now"
        raise DeserializationError(message)
    return member


def _load_dataclass(plain: dict[str, Any], value: Recurse) -> Any:
    kind = _find_type(plain["type"])
    if not dataclasses.is_dataclass(kind):
        message = f"{plain['type']!r} is no dataclass"
        raise DeserializationError(message)
    return _restored(kind, plain, value)


def _restored(kind: Any, plain: dict[str, Any], value: Recurse) -> Any:
    # Field by field, as it was: `__init__` may want arguments that are not fields.
    kept = dict(plain["v"])
    instance = object.__new__(kind)
    for field in _fields(kind):
        if field.name in kept:
            item = value(kept.pop(field.name))
        elif field.default is not dataclasses.MISSING:
            item = field.default
        elif field.default_factory is not dataclasses.MISSING:
            item = field.default_factory()
        else:
            message = f"{plain['type']} has a new field {field.name!r} without a default"
            raise DeserializationError(message)
        object.__setattr__(instance, field.name, item)
    if kept:
        message = f"{plain['type']} has no field {', '.join(map(repr, kept))} now"
        raise DeserializationError(message)
    return instance


LOADERS: dict[str, Loader] = {"enum": _load_enum, "dataclass": _load_dataclass}
