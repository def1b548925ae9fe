"""Progress is serialised in parts, and reads as if it had been serialised as a whole."""

import contextlib

import hypothesis.strategies as st
import pytest
from hypothesis import given

from continuable import InvalidStepError
from continuable.core import continuation as module
from continuable.core.continuation import Continuation
from continuable.core.growing import GrowingJson
from continuable.core.position import Position
from continuable.serialization import Codec, compact
from tests.core.executing import execute, execute_with, progress_of

NAMES = st.text(max_size=4)
VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.floats(), max_size=2)
DONE_BEFORE = st.lists(NAMES, unique=True, max_size=4)
TURNS = st.lists(
    st.tuples(st.sampled_from(["complete", "leave", "state"]), NAMES, VALUES), max_size=20
)


@given(data=st.data(), before=DONE_BEFORE, turns=TURNS, current=st.none() | NAMES)
def test_the_text_is_that_of_the_plain_form(data, before, turns, current):
    some_of_them = st.sets(st.sampled_from(before)) if before else st.just(())
    removed = data.draw(some_of_them)
    progress = {"completed": list(before), "values": dict.fromkeys(data.draw(some_of_them), 7)}
    if current is not None and current not in before:
        progress["current"] = [current, 3]
    continuation = Continuation(progress, Codec(), removed_steps=removed)
    come_by(continuation, before, removed, data)
    for turn, name, value in turns:
        take(continuation, turn, name, value)
        if turn != "leave":
            assert continuation.to_json() == compact(continuation.plain())


def come_by(continuation, before, removed, data):
    """The completed steps come again, some under another name."""
    for name in before:
        if name not in removed:
            renamed = data.draw(st.none() | st.just(f"{name} anew"))
            continuation.encounter(renamed or name, name if renamed else None)
        if data.draw(st.booleans()):
            assert continuation.to_json() == compact(continuation.plain())


def take(continuation, turn, name, value):
    if turn == "state":
        continuation.state[name] = value
        return
    with contextlib.suppress(InvalidStepError):
        if continuation.encounter(name):
            return
        continuation.begin(Position(Codec(), lambda: None, name, value))
        continuation.leave()
        if turn == "complete":
            assert continuation.complete(name, value) == compact(continuation.plain())


def test_what_is_completed_is_serialised_once(monkeypatch):
    continuation = Continuation({}, Codec())
    written = []

    def writing(plain):
        written.append(text := compact(plain))
        return text

    monkeypatch.setattr("continuable.core.growing.compact", writing)
    for number in range(100):
        assert not continuation.encounter(f"step {number}")
        continuation.complete(f"step {number}", number)
    # The first time there is no text to add to.
    assert written == [
        *('["step 0"]', '{"step 0":0}'),
        *(text for n in range(1, 100) for text in (f'{{"step {n}":{n}}}', f'["step {n}"]')),
    ]


def test_a_step_that_could_not_be_kept_leaves_no_trace_in_the_text(monkeypatch):
    continuation = Continuation({}, Codec(), size_limit=100)
    monkeypatch.setattr(module, "LARGE", 90)
    continuation.complete("a", 1)
    with pytest.raises(TypeError):
        continuation.complete("b", "x" * 100)
    assert continuation.complete("c", 2) == '{"completed":["a","c"],"values":{"a":1,"c":2}}'


def test_a_value_that_was_there_already_is_replaced():
    continuation = Continuation({"completed": [], "values": {"a": 1, "b": 2}}, Codec())
    continuation.to_json()
    assert continuation.complete("a", 3) == '{"completed":["a"],"values":{"a":3,"b":2}}'


@pytest.mark.parametrize("items", [[], ["a"], {}, {"a": 1}])
def test_the_text_of_what_has_not_grown(items):
    assert GrowingJson().text_of(items) == compact(items)[1:-1]


def test_a_name_that_comes_again_is_refused_however_many_there_are(app):
    @app.job
    def work(job):
        for number in range(5):
            job.step(lambda: None, name=f"step {number}")
        job.step(lambda: None, name="step 3")

    first = execute(work)
    again = execute_with(work, progress_of(first))
    for outcome in (first, again):
        assert "has already been encountered" in outcome.report.summary
