"""Values come back as the same type; what cannot be kept or read says so, and nothing is run."""

import dataclasses
import enum
import itertools
import json
import math
import subprocess
import sys
import timeit
import types
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from continuable.errors import DeserializationError, SerializationError
from continuable.serialization import Codec, Serializer, compact

T = TypeVar("T")
HERE = __name__
CODEC = Codec()


class Color(Enum):
    RED = "red"
    CRIMSON = "red"  # noqa: PIE796 - an alias, which is the point
    GREEN = ("a", 2)


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"


class Access(Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    RUN = enum.auto()


class Bits(IntFlag):
    ONE = 1
    TWO = 2


class Holder:
    class Inner(Enum):
        A = 1


@dataclass
class Point:
    x: Any
    y: Any = 0


@dataclass(frozen=True, slots=True)
class FrozenPoint:
    x: Any
    y: Any = ()


@dataclass
class NamedPoint(Point):
    name: str = ""
    instances: ClassVar[int] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlottedChild(FrozenPoint):
    z: Any


@dataclass
class Doubled:
    number: int
    factor: InitVar[int] = 2
    double: int = field(init=False)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self, factor: int) -> None:
        self.double = self.number * factor

    @cached_property
    def square(self) -> int:
        return self.number**2


@dataclass(eq=False)
class CaseInsensitive:
    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CaseInsensitive) and self.text.lower() == other.text.lower()

    __hash__ = None


@dataclass
class Box(Generic[T]):
    content: T


class Tagged(Point):
    """Inherits the fields of a dataclass, and holds more than them."""


@dataclass
class PointAndDict(dict):
    x: int = 0


class Money:
    def __init__(self, amount: Decimal, currency: str) -> None:
        self.amount, self.currency = amount, currency

    def __eq__(self, other: object) -> bool:
        return type(other) is Money and vars(self) == vars(other)

    __hash__ = None


MONEY = Serializer(
    Money, "money", dump=lambda money: (money.amount, money.currency), load=lambda p: Money(*p)
)


def back(value: Any, codec: Codec = CODEC) -> Any:
    return codec.loads(codec.dumps(value, "It"), "It")


def fingerprint(value: Any) -> Any:
    """Something that is equal for two values only if they and all in them are of the same type."""
    kind = type(value)
    content = value
    if kind in (list, tuple):
        content = [fingerprint(item) for item in value]
    elif kind in (set, frozenset):
        content = sorted(repr(fingerprint(item)) for item in value)
    elif kind is dict:
        content = [(fingerprint(key), fingerprint(item)) for key, item in value.items()]
    elif dataclasses.is_dataclass(kind):
        content = [fingerprint(getattr(value, f.name)) for f in dataclasses.fields(kind)]
    elif kind in (float, Decimal):
        content = str(value)  # a NaN equals nothing, and -0.0 equals 0.0
    elif kind in (datetime, time):
        content = value.isoformat(), value.fold, repr(value.tzinfo)
    return kind, content


ZONES = st.one_of(
    st.none(),
    st.just(UTC),
    # Whole seconds: Python itself reads an offset of some microseconds as UTC.
    st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds))),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"]).map(ZoneInfo),
)
FOLDS = st.sampled_from([0, 1])


def with_fold(value: Any, fold: int) -> Any:
    return value.replace(fold=fold)


HASHABLE_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**599, max_value=10**601),
    st.floats(),
    st.text(),
    st.binary(),
    st.dates(),
    st.builds(with_fold, st.datetimes(timezones=ZONES), FOLDS),
    st.builds(with_fold, st.times(timezones=ZONES), FOLDS),
    st.timedeltas(),
    st.decimals().filter(lambda number: not number.is_snan()),
    st.uuids(),
    st.sampled_from([*Color, *Level, *Word, *Holder.Inner]),
    st.sampled_from(Access),
    st.sampled_from(Bits),
    st.text("ab/.~ ", max_size=8).map(Path),
    st.text("ab/.~ ", max_size=8).map(PurePosixPath),
    st.builds(
        lambda root, parts: PureWindowsPath(root, *parts),
        st.sampled_from(["", "C:", "C:\\", "\\\\server\\share\\"]),
        st.lists(st.text("ab. ", min_size=1, max_size=4), max_size=3),
    ),
)
HASHABLE = st.recursive(
    HASHABLE_SCALARS,
    lambda items: st.one_of(
        st.lists(items, max_size=3).map(tuple),
        st.frozensets(items, max_size=3),
        st.builds(FrozenPoint, items, items),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE | st.just(Decimal("sNaN12")),
    lambda items: st.one_of(
        st.lists(items, max_size=3),
        st.lists(items, max_size=3).map(tuple),
        st.sets(HASHABLE, max_size=3),
        st.dictionaries(HASHABLE, items, max_size=3),
        st.dictionaries(st.sampled_from(["$", "v", "type", "a"]), items, max_size=3),
        st.builds(Point, items, items),
        st.builds(NamedPoint, items, items, st.text()),
        st.builds(SlottedChild, items, z=items),
        st.builds(Doubled, st.integers(), notes=st.lists(st.text(), max_size=2)),
        st.builds(Box, items),
    ),
    max_leaves=10,
)


@given(VALUES)
@example({"$": "tuple", "v": [1]})
@example({"$": None})
@example([-0.0, math.nan, math.inf, -math.inf])
@example([Decimal("-sNaN7"), Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+5"), Decimal("-0")])
@example([10**5000, -(10**5000), 10**600, 10**600 - 1])
@example({1: "a", "1": "b", None: 0, (1, 2): 3, True + 1: 4})
@example({"a": {"$": {"$": 1}}})
def test_every_value_comes_back_as_the_same_type(value):
    assert fingerprint(back(value)) == fingerprint(value)


@given(VALUES)
def test_the_plain_form_is_json_that_dumps_to_the_same_again(value):
    text = CODEC.dumps(value, "It")
    assert compact(json.loads(text)) == text
    assert CODEC.dumps(CODEC.loads(text, "It"), "It") == text


def test_what_json_knows_stays_as_it_is():
    value = {"a": [1, "b", None, True, 1.5]}
    assert CODEC.dump(value, "It") == value
    assert CODEC.dumps(value, "It") == '{"a":[1,"b",null,true,1.5]}'


def test_a_loaded_value_shares_nothing_with_the_plain_form():
    plain = {"list": [1]}
    CODEC.load(plain, "It")["list"].append(2)
    assert plain == {"list": [1]}


def test_an_int_is_read_back_under_the_strictest_limit_on_digits():
    program = (
        "import sys; from continuable.serialization import Codec; c = Codec();"
        "sys.set_int_max_str_digits(640);"
        "n = 10**3000; assert c.loads(c.dumps([n], 'It'), 'It') == [n]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("items", [*itertools.permutations(["b", 1, (2, 3), None])])
def test_a_set_has_one_plain_form_whatever_its_order(items):
    assert CODEC.dumps(set(items), "It") == CODEC.dumps({"b", 1, (2, 3), None}, "It")


def test_a_date_is_no_datetime():
    assert type(back(date(2024, 1, 1))) is date
    assert type(back(datetime(2024, 1, 1))) is datetime  # noqa: DTZ001 - a naive one is a value too
    assert back(UUID(int=1)) == UUID(int=1)


@pytest.mark.parametrize("fold", [0, 1])
def test_the_two_hours_of_a_clock_change_stay_apart(fold):
    value = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    assert back(value).utcoffset() == value.utcoffset() == timedelta(hours=2 - fold)
    assert back(value).tzinfo is value.tzinfo


class Odd(tzinfo):
    def utcoffset(self, _: datetime | None) -> timedelta:
        return timedelta(hours=1)


@pytest.mark.parametrize("value", [datetime(2024, 1, 1, tzinfo=Odd()), time(1, tzinfo=Odd())])
def test_a_zone_of_another_kind_is_refused_with_a_way_out(value):
    with pytest.raises(SerializationError, match=r"Odd; use datetime.timezone or ZoneInfo"):
        CODEC.dumps(value, "It")


# --- Enums


@pytest.mark.parametrize(
    "value",
    [
        Access(0),
        Access.READ | Access.WRITE,
        ~Access.READ,
        Bits(0),
        Bits.ONE | Bits.TWO,
        Bits(8),
        Bits(9),
    ],
)
def test_flags_come_back_in_any_combination(value):
    assert back(value) is value


def test_an_alias_comes_back_as_the_member_it_stands_for():
    assert back(Color.CRIMSON) is Color.RED
    assert CODEC.load({"$": "enum", "type": f"{HERE}:Color", "v": "CRIMSON"}, "It") is Color.RED


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Color", "BLUE"),
        ("Color", 1),
        ("Color", ["RED"]),
        ("Access", "READ|WRITE"),
        ("Access", 64),
        ("Access", True),
        ("Color", "__class__"),
        ("Point", "x"),
        ("Nowhere", "A"),
        ("", "A"),
    ],
)
def test_a_member_that_is_gone_cannot_be_read(name, kept):
    with pytest.raises(DeserializationError, match="It cannot be read"):
        CODEC.load({"$": "enum", "type": f"{HERE}:{name}", "v": kept}, "It")


# --- dataclasses


def test_a_dataclass_comes_back_without_running_its_init():
    value = Doubled(2, factor=5)
    assert back(value) == value
    assert back(value).double == 10


def test_a_dataclass_is_compared_by_its_own_eq():
    assert back(CaseInsensitive("Abc")) == CaseInsensitive("aBC")
    assert back(CaseInsensitive("Abc")).text == "Abc"


def test_a_cached_property_is_computed_again():
    value = Doubled(3)
    assert value.square == 9
    assert "square" not in vars(back(value))


def test_a_generic_dataclass_is_kept():
    assert back(Box[int](1)) == Box(1)


def test_a_class_of_a_script_is_kept_and_found_again(monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = "/somewhere/script.py"
    exec("from dataclasses import dataclass\n@dataclass\nclass Row:\n    x: int", vars(main))
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert CODEC.dump(main.Row(1), "It")["type"] == "script:Row"
    assert back(main.Row(1)) == main.Row(1)


def test_a_package_whose_name_its_command_shares_is_found_nevertheless(monkeypatch):
    main = types.ModuleType("__main__")
    main.__file__ = f"/usr/bin/{HERE}"
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr("continuable.serialization.named_types.importable_module", lambda _: HERE)
    assert back(Point(1)) == Point(1)


def test_a_new_field_takes_its_default():
    plain = {"$": "dataclass", "type": f"{HERE}:NamedPoint", "v": {"x": 1}}
    assert CODEC.load(plain, "It") == NamedPoint(1, 0, "")
    plain = {"$": "dataclass", "type": f"{HERE}:Doubled", "v": {"number": 1, "double": 2}}
    assert CODEC.load(plain, "It").notes == []


@pytest.mark.parametrize(
    ("kept", "complaint"),
    [({}, "has a new field 'x' without a default"), ({"x": 1, "old": 2}, "has no field 'old' now")],
)
def test_a_field_that_cannot_be_made_up_or_placed_is_an_error(kept, complaint):
    with pytest.raises(DeserializationError, match=complaint):
        CODEC.load({"$": "dataclass", "type": f"{HERE}:Point", "v": kept}, "It")


def test_an_attribute_that_is_no_field_is_not_lost_silently():
    value = Tagged(1)
    assert fingerprint(back(value)) == fingerprint(value)
    value.label = "more than the fields"
    with pytest.raises(SerializationError, match="'label' that is not one of its fields"):
        CODEC.dumps(value, "It")


def test_a_dataclass_that_is_a_dict_too_is_not_flattened():
    with pytest.raises(SerializationError, match="PointAndDict is a dataclass and a dict"):
        CODEC.dumps(PointAndDict(1), "It")


def test_a_field_that_was_never_set_is_an_error_when_dumped():
    with pytest.raises(SerializationError, match=r"Doubled .*AttributeError.*number"):
        CODEC.dumps(object.__new__(Doubled), "It")


# --- what cannot be kept


class MyInt(int): ...


class MyStr(str):
    __slots__ = ()


class MyDict(dict): ...


class MyDatetime(datetime): ...


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - the untyped kind is a tuple as well


@pytest.mark.parametrize(
    "value",
    [
        MyInt(1),
        MyStr("a"),
        MyDict(a=1),
        MyDatetime(2024, 1, 1),
        Pair(1, 2),
        OrderedDict(a=1),
        defaultdict(list),
        Counter("a"),
        deque([1]),
        bytearray(b"a"),
        1j,
        range(3),
        object(),
        len,
        Point,
        Color,
        lambda: 0,
        ValueError("x"),
        (n for n in ()),
    ],
)
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": (v,)}, Point])
def test_other_types_are_refused_and_not_flattened(value, wrap):
    with pytest.raises(SerializationError) as caught:
        CODEC.dumps(wrap(value), "The cursor of step 'x'")
    message = str(caught.value)
    assert message.startswith("The cursor of step 'x' cannot be kept: ")
    assert f"{type(value).__module__}.{type(value).__qualname__}" in message
    assert message.endswith(
        "register a Serializer for the type: App(serializers=[Serializer(...)])"
    )


def test_a_str_subclass_as_a_key_is_refused():
    with pytest.raises(SerializationError, match="MyStr"):
        CODEC.dumps({MyStr("a"): 1}, "It")


def test_a_class_in_a_function_is_refused_before_it_cannot_be_found():
    @dataclass
    class Local:
        x: int

    with pytest.raises(SerializationError, match="defined inside a function"):
        CODEC.dumps(Local(1), "It")


def test_a_class_that_its_name_does_not_lead_to_is_refused():
    made = dataclasses.make_dataclass("Made", ["x"])
    with pytest.raises(SerializationError, match=r"cannot be found again as '.*:Made'"):
        CODEC.dumps(made(1), "It")


def test_a_value_that_contains_itself_is_refused():
    value: list[Any] = []
    value.append(value)
    with pytest.raises(SerializationError, match="It cannot be kept: it contains itself"):
        CODEC.dumps(value, "It")


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def test_a_repr_that_raises_does_not_hide_the_message():
    with pytest.raises(SerializationError, match=r"Broken is not a type that can be serialised"):
        CODEC.dumps(Broken(), "It")


def test_a_long_repr_is_cut_short():
    with pytest.raises(SerializationError) as caught:
        CODEC.dumps(MyStr("a" * 10**6), "It")
    assert len(str(caught.value)) < 500


# --- Serializers


def test_a_serializer_keeps_a_type_of_ones_own_wherever_it_is():
    codec = Codec([MONEY])
    value = {"price": [Money(Decimal("1.50"), "EUR")], 1: Point(Money(Decimal(2), "USD"))}
    assert back(value, codec) == value


def test_a_serializer_wins_over_the_way_of_enums_and_dataclasses():
    codec = Codec(
        [
            Serializer(Color, "color", dump=lambda c: c.value, load=Color),
            Serializer(Point, "point", dump=lambda p: [p.x, p.y], load=lambda p: Point(*p)),
        ]
    )
    assert codec.dump(Point(1, 2), "It") == {"$": "point", "v": [1, 2]}
    assert back([Color.GREEN, Point(1, (2,))], codec) == [Color.GREEN, Point(1, (2,))]


def test_a_serializer_says_nothing_about_subclasses():
    class Coin(Money): ...

    with pytest.raises(SerializationError, match="Coin"):
        Codec([MONEY]).dumps(Coin(Decimal(1), "EUR"), "It")


def test_an_old_tag_can_still_be_read_beside_the_new_one():
    new = Serializer(
        Money, "money2", dump=lambda m: [m.currency, m.amount], load=lambda p: Money(p[1], p[0])
    )
    value = Money(Decimal(1), "EUR")
    old_text = Codec([MONEY]).dumps(value, "It")
    codec = Codec([MONEY, new])
    assert codec.loads(old_text, "It") == value
    assert codec.dump(value, "It")["$"] == "money2"


@pytest.mark.parametrize("tag", ["tuple", "enum", "dataclass", "money"])
def test_a_tag_that_is_taken_is_refused_at_once(tag):
    with pytest.raises(ValueError, match=f"Serializer.Broken, '{tag}'.: the tag '{tag}' is taken"):
        Codec([MONEY, Serializer(Broken, tag, dump=str, load=str)])


def test_a_serializer_that_would_never_be_asked_is_refused():
    with pytest.raises(ValueError, match="always kept as they are"):
        Codec([Serializer(str, "text", dump=str, load=str)])


def test_a_serializer_whose_dump_raises_is_a_serialization_error():
    codec = Codec([Serializer(Money, "money", dump=lambda m: m.nothing, load=Money)])
    with pytest.raises(SerializationError, match=r"It cannot be kept: .*Money.*AttributeError"):
        codec.dumps(Money(Decimal(1), "EUR"), "It")


def test_a_serializer_whose_dump_gives_the_value_itself_is_an_error():
    codec = Codec([Serializer(Money, "money", dump=lambda m: m, load=lambda m: m)])
    with pytest.raises(SerializationError, match="contains itself"):
        codec.dumps(Money(Decimal(1), "EUR"), "It")


def test_a_serializer_whose_load_raises_is_a_deserialization_error():
    with pytest.raises(DeserializationError, match=r"It cannot be read \(TypeError"):
        Codec([MONEY]).load({"$": "money", "v": 1}, "It")


def test_a_tag_that_nobody_registered_names_itself():
    text = Codec([MONEY]).dumps(Money(Decimal(1), "EUR"), "The cursor of step 'x'")
    with pytest.raises(DeserializationError, match=r"'x' cannot be read: unknown type 'money'"):
        CODEC.loads(text, "The cursor of step 'x'")


# --- damaged payloads

TAGS = [*CODEC._loaders, "unknown", "", None, 1, [], {}]
NAMES = [
    *(f"{HERE}:{name}" for name in ("Color", "Access", "Bits", "Point", "Doubled", "Holder.Inner")),
    *(f"{HERE}:{name}" for name in ("Money", "CODEC", "back", "", "Holder.", "PointAndDict")),
    *("os:system", "subprocess:Popen", "builtins:int", "enum:Enum", ":", "", "a" * 200, 1, None),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["RED", "x"]),
    lambda items: st.one_of(
        st.lists(items, max_size=4),
        st.dictionaries(st.text() | st.sampled_from(["$", "v", "x", "y"]), items, max_size=4),
        st.fixed_dictionaries(
            {"$": st.sampled_from(TAGS)},
            optional={
                "v": items,
                "type": st.sampled_from(NAMES),
                "zone": items | st.sampled_from(["../etc/passwd", "Europe", "Mars/Base"]),
                "fold": items,
            },
        ),
    ),
    max_leaves=12,
)


def returns_or_refuses(load, payload):
    try:
        load(payload, "It")
    except DeserializationError as error:
        assert str(error).startswith("It cannot be read")  # noqa: PT017 - either outcome is fine


@given(JSON)
@example({"$": "tuple", "v": math.nan})
@example({"$": "set", "v": [[]]})
@example({"$": "dict", "v": [[[], 1]]})
@example({"$": "decimal", "v": [0, [1], "N"]})
@example({"$": "timedelta", "v": [10**10]})
@example({"$": "dataclass", "type": f"{HERE}:PointAndDict", "v": {}})
@example({"$": "uuid", "v": 5})
def test_any_json_is_read_or_refused(plain):
    returns_or_refuses(CODEC.load, plain)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    returns_or_refuses(CODEC.loads, text)


@given(VALUES, st.data())
def test_a_damaged_payload_is_read_or_refused(value, data):
    text = CODEC.dumps(value, "It")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    patch = data.draw(st.text('0123456789{}[]",:$vae', max_size=3))
    returns_or_refuses(CODEC.loads, text[:start] + patch + text[end:])


@pytest.mark.parametrize("depth", [300, 10**5])
def test_a_payload_that_is_nested_too_deeply_is_read_or_refused(depth):
    returns_or_refuses(CODEC.loads, "[" * depth + "]" * depth)
    returns_or_refuses(CODEC.loads, '{"$":"tuple","v":[' * depth + "]}" * depth)


def test_a_value_nested_too_deeply_is_refused_when_dumped():
    value: list[Any] = []
    for _ in range(10**5):
        value = [value]
    with pytest.raises(SerializationError, match="nested too deeply"):
        CODEC.dumps(value, "It")


@pytest.mark.parametrize("text", [None, "", "not json", '{"$":', "9" * 5000])
def test_what_is_not_json_is_quoted_in_short(text):
    with pytest.raises(DeserializationError, match="It cannot be read, it is not JSON") as caught:
        CODEC.loads(text, "It")
    assert len(str(caught.value)) < 500


# --- payloads run nothing and import nothing


@pytest.fixture
def module_to_import(tmp_path, monkeypatch):
    (tmp_path / "untouched_module.py").write_text("import sys; sys.touched = True\nclass A: ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "untouched_module"
    assert not hasattr(sys, "touched")


@pytest.mark.parametrize("tag", ["enum", "dataclass"])
def test_a_payload_imports_no_module(module_to_import, tag):
    with pytest.raises(DeserializationError, match="import it at the top of the module"):
        CODEC.load({"$": tag, "type": f"{module_to_import}:A", "v": {}}, "It")
    assert module_to_import not in sys.modules


def test_a_payload_does_not_reach_through_a_lazy_module(monkeypatch):
    lazy = types.ModuleType("lazy_module")
    lazy.__getattr__ = lambda name: pytest.fail(f"asked for {name}")
    monkeypatch.setitem(sys.modules, "lazy_module", lazy)
    with pytest.raises(DeserializationError, match="unknown type 'lazy_module:A'"):
        CODEC.load({"$": "enum", "type": "lazy_module:A", "v": "A"}, "It")


class Trap:
    def __new__(cls, *args, **kwargs):
        pytest.fail("instantiated")

    __init__ = __call__ = __new__


@pytest.mark.parametrize("tag", ["enum", "dataclass"])
@pytest.mark.parametrize(
    "name", ["os:system", "subprocess:Popen", "builtins:eval", "builtins:object", f"{HERE}:Trap"]
)
@pytest.mark.parametrize("kept", ["A", 0, {}, {"args": "true"}, [["args", "true"]]])
def test_only_enums_and_dataclasses_are_made_from_a_name(tag, name, kept):
    with pytest.raises(DeserializationError):
        CODEC.load({"$": tag, "type": name, "v": kept}, "It")


@dataclass
class Explosive:
    x: int

    def __post_init__(self) -> None:
        pytest.fail("__post_init__ was run")


def test_a_dataclass_from_a_payload_runs_no_init():
    plain = {"$": "dataclass", "type": f"{HERE}:Explosive", "v": {"x": 1}}
    assert CODEC.load(plain, "It").x == 1


# --- speed


@pytest.mark.parametrize("value", [51001, {"id": 7, "name": "x", "tags": [1, 2], "at": None}])
def test_dumping_takes_at_most_a_few_times_as_long_as_json(value):
    def duration(call):
        return min(timeit.repeat(call, number=2000, repeat=7))

    # Three times on a quiet machine; the rest is for one that is not.
    assert duration(lambda: CODEC.dumps(value, "It")) < 6 * duration(lambda: json.dumps(value))
