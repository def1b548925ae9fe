from continuable.cli.showing.views import PlainView
from continuable.model.states import State
from tests.cli.showing.jobs import NOON, at, job


def told(*looks):
    """What is told at each of these looks: (seconds after noon, job)."""
    view = PlainView()
    return [list(view.lines([found], at(seconds))) for seconds, found in looks]


def test_a_job_is_told_once_until_it_changes():
    waiting = job(state=State.WAITING)
    assert told((0, waiting), (1, waiting), (2, job())) == [
        ["process_import[42] waiting"],
        [],
        ["process_import[42] running at its beginning"],
    ]


def test_steps_are_told_as_they_begin_and_end():
    assert told(
        (0, job("validate")),
        (1, job("read", 10, completed=["validate"], done=10)),
        (2, job(completed=["validate", "read"], state=State.COMPLETED)),
    ) == [
        [
            "process_import[42] step validate",
            "process_import[42] running at 'validate'",
        ],
        [
            "process_import[42] step validate completed",
            "process_import[42] step read: 10 done, cursor 10",
        ],
        [
            "process_import[42] step read completed",
            "process_import[42] completed",
        ],
    ]


def test_progress_is_told_with_every_tenth_of_the_total():
    looks = [(0, job("read", n, done=n, total=100)) for n in range(101)]
    lines = [line for lines in told(*looks)[1:] for line in lines]
    assert len(lines) == 10
    assert lines[0] == "process_import[42] step read: 10 of 100 (10 %), cursor 10"


def test_progress_without_a_total_is_told_every_ten_seconds():
    looks = [(n, job("read", n, done=n)) for n in range(31)]
    lines = [line for lines in told(*looks)[1:] for line in lines]
    assert [line.rpartition(" ")[2] for line in lines] == ["10", "20", "30"]


def test_a_job_that_stands_still_tells_nothing():
    looks = [(n, job("read", 5, done=5, total=10)) for n in range(100)]
    assert not any(told(*looks)[1:])


def test_an_interruption_is_told_with_its_reason_its_place_and_the_resume():
    interrupted = job("read", 7, state=State.INTERRUPTED, reason="stopping", run_at=at(5))
    resumed = job("read", 7, executions=2, resumptions=1)
    assert told((0, job("read", 7)), (1, interrupted), (5, resumed))[1:] == [
        ["process_import[42] interrupted (stopping), resumes in 4 s at 'read', cursor 7"],
        ["process_import[42] running, execution 2 at 'read', cursor 7"],
    ]


def test_an_execution_that_was_not_seen_in_between_is_told():
    assert told((0, job("read", 7)), (1, job("read", 7, executions=3)))[1] == [
        "process_import[42] running, execution 3 at 'read', cursor 7"
    ]


def test_an_error_is_told_with_its_place():
    failed = job("read", 7, state=State.FAILED, error="ValueError: no")
    assert told((0, failed)) == [["process_import[42] failed at 'read', cursor 7: ValueError: no"]]


def test_a_restart_tells_the_steps_anew():
    before = job(completed=["a", "b"], state=State.FAILED)
    restarted = job(state=State.WAITING, executions=1)
    again = job(completed=["a"], executions=2)
    assert told((0, before), (1, restarted), (2, again))[1:] == [
        ["process_import[42] waiting"],
        [
            "process_import[42] step a completed",
            "process_import[42] running, execution 2 after 'a'",
        ],
    ]


def test_each_job_has_lines_of_its_own():
    both = [job(id="1"), job(id="2", state=State.WAITING)]
    view = PlainView()
    assert list(view.lines(both, NOON)) == [
        "process_import[1] running at its beginning",
        "process_import[2] waiting",
    ]
    assert list(view.lines(both, NOON)) == []


def test_a_job_that_was_first_seen_interrupted_tells_its_progress_once_it_goes_on():
    waiting = job("read", 10, done=10, total=100, state=State.INTERRUPTED, reason="paused")
    going_on = [job("read", n, done=n, total=100, executions=2) for n in (10, 20)]
    assert told((0, waiting), (1, going_on[0]), (2, going_on[1]))[1:] == [
        [
            "process_import[42] step read: 10 of 100 (10 %), cursor 10",
            "process_import[42] running, execution 2 at 'read', cursor 10",
        ],
        ["process_import[42] step read: 20 of 100 (20 %), cursor 20"],
    ]


def test_a_cursor_that_is_set_without_counting_is_told_every_ten_seconds():
    looks = [(n, job("read", f"key {n}")) for n in range(21)]
    lines = [line for lines in told(*looks)[1:] for line in lines]
    assert lines == [
        'process_import[42] step read: cursor "key 10"',
        'process_import[42] step read: cursor "key 20"',
    ]
