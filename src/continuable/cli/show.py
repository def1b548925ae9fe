"""`continuable show`: one job with its steps, executions, cursor, last error and history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from rich.console import Console

from continuable.cli import options
from continuable.cli.reading.targets import app_and_id
from continuable.cli.showing import phrases
from continuable.cli.showing.bars import drawn
from continuable.cli.showing.documents import (
    arguments_of,
    ending_document,
    entry_document,
    print_json,
)
from continuable.cli.showing.pace import Pace
from continuable.model.info import HistoryEntry, JobInfo, JobResult

WORTH_TELLING = 0.1
"""Seconds from which on the longest gap between two checkpoints is shown."""


@options.verb("show")
@options.words("[MODULE:APP] ID")
@options.as_json
def command(words: tuple[str, ...], *, as_json: bool) -> None:
    """Show one job: its steps, cursor, last error and history."""
    app, job_id = app_and_id(words)
    board = app.queue.board
    job, ending, history = board.find(job_id), board.result(job_id), board.history(job_id)
    if as_json:
        entries = [entry_document(entry) for entry in history]
        print_json(ending_document(job, ending) | {"history": entries})
        return
    now = datetime.now(UTC)
    Console(soft_wrap=True).print(drawn(job, Pace(), now))
    for name, value in facts(job, ending, now):
        click.echo(f"{name:<12}{value}")
    if job.traceback:
        click.echo(f"\nLast error\n{job.traceback.rstrip()}")
    if history:
        click.echo("\nHistory")
    for entry in history:
        click.echo(f"{phrases.local(entry.at)}  {told(entry)}")


def facts(job: JobInfo, ending: JobResult, now: datetime) -> Iterator[tuple[str, str]]:
    """The fields of a job with their values in words."""
    yield "job", job.name
    yield "arguments", call_of(job)
    yield "queue", f"{job.queue}, priority {job.priority}"
    yield "executions", f"{job.executions}, {phrases.plural(job.resumptions, 'resumption')}"
    if job.deaths:
        yield "deaths", f"{job.deaths} in a row: its worker died with it"
    if job.worker and job.state.is_running:
        yield "worker", job.worker
    moments = {
        "enqueued": job.enqueued_at,
        "started": job.started_at,
        "saved": job.saved_at,
        "finished": job.finished_at,
    }
    for name, at in moments.items():
        if at is not None:
            yield name, f"{phrases.local(at)}, {phrases.ago(at, now)}"
    if job.longest_gap >= WORTH_TELLING:
        yield "longest gap", f"{job.longest_gap:.1f} s without a checkpoint"
    if ending.result is not None:
        yield "returned", ending.result


def call_of(job: JobInfo) -> str:
    """The arguments as in a call: `42, path="orders.csv"`."""
    args, kwargs = arguments_of(job)
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        return f"{job.arguments} (damaged)"
    words = [json.dumps(value, ensure_ascii=False) for value in args]
    words += [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in kwargs.items()]
    return ", ".join(words) or "none"


def told(entry: HistoryEntry) -> str:
    """A history entry in a line: `interrupted (stopping) at 'process_records', cursor 51001`."""
    data = dict(entry.data)
    words = [entry.event.removeprefix("job.")]
    if reason := data.pop("reason", None):
        words.append(f"({reason})")
    if description := data.pop("description", None):
        words.append(str(description))
    error = data.pop("error", None)
    if isinstance(wait := data.get("wait"), int | float):
        data["wait"] = phrases.span(wait) if wait else None
    rest = [f"{key} {value}" for key, value in data.items() if value is not None and value != ""]
    line = ", ".join([" ".join(words), *rest])
    return f"{line}: {error}" if error else line
