import json

import pytest

from continuable import App
from continuable.cli.failures import Failure
from continuable.cli.reading.arguments import read_arguments

app = App()


@app.job(name="free")
def free(job, *args, **kwargs): ...


@app.job(name="numbers")
def numbers(job, a, b=0, *, scale=1): ...


@app.job(name="texts")
def texts(job, text: str, by_quotes: "str", *rest: str, key: str = ""): ...


@app.job(name="only")
def only(job, a, /): ...


@app.job(name="none")
def none(*args): ...


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("42", 42),
        ("-1.5", -1.5),
        ("true", True),
        ("null", None),
        ('"42"', "42"),
        ("[1, 2]", [1, 2]),
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ("orders.csv", "orders.csv"),
        ("", ""),
        ("True", "True"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("{not json", "{not json"),
        ("0123", "0123"),
        ("[" * 100_000, "[" * 100_000),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_what_is_json_is_read_as_json_and_all_else_is_text(word, value):
    assert read_arguments(free, [word]) == ([value], {})


def test_a_keyword_is_one_where_the_function_has_such_a_parameter():
    assert read_arguments(numbers, ["1", "b=2", "scale=3"]) == ([1], {"b": 2, "scale": 3})
    assert read_arguments(only, ["a=1"]) == (["a=1"], {})
    assert read_arguments(numbers, ["https://x.org/?q=1"]) == (["https://x.org/?q=1"], {})


def test_a_function_that_takes_all_keywords_takes_those_that_are_names():
    assert read_arguments(free, ["size=3", "a-b=3", "=3"]) == (["a-b=3", "=3"], {"size": 3})


def test_only_the_first_equals_sign_counts():
    assert read_arguments(free, ["query=a=b"]) == ([], {"query": "a=b"})


def test_a_parameter_that_is_text_gets_its_number_as_the_text_it_is():
    args, kwargs = read_arguments(texts, ["42", "007", "null", "1.0", "key=true"])
    assert args == ["42", "007", "null", "1.0"]
    assert kwargs == {"key": "true"}
    assert read_arguments(texts, ['"quoted"', "x"])[0] == ["quoted", "x"]


@pytest.mark.parametrize(
    ("job", "words", "complaint"),
    [
        (numbers, [], "missing a required argument: 'a'"),
        (numbers, ["1", "2", "3"], "too many positional arguments"),
        (numbers, ["1", "a=2"], "multiple values for argument 'a'"),
    ],
)
def test_arguments_that_do_not_fit_are_wrong_usage_and_the_function_is_shown(job, words, complaint):
    with pytest.raises(Failure) as failure:
        read_arguments(job, words)
    assert failure.value.exit_code == 2
    assert complaint in failure.value.message
    assert "numbers(job, a, b=0, *, scale=1)" in failure.value.message


def test_a_keyword_that_is_given_twice_is_refused():
    with pytest.raises(Failure, match="'b' is given twice"):
        read_arguments(numbers, ["1", "b=2", "b=3"])


def test_a_function_without_a_parameter_for_its_job_takes_what_there_is():
    assert read_arguments(none, ["1"]) == ([1], {})


def test_what_is_read_can_be_enqueued():
    args, kwargs = read_arguments(free, ["1", "two", "three=[3]"])
    assert json.loads(free.plain_arguments(args, kwargs)) == [[1, "two"], {"three": [3]}]


def test_a_function_that_takes_nothing_at_all_is_wrong_usage_like_any_other():
    """Not even the job: it cannot run, and `enqueue` in code says so, too."""
    nothing = App().job(lambda: None, name="nothing")
    with pytest.raises(Failure, match="too many positional arguments"):
        read_arguments(nothing, [])
