"""The demo with few rows, and real worker processes that are stopped and killed."""

import re
from contextlib import closing

import pytest

from continuable.demo import show
from continuable.demo.screen import LiveScreen, Screen
from continuable.demo.table import Table
from continuable.demo.upload import balance, data_of, make_csv, rows_of
from continuable.sources import csv_rows

ROWS = 4_000
REDONE = re.compile(r"Rows redone: ([\d,]+)\. Executions: (\d+)")


def redone_and_executions(told: str) -> tuple[int, int]:
    redone, executions = REDONE.search(told).groups()
    return int(redone.replace(",", "")), int(executions)


@pytest.mark.slow
def test_a_deploy_and_a_crash_redo_nothing_where_rows_and_cursor_are_committed_together(capsys):
    assert show(rows=ROWS) == 0
    told = capsys.readouterr().out
    assert re.search(r"SIGTERM at row 2,\d{3}: interrupted after row 2,\d00", told)
    assert re.search(r"SIGKILL at row 3,\d{3}: progress was saved last after row 3,\d00", told)
    assert [re.findall(rf"Step {step} is completed", told) for step in STEPS] == [
        [f"Step {step} is completed"] for step in STEPS
    ]
    assert "All 4,000 rows are in the table, each exactly once." in told
    assert redone_and_executions(told) == (0, 3)


STEPS = ("validate", "process_records", "finalize")


@pytest.mark.slow
@pytest.mark.sample
def test_without_commit_a_crash_redoes_a_little_and_a_deploy_nothing(capsys):
    assert show(rows=ROWS, commit=False) == 0
    told = capsys.readouterr().out
    resumed = re.findall(r"resumes at row [\d,]+, [\d.]+ s later; rows redone: ([\d,]+)", told)
    assert resumed[0] == "0"
    assert "All 4,000 rows are in the table, each exactly once." in told
    redone, executions = redone_and_executions(told)
    assert redone == int(resumed[1].replace(",", ""))
    assert executions == 3


@pytest.mark.slow
def test_without_continuations_the_import_starts_over_and_rows_are_there_twice(capsys):
    assert show(rows=ROWS, plain=True) == 1
    told = capsys.readouterr().out
    assert "SIGTERM" in told
    assert "SIGKILL" not in told
    assert re.search(r"Release 2 starts over at row 1, [\d.]+ s later", told)
    redone, executions = redone_and_executions(told)
    assert redone > ROWS // 2
    assert f"4,000 rows in the file, {ROWS + redone:,} in the table: {redone:,} too many." in told
    assert executions == 2


@pytest.mark.slow
def test_a_file_of_ones_own(tmp_path, capsys):
    path = tmp_path / "people.csv"
    people = "".join(f'{n},"Zoë\nno. {n}"\r\n' for n in range(1_000))
    path.write_text(f"\ufeffid,name\r\n{people}", encoding="utf-8", newline="")
    assert show(csv=path, kill=False) == 0
    told = capsys.readouterr().out
    assert "All 1,000 rows are in the table, each exactly once." in told
    assert redone_and_executions(told) == (0, 2)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("commit", [True, False], ids=["commit", "no commit"])
def test_an_import_that_is_over_before_it_can_be_stopped_is_not_said_to_resume(
    rows, commit, capsys
):
    assert show(rows=rows, commit=commit) == 0
    told = capsys.readouterr().out
    assert "at row 0" not in told, "nothing was stopped before there was a row"
    assert redone_and_executions(told)[0] == sum(
        int(redone) for redone in re.findall(r"; rows redone: (\d+)", told)
    )
    resumed = re.findall(r"Release \d resumes", told)
    assert len(resumed) == redone_and_executions(told)[1] - 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "No such file"), (b"name\n\xff\n", "cannot be read as a CSV file in UTF-8")],
    ids=["missing", "not UTF-8"],
)
def test_a_file_that_cannot_be_read(tmp_path, capsys, content, complaint):
    path = tmp_path / "orders.csv"
    if content is not None:
        path.write_bytes(content)
    assert show(csv=path) == 1
    assert complaint in capsys.readouterr().err


def test_a_row_that_does_not_fit_the_header_is_said_before_anything_is_imported(tmp_path, capsys):
    path = tmp_path / "orders.csv"
    path.write_text("order,amount\n1,2\n1,2,3\n")
    assert show(csv=path) == 1
    error = capsys.readouterr().err
    assert "The import failed: " in error
    assert "the row at byte 17 has 3 fields" in error


def test_the_file_that_is_made_has_what_makes_csv_hard(tmp_path):
    path = tmp_path / "orders.csv"
    make_csv(path, 50)
    rows = list(rows_of(path))
    assert len(rows) == 50
    assert any("\n" in row["note"] for row in rows)
    assert any(not row["note"].isascii() for row in rows)
    assert [row for row, _ in csv_rows(path).items(None)] == rows


@pytest.fixture
def table(tmp_path):
    with closing(Table(str(tmp_path / "demo.db"))) as table:
        table.create()
        yield table


@pytest.mark.parametrize(
    ("numbers", "is_exact", "says"),
    [
        ([1, 2, 3], True, "All 3 rows are in the table, each exactly once."),
        ([1, 2, 2, 3], False, "3 rows in the file, 4 in the table: 1 too many."),
        ([1, 3], False, "3 rows in the file, 2 in the table: they are not the same."),
        ([], False, "3 rows in the file, 0 in the table: they are not the same."),
    ],
    ids=["exact", "one twice", "one missing", "empty"],
)
def test_the_balance_tells_what_is_missing_and_what_is_there_twice(
    tmp_path, table, numbers, is_exact, says
):
    path = tmp_path / "orders.csv"
    make_csv(path, 3)
    data = [data_of(row) for row in rows_of(path)]
    with table.transaction():
        table.insert([(number, data[number - 1], "") for number in numbers])
    found = balance(table, path)
    assert (found.is_exact, str(found)) == (is_exact, says)


def test_the_balance_sees_a_row_with_other_data(tmp_path, table):
    path = tmp_path / "orders.csv"
    make_csv(path, 1)
    with table.transaction():
        table.insert([(1, "{}", "")])
    assert not balance(table, path).is_exact


def test_the_balance_tells_how_many_rows_were_written_again(tmp_path, table):
    path = tmp_path / "orders.csv"
    make_csv(path, 2)
    data = [data_of(row) for row in rows_of(path)]
    for number in (1, 2, 2):
        with table.transaction():
            table.put(f"row {number}", (number, data[number - 1], ""))
    found = balance(table, path)
    assert (found.is_exact, found.redone) == (True, 1)


def test_plain_lines_tell_each_tenth_once(capsys):
    screen = Screen()
    for row in (0, 5, 10, 12, 19, 20, 20):
        screen.follow(1, "process_records", row, 100)
    assert capsys.readouterr().out.splitlines() == [
        "  release 1  process_records  10 of 100 rows",
        "  release 1  process_records  20 of 100 rows",
    ]


def test_a_live_screen_has_one_bar_with_events_above_it(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with LiveScreen() as screen:
        screen.follow(1, "validate", 0, 100)
        screen.say("SIGTERM at row 50: [stopped]", "deploy")
        screen.follow(2, "process_records", 50, 100)
    event, bar = capsys.readouterr().out.splitlines()
    assert event == "SIGTERM at row 50: [stopped]"
    assert bar.startswith("  release 2  process_records ")
    assert "50 of 100 rows 50 %" in bar
