"""A job as plain data: written, read, and refused where it is damaged."""

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from continuable.errors import DeserializationError
from continuable.model.payload import Enqueued, Enqueueing, JobRecord
from continuable.serialization import Codec

FULL = JobRecord(
    id="import-42",
    name="shop.process_import",
    arguments='[[42,{"$":"tuple","v":[1]}],{"dry":true}]',
    queue="imports",
    priority=3,
    executions=2,
    resumptions=1,
    progress={"completed": ["validate"], "current": ["process_records", 433]},
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(), items, max_size=3),
    max_leaves=5,
)


def read_or_refused(text):
    try:
        record = JobRecord.from_json(text)
    except DeserializationError as error:
        assert len(str(error)) < 1000  # noqa: PT017 - either outcome is fine
    else:
        assert isinstance(record.id, str)
        assert isinstance(record.progress, dict)
        assert JobRecord.from_json(record.to_json()) == record


def test_a_record_survives_the_way_to_json_and_back():
    assert JobRecord.from_json(FULL.to_json()) == FULL


def test_a_new_record_has_come_nowhere():
    record = JobRecord(id="1", name="job")
    assert JobRecord.from_json(record.to_json()) == record
    assert (record.executions, record.resumptions, record.progress) == (0, 0, {})


@given(
    st.builds(JobRecord, id=st.text(), name=st.text(), progress=st.dictionaries(st.text(), JSON))
)
def test_every_record_survives_the_way_to_json_and_back(record):
    assert JobRecord.from_json(record.to_json()) == record


def test_the_payload_is_one_line_that_people_can_read():
    text = FULL.to_json()
    assert "\n" not in text
    assert json.loads(text) == {
        "v": 1,
        "id": "import-42",
        "name": "shop.process_import",
        "args": [42, {"$": "tuple", "v": [1]}],
        "kwargs": {"dry": True},
        "queue": "imports",
        "priority": 3,
        "executions": 2,
        "resumptions": 1,
        "delivery": 0,
        "progress": {"completed": ["validate"], "current": ["process_records", 433]},
    }


def test_the_arguments_stay_in_the_plain_form_of_the_codec():
    arguments = Codec().dumps([[(1, 2)], {"far": math.inf}], "The arguments")
    record = JobRecord.from_json(JobRecord(id="1", name="job", arguments=arguments).to_json())
    assert Codec().loads(record.arguments, "The arguments") == [[(1, 2)], {"far": math.inf}]


def test_what_a_later_release_adds_is_ignored():
    text = json.dumps({**json.loads(FULL.to_json()), "colour": "blue"})
    assert JobRecord.from_json(text) == FULL


def test_a_payload_of_another_version_says_which_release_to_use():
    text = json.dumps({**json.loads(FULL.to_json()), "v": 2})
    with pytest.raises(DeserializationError, match="version 2, but this release reads version 1"):
        JobRecord.from_json(text)


@pytest.mark.parametrize("key", json.loads(FULL.to_json()))
def test_a_payload_that_lacks_a_key_is_refused(key):
    plain = json.loads(FULL.to_json())
    del plain[key]
    with pytest.raises(DeserializationError, match=f"Unreadable payload .*{key}"):
        JobRecord.from_json(json.dumps(plain))


@pytest.mark.parametrize("key", json.loads(FULL.to_json()))
@pytest.mark.parametrize("value", [True, 1.5, "1", [["a"]], {"a": 1}, None])
def test_a_payload_with_a_value_of_another_type_is_refused_or_right(key, value):
    read_or_refused(json.dumps({**json.loads(FULL.to_json()), key: value}))


@pytest.mark.parametrize(
    "text", ["", "null", "1", '"v"', "[]", "{}", "[" * 10**5, "9" * 5000, None]
)
def test_what_is_no_payload_is_quoted_in_short(text):
    with pytest.raises(DeserializationError, match="Unreadable payload") as caught:
        JobRecord.from_json(text)
    assert len(str(caught.value)) < 1000


@given(st.data())
@example(None)
def test_a_damaged_payload_is_read_or_refused(data):
    text = FULL.to_json()
    if data is None:
        return read_or_refused(text[:-1])
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    patch = data.draw(st.text('0123456789{}[]",:$vae', max_size=3))
    return read_or_refused(text[:start] + patch + text[end:])


def test_records_share_no_progress():
    JobRecord(id="1", name="job").progress["done"] = 1
    assert JobRecord(id="2", name="job").progress == {}


def test_an_enqueueing_is_at_once_unless_it_says_otherwise():
    enqueueing = Enqueueing(record=FULL)
    assert (enqueueing.run_at, enqueueing.wait, enqueueing.unique) == (None, 0.0, None)
    assert not enqueueing.has_chosen_id
    assert Enqueued("1", is_new=False) == Enqueued("1", is_new=False)
