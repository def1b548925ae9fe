"""How far a job has come: which steps are completed, which is current, what is remembered."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from continuable.core.growing import GrowingJson
from continuable.core.position import Position
from continuable.core.validation import (
    validate_expected_order,
    validate_not_encountered,
    validate_not_nested,
    validate_nothing_missing,
    validate_resume_expected,
)
from continuable.errors import DeserializationError, SerializationError
from continuable.serialization import Codec, compact
from continuable.serialization.plain_types import brief

LARGE = 64 * 1024
TOO_LARGE = 1024 * 1024

logger = logging.getLogger("continuable")


class Continuation:
    """The progress of one execution: restored from plain data, moved by steps, kept as plain data.

    Raises `DeserializationError` for progress of another shape than `plain` gives it.
    """

    def __init__(
        self,
        progress: dict[str, Any],
        codec: Codec,
        *,
        removed_steps: Collection[str] = (),
        size_limit: int = TOO_LARGE,
    ) -> None:
        self.codec = codec
        self._removed_steps = removed_steps
        self._size_limit = size_limit
        self._was_warned = False
        self.state: dict[str, Any] = codec.load(progress.get("state", {}), "job.state")
        try:
            self.completed: list[str] = [str(name) for name in progress.get("completed", ())]
            self._values: dict[str, Any] = dict(progress.get("values", {}))
            current = progress.get("current")
            if not isinstance(current, list | None) or not isinstance(self.state, dict):
                raise TypeError("it is of another shape")
            self.resume_from: str | None = None if current is None else str(current[0])
            self._resume_cursor = None if current is None else current[1]
            self._resume_done = int(progress.get("done", 0))
        except (TypeError, ValueError, LookupError) as error:
            message = f"The progress of the job cannot be read ({error!r}): {progress!r:.200}"
            raise DeserializationError(message) from error
        self._resume_total: int | None = progress.get("total")
        self._resume_source = progress.get("source")
        self._kept = progress
        self._completed_json, self._values_json = GrowingJson(), GrowingJson()
        self._names: set[str] = set()
        """Of all completed steps, where they are as many."""
        self._completed_before = len(self.completed)
        self.seen = 0
        """How many of the completed steps the job function has come by."""
        self.running: Position[Any] | None = None
        """The step whose function is being called."""
        self.current: Position[Any] | None = None
        """The step that was begun and is not completed: running, or left by an exception."""

    @property
    def made_progress(self) -> bool:
        """Whether this execution completed a step, or moved a cursor, compared as it is kept."""
        if len(self.completed) > self._completed_before:
            return True
        return self.current is not None and self.current.advanced

    @property
    def description(self) -> str:
        """Where the job is, in words."""
        if self.current is not None:
            return _place(self.current.name, self.current.cursor)
        if self.resume_from is not None:
            return _place(self.resume_from, self._readable(self._resume_cursor))
        return f"after {self.completed[-1]!r}" if self.completed else "not started"

    def skips(self, name: str) -> bool:
        """Whether `name` is the next of the completed steps; if so, it has been come by."""
        # The path of every completed step on every resume.
        completed, seen = self.completed, self.seen
        if seen < len(completed) and completed[seen] == name and self.running is None:
            self.seen = seen + 1
            return True
        return False

    def value(self, name: str) -> Any:
        """What the completed step `name` returned."""
        if name not in self._values:
            return None
        return self.codec.load(self._values[name], f"The value of step {name!r}")

    def encounter(self, name: str, formerly: str | None = None) -> bool:
        """Check that `name` may come now; whether it is completed and to be skipped."""
        validate_not_nested(name, None if self.running is None else self.running.name)
        if formerly is not None:
            self._rename(formerly, name)
        self._forget_removed(name)
        if self.skips(name):
            return True
        current = self.current.name if self.current is not None else None
        validate_not_encountered(name, current, is_seen=self._is_seen(name))
        next_up = self.completed[self.seen] if self.seen < len(self.completed) else None
        validate_expected_order(name, next_up)
        left = current if self.resume_from is None else self.resume_from
        validate_resume_expected(name, left)
        return False

    def begin(self, step: Position[Any]) -> None:
        """`step` is running from now on."""
        self.running = self.current = step
        self.resume_from = None

    def restored(self, name: str) -> dict[str, Any] | None:
        """What a step that was current in an earlier execution goes on with."""
        if self.resume_from != name:
            return None
        return {
            "cursor": self.codec.load(self._resume_cursor, f"The cursor of step {name!r}"),
            "resumed": True,
            "done": self._resume_done,
            "total": self._resume_total,
            "source": self._resume_source,
        }

    def leave(self) -> None:
        """The function of the running step was left: it returned or raised."""
        self.running = None

    def complete(self, name: str, value: Any) -> str:
        """The running step has ended well with `value`: the progress to keep, serialised.

        `SerializationError` if that cannot be; the step is not completed then.
        """
        if value is not None:
            what = f"The value that step {name!r} returned (keep=False keeps none)"
            self._keep_value(name, self.codec.dump(value, what))
        current, self.current = self.current, None
        self.completed.append(name)
        self._completed_json.add([name])
        self._names.add(name)
        self.seen += 1
        try:
            return self.to_json()
        except BaseException:
            self.completed.pop()
            self.seen -= 1
            self._values.pop(name, None)
            self._forget_written()
            self.current = current
            raise

    def check_end(self) -> None:
        """The job function is about to return: `InvalidStepError` if it lost a step."""
        self._forget_removed()
        left = [] if self.resume_from is None else [self.resume_from]
        validate_nothing_missing(self.completed[self.seen :] + left)

    def to_json(self) -> str:
        """The plain form as it is kept; `SerializationError` if it is too large."""
        plain = self.plain()
        text = self._written(plain)
        # To find what is large takes longer than all the rest: once, and for an error.
        if len(text) > (self._size_limit if self._was_warned else LARGE):
            self._mind_size(text, plain)
        self._kept = plain
        return text

    def plain(self) -> dict[str, Any]:
        """The progress as plain data."""
        plain: dict[str, Any] = {"completed": self.completed}
        current = self.current
        if current is not None:
            plain["current"] = [current.name, current.kept_cursor()]
            done, total, source = current.kept_done(), current._total, current._source
        elif self.resume_from is not None:
            plain["current"] = [self.resume_from, self._resume_cursor]
            done, total, source = self._resume_done, self._resume_total, self._resume_source
        else:
            done, total, source = 0, None, None
        if done:
            plain["done"] = done
        if total is not None:
            plain["total"] = total
        if source is not None:
            plain["source"] = source
        if self._values:
            plain["values"] = self._values
        if self.state:
            plain["state"] = self.codec.dump(self.state, "job.state")
        return plain if self.completed or len(plain) > 1 else {}

    def _written(self, plain: dict[str, Any]) -> str:
        """`compact(plain)`, where what is completed was serialised when that happened."""
        pieces: list[str] = []
        for key, value in plain.items():
            if value is self.completed:
                text = f"[{self._completed_json.text_of(self.completed)}]"
            elif value is self._values:
                text = f"{{{self._values_json.text_of(self._values)}}}"
            else:
                text = compact(value)
            pieces += [",", compact(key), ":", text]
        return "".join(["{", *pieces[1:], "}"])

    def _keep_value(self, name: str, plain: Any) -> None:
        if name in self._values:
            self._values_json.forget()
        self._values[name] = plain
        self._values_json.add({name: plain})

    def _is_seen(self, name: str) -> bool:
        """Whether the job function has come by a completed step of this name."""
        if len(self._names) != len(self.completed):
            self._names = set(self.completed)
        return name in self._names and name in self.completed[: self.seen]

    def _forget_written(self) -> None:
        self._names.clear()
        self._completed_json.forget()
        self._values_json.forget()

    def last_that_could_be_kept(self) -> str:
        """The progress with an older state, or all of it older, for when this cannot be kept."""
        try:
            self.state = self.codec.load(self._kept.get("state", {}), "job.state")
            return self.to_json()
        except BaseException:  # noqa: BLE001 - it is the cursor, or a serializer that raises anything
            return compact(self._kept)

    def _readable(self, cursor: Any) -> Any:
        """A cursor to be shown: in its plain form, where it cannot be read."""
        try:
            return self.codec.load(cursor, "The cursor")
        except BaseException:  # noqa: BLE001 - a serializer of the user's may raise anything
            return cursor

    def _rename(self, old: str, new: str) -> None:
        if new in self.completed or self.resume_from == new:
            return
        if self.resume_from == old:
            self.resume_from = new
        elif old in self.completed[self.seen :]:  # not one that the job has just come by
            self._forget_written()
            self.completed[self.completed.index(old, self.seen)] = new
            if old in self._values:
                self._values[new] = self._values.pop(old)

    def _forget_removed(self, name: str = "") -> None:
        """Drop the steps that stand where `name` is found, if the code says it removed them."""
        while self.seen < len(self.completed):
            expected = self.completed[self.seen]
            if expected == name or expected not in self._removed_steps:
                break
            self._forget_written()
            del self.completed[self.seen]
            self._completed_before -= 1
            self._values.pop(expected, None)
        is_turn_of_current = self.seen == len(self.completed) and self.resume_from != name
        if is_turn_of_current and self.resume_from in self._removed_steps:
            self.resume_from = None

    def _mind_size(self, text: str, plain: dict[str, Any]) -> None:
        parts = {
            "the cursor": plain.get("current"),
            "job.state": plain.get("state"),
            **{f"the value of step {name!r}": value for name, value in self._values.items()},
        }
        largest = max(parts, key=lambda part: len(compact(parts[part])))
        place = self.description
        if len(text) > self._size_limit:
            message = (
                f"The progress of the job is too large to be kept at every save: "
                f"{len(text)} bytes {place:.200}, most of it {largest}. Keep large data in a "
                f"store of your own and its key here (or keep=False for a step's value)"
            )
            raise SerializationError(message)
        if not self._was_warned:
            self._was_warned = True
            logger.warning("Progress is large: %d bytes, most of it %s", len(text), largest)


def _place(step: str, cursor: Any) -> str:
    if cursor is None:
        return f"at {step!r}"
    try:
        return f"at {step!r}, cursor {brief(cursor)}"
    except BaseException:  # noqa: BLE001 - its repr is the user's
        return f"at {step!r}, cursor ..."
