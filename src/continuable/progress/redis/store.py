"""`RedisProgress`: a hash per job, and sorted sets by which jobs are found."""

from __future__ import annotations

import builtins
import heapq
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NoReturn, TypeVar

from redis import Redis
from redis.exceptions import RedisError

from continuable.core.outcome import Completed
from continuable.errors import (
    CheckpointError,
    DuplicateJobError,
    JobNotFoundError,
    StoreBusyError,
    StoreError,
)
from continuable.model.info import HistoryEntry, JobInfo
from continuable.model.payload import JobRecord
from continuable.model.states import RUNNING, State
from continuable.progress.lifecycle import Told
from continuable.progress.protocol import Claim, Note, Save
from continuable.progress.row import Row, claim_of, new_row, row_of, wanted_state
from continuable.progress.rowstore import HISTORY, LEASE, RowStore, Transition

A = TypeVar("A")

TIMEOUTS = {"socket_timeout": 10.0, "socket_connect_timeout": 5.0}
"""Seconds to wait for a server, for clients that are made from a url which says nothing else."""
WRITTEN = 1
"""What the script answers that has written a row."""
ATTEMPTS = 100
"""How often a change is tried that another one has overtaken."""
PART = 500

SCRIPTS = {path.stem: path.read_text("utf-8") for path in Path(__file__).parent.glob("*.lua")}
"""The Lua scripts by name: each is one atomic step on the server, on the server's clock."""

INTEGERS = frozenset(f.name for f in fields(Row) if f.type == "int")
NUMBERS = frozenset(f.name for f in fields(Row) if "float" in str(f.type))


class RedisProgress(RowStore):
    """Progress in Redis or Valkey. It is as durable as the server's own settings make it.

    There are no transactions to share with your data, so `step.commit` is a `CheckpointError`
    that says which stores can.

    Args:
        client_or_url: A `redis.Redis`, or the url to make one from (`redis://localhost/0`).
        lease: Seconds for which a claim holds without a sign of life from its worker.
        prefix: What all keys begin with. In a cluster, in braces: `{continuable}:`.
    """

    can_commit: ClassVar[bool] = False

    def __init__(
        self,
        client_or_url: Redis | str,
        *,
        lease: float = LEASE,
        prefix: str = "continuable:",
    ) -> None:
        super().__init__(lease=lease)
        self.client: Any = (
            Redis.from_url(client_or_url, **TIMEOUTS)
            if isinstance(client_or_url, str)
            else client_or_url
        )
        """Of the Redis that progress is kept in."""
        self._scripts = {name: self.client.register_script(text) for name, text in SCRIPTS.items()}
        self._prefix = prefix

    def add(self, records: Sequence[JobRecord]) -> None:
        with self._errors():
            seconds, micros = self.client.time()
            now = seconds + micros / 1e6
            pipe = self.client.pipeline(transaction=False)
            for record in records:
                arguments = self._to_write(record.id, "", new_row(record, now))
                self._scripts["write"](self._keys_of(record.id), arguments, client=pipe)
            answers = pipe.execute(raise_on_error=False)
            odd = [one for one in zip(records, answers, strict=True) if one[1] != WRITTEN]
            if not odd:
                return
            for record, answer in zip(records, answers, strict=True):
                if answer == WRITTEN:
                    self.withdraw(record.id)
            taken, answer = odd[0]
            if isinstance(answer, Exception):
                raise answer
        raise DuplicateJobError(taken.id, self.result(taken.id).state)

    def withdraw(self, job_id: str) -> None:
        with self._errors():
            self._run("forget", keys=self._keys_of(job_id), args=[job_id])

    # --- what running jobs write and hear

    def save(self, saves: Iterable[Save], timeout: float | None = None) -> builtins.list[str]:  # noqa: ARG002 - nothing is locked
        with self._errors():
            return [save.id for save in saves if not self._save(save)]

    def commit(self, connection: Any, save: Save, *, again: bool = False) -> NoReturn:  # noqa: ARG002 - see there
        """Impossible here: a `CheckpointError`."""
        raise CheckpointError(
            "Redis has no transaction that your rows and the cursor could share. Keep progress "
            "where your rows are: progress=SQLAlchemyProgress(...), DjangoProgress() or "
            "SQLiteProgress(...); or move the cursor after your own commit, with step.set()"
        )

    def is_in_transaction(self, connection: Any) -> bool:  # noqa: ARG002 - see there
        """Never: Redis has no transaction to commit in."""
        return False

    def is_written(self, save: Save) -> bool:
        with self._errors():
            found = self.client.hmget(self._row_key(save.id), "fence", "worker", "sequence")
        if None in found:
            return False
        fence, worker, sequence = found
        is_own = (int(fence), _text(worker)) == (save.fence, save.worker)
        return is_own and int(sequence) >= save.sequence

    def note(self, job_id: str, note: Note, timeout: float | None = None) -> None:  # noqa: ARG002 - nothing is locked
        keys = [self._row_key(job_id), self._history_key(job_id)]
        entry = _entry(note.at, note.event, json.loads(note.data))
        with self._errors():
            if not self._run("note", keys=keys, args=[entry, HISTORY]):
                raise JobNotFoundError(job_id)

    def controls(self, worker: str) -> builtins.list[tuple[str, int, State]]:
        with self._errors():
            found = self._run("controls", keys=[self._worker_key(worker), self._row_key("")])
        return [
            (_text(job_id), int(fence), wanted_state(_text(state)))
            for job_id, fence, state in found
        ]

    def renew(self, worker: str) -> None:
        keys = [self._worker_key(worker), self._key("leases"), self._row_key("")]
        with self._errors():
            self._run("renew", keys=keys, args=[worker, self.lease])

    def holders(self) -> builtins.list[tuple[str, str]]:
        with self._errors():
            ids = [job_id for _, job_id in self._newest_of(RUNNING)]
            pipe = self.client.pipeline(transaction=False)
            for job_id in ids:
                pipe.hget(self._row_key(job_id), "worker")
            found = zip(ids, pipe.execute(), strict=True)
        return [(job_id, _text(worker)) for job_id, worker in found if worker is not None]

    # --- what people see

    def list(
        self,
        *,
        states: Collection[State] | None = None,
        queue: str | None = None,
        name: str | None = None,
        limit: int = 100,
    ) -> builtins.list[JobInfo]:
        """Jobs, the newest first: looks at one after the other."""
        found: builtins.list[JobInfo] = []
        with self._errors():
            for info in self._infos(self._newest(states)):
                is_wanted = states is None or info.state in states
                if is_wanted and queue in {None, info.queue} and name in {None, info.name}:
                    found.append(info)
                if len(found) == limit:
                    break
        return found

    def counts(self) -> dict[State, int]:
        with self._errors():
            pipe = self.client.pipeline(transaction=False)
            for state in State:
                pipe.zcard(self._key(f"state:{state}"))
            counted = zip(State, pipe.execute(), strict=True)
        return {state: count for state, count in counted if count}

    def history(self, job_id: str) -> builtins.list[HistoryEntry]:
        with self._errors():
            if not self.client.exists(self._row_key(job_id)):
                raise JobNotFoundError(job_id)
            entries = self.client.lrange(self._history_key(job_id), 0, -1)
        return [
            HistoryEntry(datetime.fromtimestamp(at, UTC), event, data)
            for at, event, data in map(json.loads, entries)
        ]

    def discard(self, job_id: str) -> bool:
        with self._errors():
            return bool(self._run("forget", keys=self._keys_of(job_id), args=[job_id, 0]))

    def prune(self, older_than: float, *, failed: bool = False, limit: int | None = None) -> int:
        removed = 0
        with self._errors():
            for index in ["finished", *(["failed"] if failed else [])]:
                left = None if limit is None else limit - removed
                removed += self._forget(index, older_than, left)
        return removed

    # --- rows

    def _claim_at_once(self, record: JobRecord, worker: str) -> Claim | None:
        arguments = [record.id, worker, self.lease, record.delivery, record.executions]
        if record.envelope is not None:
            arguments.append(record.envelope)
        keys = [self._row_key(record.id), self._key("leases"), self._key("")]
        with self._errors():
            found = self._run("claim", keys=keys, args=arguments)
        if found is None:
            return None
        values = [None if value is False else value for value in json.loads(found)]
        return claim_of(record.id, worker, values)

    def _complete_at_once(self, claim: Claim, outcome: Completed, longest_gap: float) -> bool:
        keys = [self._row_key(claim.id), *map(self._key, ("leases", "finished", ""))]
        arguments = [claim.id, claim.fence, claim.worker, longest_gap, outcome.result]
        if outcome.progress is not None:
            arguments.append(outcome.progress)
        with self._errors():
            return bool(self._run("complete", keys=keys, args=arguments))

    def _change(
        self,
        job_id: str,
        transition: Transition[A],
        *,
        record: JobRecord | None = None,
        is_retried: bool = False,  # noqa: ARG002 - there is no lock to wait for
    ) -> A:
        for _ in range(ATTEMPTS):
            with self._errors():
                now, revision, row = self._look(job_id)
                if row is None:
                    if record is None:
                        raise JobNotFoundError(job_id)
                    row = new_row(record, now)
                told: builtins.list[Told] = []
                answer = transition(row, now, told)
                entries = [_entry(now if e.at is None else e.at, e.event, e.data) for e in told]
                arguments = self._to_write(job_id, revision, row, entries)
                if self._run("write", keys=self._keys_of(job_id), args=arguments):
                    return answer
        raise StoreBusyError(f"Job {job_id!r} is changed all the time in {self!r}: try again")

    def _to_write(
        self, job_id: str, revision: str, row: Row, entries: Sequence[str] = ()
    ) -> builtins.list[Any]:
        values = [part for pair in _values(row, revision) for part in pair]
        return [job_id, revision, HISTORY, len(entries), *entries, *values]

    def _read(self, job_id: str) -> Row:
        with self._errors():
            row = self._look(job_id)[2]
        if row is None:
            raise JobNotFoundError(job_id)
        return row

    def _set_aside(self, job_id: str) -> None:
        with self._errors():
            self.client.zrem(self._key("leases"), job_id)

    def _expired(self, limit: int) -> builtins.list[str]:
        with self._errors():
            return self._found("leases", 0.0, limit)

    def _look(self, job_id: str) -> tuple[float, str, Row | None]:
        """The time, the revision of a row, and the row."""
        seconds, micros, flat = self._run("read", keys=[self._row_key(job_id)])
        now = int(seconds) + int(micros) / 1e6
        found = dict(zip(map(_text, flat[::2]), map(_text, flat[1::2]), strict=True))
        revision = found.pop("revision", "")
        return now, revision, _row(found) if found else None

    def _run(self, script: str, keys: Sequence[str], args: Sequence[Any] = ()) -> Any:
        return self._scripts[script](keys, args)

    def _save(self, save: Save) -> bool:
        keys = [self._row_key(save.id), self._key("leases")]
        proof = [save.id, save.fence, save.worker]
        arguments = [*proof, save.sequence, save.document, int(save.made_progress), self.lease]
        return bool(self._run("save", keys=keys, args=arguments))

    def _newest(self, states: Collection[State] | None) -> Iterator[tuple[str, Callable[[], Row]]]:
        """Ids and rows, the newest first: of all jobs, or of those in these states."""
        found = self._indexed("all") if states is None else self._newest_of(states)
        for _, job_id in found:
            yield job_id, partial(self._read, job_id)

    def _newest_of(self, states: Collection[State]) -> Iterator[tuple[float, str]]:
        indexes = [self._indexed(f"state:{state}") for state in set(states)]
        return heapq.merge(*indexes, reverse=True)

    def _indexed(self, index: str) -> Iterator[tuple[float, str]]:
        """When each job was enqueued and its id, the newest first, part by part."""
        start = 0
        while found := self.client.zrevrange(
            self._key(index), start, start + PART - 1, withscores=True
        ):
            start += PART
            yield from ((score, _text(job_id)) for job_id, score in found)

    def _forget(self, index: str, older_than: float, limit: int | None) -> int:
        removed = 0
        while limit is None or removed < limit:
            part = PART if limit is None else min(PART, limit - removed)
            found = self._found(index, older_than, part)
            gone = sum(
                self._run("forget", keys=self._keys_of(job_id), args=[job_id, older_than])
                for job_id in found
            )
            if not gone:
                break  # somebody else is at it
            removed += gone
        return removed

    def _found(self, index: str, seconds: float, limit: int) -> builtins.list[str]:
        found = self._run("expired", keys=[self._key(index)], args=[seconds, limit])
        return [_text(job_id) for job_id in found]

    # --- keys

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}"

    def _row_key(self, job_id: str) -> str:
        return self._key(f"job:{job_id}")

    def _history_key(self, job_id: str) -> str:
        return self._key(f"history:{job_id}")

    def _worker_key(self, worker: str) -> str:
        return self._key(f"worker:{worker}")

    def _keys_of(self, job_id: str) -> builtins.list[str]:
        indexes = [self._key(name) for name in ("all", "leases", "finished", "failed", "")]
        return [self._row_key(job_id), self._history_key(job_id), *indexes]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise StoreError(f"The progress store {self!r} failed: {error}") from error

    def close(self) -> None:
        """Close the connections of this process."""
        self.client.close()

    def __repr__(self) -> str:
        pool = getattr(self.client, "connection_pool", None)
        if pool is None:  # of a cluster, which has one for each node
            return f"RedisProgress({type(self.client).__name__}, {self._prefix!r})"
        options = pool.connection_kwargs
        place = options.get("path") or f"{options.get('host')}:{options.get('port')}"
        return f"RedisProgress({place}, database {options.get('db', 0)})"


def _row(found: dict[str, str]) -> Row:
    values: dict[str, Any] = {}
    for name, text in found.items():
        if name in INTEGERS:
            values[name] = int(text)
        elif name in NUMBERS:
            values[name] = float(text)
        else:
            values[name] = text
    return row_of(values)


def _values(row: Row, revision: str) -> Iterator[tuple[str, str]]:
    """What of a row is something, and the revision that it replaces."""
    yield "revision", revision or "0"
    for name, value in asdict(row).items():
        if value is not None:
            yield name, str(value)


def _entry(at: float, event: str, data: dict[str, Any]) -> str:
    return json.dumps([at, event, data], separators=(",", ":"), default=str)


def _text(raw: bytes | str) -> str:
    """A reply, whether or not the user's client decodes them."""
    return raw.decode() if isinstance(raw, bytes) else raw
