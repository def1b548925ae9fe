"""`Codec` turns any value into its plain form and back; `Serializer` teaches it a type."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Generic, TypeVar

from continuable.errors import DeserializationError, SerializationError
from continuable.serialization import named_types, plain_types
from continuable.serialization.plain_types import (
    AS_THEY_ARE,
    TAG,
    Dumper,
    Loader,
    Recurse,
    UnkeepableError,
    brief,
    compact,
    type_of,
)

T = TypeVar("T")


class Serializer(Generic[T]):
    """How values of a type of your own are written down and read back.

    `dump` turns a value into anything that can be serialised, `load` turns that back.
    `tag` names the type in payloads: it must not change while jobs are in flight.
    """

    def __init__(
        self, type: type[T], tag: str, *, dump: Callable[[T], Any], load: Callable[[Any], T]
    ) -> None:
        self.type = type
        self.tag = tag
        self.dump = dump
        self.load = load

    def __repr__(self) -> str:
        return f"Serializer({self.type.__qualname__}, {self.tag!r})"


class Codec:
    """Serialises every value that a job may keep; `serializers` add to the types it knows."""

    def __init__(self, serializers: Iterable[Serializer[Any]] = ()) -> None:
        self._dumpers: dict[type, Dumper] = dict(plain_types.DUMPERS)
        self._loaders: dict[str, Loader] = plain_types.LOADERS | named_types.LOADERS
        self._knows_library = False
        for serializer in serializers:
            self._learn_library()
            self._register(serializer)

    def dumps(self, value: Any, what: str) -> str:
        """JSON of `value`; a `SerializationError` names `what` it was and the type at fault."""
        plain = self.dump(value, what)
        try:
            return compact(plain)
        except RecursionError:
            raise _too_deep(what) from None

    def dump(self, value: Any, what: str) -> Any:
        """The plain form of `value`."""
        try:
            return self._plain(value)
        except UnkeepableError as unkeepable:
            message = (
                f"{what} cannot be kept: {unkeepable}. Keep plain values, or register a "
                f"Serializer for the type: App(serializers=[Serializer(...)])"
            )
            raise SerializationError(message) from None
        except RecursionError:
            raise _too_deep(what) from None
        except Exception as error:  # of a Serializer's `dump`, or of an attribute
            message = f"{what} cannot be kept: {type_of(value)} {brief(value)} raised {error!r}"
            raise SerializationError(message) from error

    def loads(self, text: str, what: str) -> Any:
        """The value that `dumps` wrote; `DeserializationError` names `what` could not be read."""
        try:
            plain = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            message = f"{what} cannot be read, it is not JSON ({error}): {text!r:.200}"
            raise DeserializationError(message) from error
        return self.load(plain, what)

    def load(self, plain: Any, what: str) -> Any:
        """The value of a plain form."""
        try:
            return self._value(plain)
        except DeserializationError as error:
            message = f"{what} cannot be read: {error}"
            raise DeserializationError(message) from error
        except Exception as error:
            message = f"{what} cannot be read ({error!r}): {brief(plain)}"
            raise DeserializationError(message) from error

    def _register(self, serializer: Serializer[Any]) -> None:
        if serializer.type in AS_THEY_ARE:
            message = f"{serializer!r}: values of this type are always kept as they are"
            raise ValueError(message)
        if serializer.tag in self._loaders:
            message = f"{serializer!r}: the tag {serializer.tag!r} is taken, choose another"
            raise ValueError(message)

        def dump(value: Any, plain: Recurse) -> Any:
            return {TAG: serializer.tag, "v": plain(serializer.dump(value))}

        def load(plain: dict[str, Any], value: Recurse) -> Any:
            return serializer.load(value(plain["v"]))

        self._dumpers[serializer.type] = dump
        self._loaders[serializer.tag] = load

    def _learn_library(self) -> bool:
        """Add the types that are not known from the start; False: they are known already."""
        if self._knows_library:
            return False
        from continuable.serialization import library_types

        self._dumpers.update(library_types.DUMPERS)
        self._loaders.update(library_types.LOADERS)
        self._knows_library = True
        return True

    def _plain(self, value: Any) -> Any:
        kind = type(value)
        if kind in AS_THEY_ARE:
            return value
        if kind is list:
            return [self._plain(item) for item in value]
        dumper = self._dumpers.get(kind)
        if dumper is None and self._learn_library():
            dumper = self._dumpers.get(kind)
        if dumper is not None:
            return dumper(value, self._plain)
        if issubclass(kind, Enum):
            return named_types.dump_enum(value)
        if dataclasses.is_dataclass(kind):
            return named_types.dump_dataclass(value, self._plain)
        message = f"{type_of(value)} is not a type that can be serialised ({brief(value)})"
        raise UnkeepableError(message)

    def _value(self, plain: Any) -> Any:
        kind = type(plain)
        if kind is list:
            return [self._value(item) for item in plain]
        if kind is not dict:
            return plain
        if TAG not in plain:
            return {key: self._value(item) for key, item in plain.items()}
        tag = plain[TAG]
        loader = self._loaders.get(tag)
        if loader is None and self._learn_library():
            loader = self._loaders.get(tag)
        if loader is None:
            message = (
                f"unknown type {tag!r}: the release that wrote it has a Serializer "
                f"that this one lacks"
            )
            raise DeserializationError(message)
        return loader(plain, self._value)


def _too_deep(what: str) -> SerializationError:
    message = f"{what} cannot be kept: it contains itself, or is nested too deeply"
    return SerializationError(message)
