"""`continuable check`: findings on an app, its store, its workers and its jobs."""

from __future__ import annotations

from dataclasses import asdict

import click

from continuable.cli import options
from continuable.cli.failures import FAILED, Failure
from continuable.cli.health import Finding, Level, examine
from continuable.cli.reading.durations import duration
from continuable.cli.reading.loading import load_app
from continuable.cli.reading.targets import target_of
from continuable.cli.showing.documents import print_json

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}


@options.verb("check")
@options.words("[MODULE:APP]", required=False)
@options.option(
    "--grace",
    type=duration,
    default="30s",
    help="Tell of jobs that went longer without a checkpoint: what the workers are given.",
)
@options.as_json
def command(words: tuple[str, ...], grace: float, *, as_json: bool) -> None:
    """Check what can be known without running a job.

    A line for each finding: does the app import, will its jobs be known by their names, can the
    defaults of their parameters be kept; can the store be read and written, is a worker alive, is
    the code of every job here, and was a job seen to go without a checkpoint for longer than the
    grace. Exits with 1 if there is a problem; a warning is none.
    """
    target = target_of(words)
    try:
        app = load_app(target)
    except Failure as failure:
        show([Finding(Level.PROBLEM, "app", failure.message)], as_json=as_json)
        raise click.exceptions.Exit(failure.exit_code) from failure
    findings = list(examine(app, target, grace))
    show(findings, as_json=as_json)
    if any(finding.level is Level.PROBLEM for finding in findings):
        raise click.exceptions.Exit(FAILED)


def show(findings: list[Finding], *, as_json: bool) -> None:
    """Print the findings, a line each."""
    if as_json:
        print_json([asdict(finding) for finding in findings])
        return
    for finding in findings:
        level = click.style(f"{finding.level:<8}", fg=COLOURS[finding.level])
        click.echo(f"{level} {finding.subject:<12} {finding.sentence}")
