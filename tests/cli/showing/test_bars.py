"""Jobs drawn on a recorded console."""

from io import StringIO

import pytest
from rich.console import Console

from continuable.cli.showing.bars import BAR_WIDTH, STYLES, Screen, drawn
from continuable.cli.showing.pace import Pace
from continuable.model.states import State
from tests.cli.showing.jobs import NOON, at, job


def text_of(*jobs, pace=None, width=120):
    console = Console(record=True, width=width, file=StringIO())
    for one in jobs:
        console.print(drawn(one, pace or Pace(), NOON))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def steady_pace():
    pace = Pace()
    pace.observe(job("read", done=49_000, saved_at=at(-1)))
    pace.observe(job("read", done=51_000, saved_at=at(0)))
    return pace


def test_a_step_with_a_total_has_a_bar_and_all_its_measures():
    one = job("read", 51001, completed=["validate"], done=51_000, total=80_000, resumptions=1)
    first, second, third = text_of(one, pace=steady_pace()).splitlines()
    assert first == "process_import[42]  running  1 resumption"
    assert second == "  ✓ validate"
    assert third.startswith("  ▸ read")
    assert "━" * 10 in third
    for measure in ("63 %", "51,000 of 80,000", "2,000/s", "14 s left", "cursor 51001"):
        assert measure in third


def bar_of(line):
    return line.count("━") + line.count("╸")


@pytest.mark.parametrize(("done", "least", "most"), [(0, 0, 0), (40, 15, 15), (80, 30, 30)])
def test_a_bar_is_as_long_as_what_is_done(done, least, most):
    """Without colours, what is not done is left blank."""
    console = Console(record=True, width=120, file=StringIO(), color_system=None)
    console.print(drawn(job("read", done=done, total=80), Pace(), NOON))
    assert least <= bar_of(console.export_text()) <= most
    assert most <= BAR_WIDTH


def test_a_step_without_a_total_has_a_count_and_a_rate_and_no_bar():
    told = text_of(job("read", 51001, done=51_000), pace=steady_pace())
    assert "━" not in told
    assert "%" not in told
    assert "left" not in told
    assert "51,000 done  2,000/s  cursor 51001" in told


def test_a_job_that_is_not_running_has_no_rate():
    told = text_of(
        job("read", 51001, done=51_000, total=80_000, state=State.PAUSED), pace=steady_pace()
    )
    assert "/s" not in told
    assert "left" not in told


def test_an_error_is_shown_until_it_is_overcome():
    error = {"error": "ValueError: no"}
    assert text_of(job(state=State.FAILED, **error)).splitlines()[1] == "  ValueError: no"
    assert "ValueError" not in text_of(job(state=State.COMPLETED, **error))


def test_a_completed_job_says_how_long_it_took():
    assert text_of(job(state=State.COMPLETED, finished_at=at(200))) == (
        "process_import[42]  completed  in 3 min 20 s"
    )


def test_what_users_named_is_not_taken_for_markup():
    told = text_of(job("[bold]read[/x]", "[red]", id="[42]", completed=["[b]"], error="[/e]"))
    for name in ("process_import[[42]]", "[bold]read[/x]", '"[red]"', "✓ [b]", "[/e]"):
        assert name in told


def test_every_state_has_a_colour():
    assert set(STYLES) == set(State)


def test_a_screen_draws_jobs_in_place():
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=100, height=20)
    with Screen(console) as screen:
        screen.show([])
        screen.show([job("read", done=1, total=4)])
        screen.show([job("read", done=3, total=4), job(id="43", state=State.WAITING)])
    drawn_text = out.getvalue()
    assert "Nothing to watch." in drawn_text
    assert "\x1b[2K" in drawn_text  # a line is erased before it is drawn anew
    assert drawn_text.index("25 %") < drawn_text.index("75 %")
    assert "process_import" in drawn_text[drawn_text.index("75 %") :]


def test_a_screen_shows_a_rate_once_there_is_one():
    out = StringIO()
    with Screen(Console(file=out, force_terminal=True, width=100, height=20)) as screen:
        for second in range(3):
            screen.show([job("read", done=second * 50, total=1000, saved_at=at(second))])
    assert "50/s" in out.getvalue()
