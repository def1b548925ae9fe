import json
import sys

import pytest

from continuable.cli.showing.bars import Screen
from continuable.cli.showing.documents import arguments_of, job_document
from continuable.cli.showing.views import JsonView, PlainView
from continuable.cli.showing.watching import Spectator, view
from continuable.errors import JobNotFoundError, StoreError
from continuable.model.info import JobInfo, JobResult
from continuable.model.states import State
from tests.cli.showing.jobs import NOON, job
from tests.waiting import until


class Results:
    """The part of a board that a view asks."""

    def result(self, job_id):
        if job_id == "discarded":
            raise JobNotFoundError(job_id)
        return JobResult(State.COMPLETED, result='{"rows":3}')


def test_lines_go_where_no_terminal_is(capsys):
    with view() as shown:
        shown.show([job()])
        shown.show([job()])
    assert capsys.readouterr().out == "process_import[42] running at its beginning\n"
    assert isinstance(shown, PlainView)


def test_bars_go_to_a_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert isinstance(view(), Screen)


def test_json_has_a_line_for_each_change(capsys):
    looks = [job(), job(), job("read", 7), job(id="discarded"), job(state=State.COMPLETED)]
    with JsonView(Results()) as shown:
        for look in looks:
            shown.show([look])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["state"], line["cursor"]) for line in lines] == [
        ("running", None),
        ("running", 7),
        ("completed", None),
    ]
    assert lines[-1]["result"] == {"rows": 3}


def test_a_document_tells_everything_that_is_known():
    """What is in a progress is told field by field; a traceback is for one job at a time."""
    shown = job_document(job("read", [1, "ü"], completed=["a"], done=3, total=4))
    fields = set(JobInfo.__dataclass_fields__)
    assert fields - shown.keys() == {"arguments", "progress", "traceback"}
    assert (shown["step"], shown["cursor"], shown["completed"]) == ("read", [1, "ü"], ["a"])
    assert (shown["done"], shown["total"]) == (3, 4)
    assert shown["enqueued_at"] == NOON.isoformat()
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('[[1],{"b":2}]', ([1], {"b": 2})),
        ('[[{"$":"date","v":"2026-01-01"}],{}]', ([{"$": "date", "v": "2026-01-01"}], {})),
        ("{broken", ("{broken", None)),
        ('{"a":1}', ({"a": 1}, None)),
    ],
)
def test_arguments_are_in_their_plain_form_even_if_they_are_damaged(text, arguments):
    assert arguments_of(job(arguments=text)) == arguments


class Looks:
    """A look that fails as often as it is told to, and a view that counts."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.shown = 0

    def look(self):
        if self.errors:
            raise self.errors.pop()
        return [job()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def show(self, jobs):
        self.shown += 1


def test_a_spectator_looks_again_when_it_could_not_see():
    looks = Looks(StoreError("busy"), JobNotFoundError("42"))
    with Spectator(looks.look, looks):
        until(lambda: looks.shown > 1, "it looks again")


def test_a_spectator_shows_how_it_all_ended():
    looks = Looks()
    with Spectator(looks.look, looks):
        pass
    assert looks.shown > 0
