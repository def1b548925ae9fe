"""The page about the queues says what their flags say, and the suite asks for each flag."""

import inspect

import pytest

from continuable.conformance import bad_times, capabilities, queues
from continuable.queues.capabilities import Capabilities
from tools import capabilities as generator

SUITES = "".join(map(inspect.getsource, (bad_times, capabilities, queues)))
FLAGS = [name for name in vars(Capabilities) if not name.startswith("_")]


def test_the_page_is_what_its_generator_gives():
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), (
        f"docs/queues/README.md is out of date: `{generator.COMMAND}` writes it anew"
    )


def test_every_flag_is_a_question_on_the_page():
    questions = dict(generator.questions())
    assert list(questions) == FLAGS
    assert all(question.endswith("?") for question in questions.values())


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_is_one_that_the_suite_for_queues_asks_for(flag: str):
    assert f"app.queue.{flag}" in SUITES


@pytest.mark.parametrize("queue", generator.QUEUES.values())
def test_a_queue_has_no_flag_that_is_not_on_the_page(queue: type[Capabilities]):
    own = {name for name in vars(queue) if name.startswith(("supports_", "runs_", "can_"))}
    assert own <= set(FLAGS)
