"""The codec writes one text for one value and reads nothing else."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, NewType

import pytest

from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId
from treasury_actors.journal import codec
from treasury_actors.journal.codec import Units, decode, encode, event, upcast

Turn = NewType("Turn", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    account: str
    units: Units


@event("test_codec.moved", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    agent: AgentId
    turn: Turn
    legs: tuple[Leg, ...]
    side: Literal["in", "out"]
    weights: tuple[float | int, ...]
    pair: tuple[str, Units]
    ratio: float | None
    closed: bool
    next: "Leg | None" = None
    last: "Named | None" = None
    mood: "Mood | None" = None


class Mood(StrEnum):
    CALM = "calm"
    WILD = "wild"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    name: str

    def __post_init__(self) -> None:
        assert self.name, "a name is not empty"


@event("test_codec.sold", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class SoldV1:
    dollars: int


@event("test_codec.sold", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class SoldV2:
    cents: int


@event("test_codec.sold", version=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    cents: Units
    venue: str


@upcast("test_codec.sold.v1")
def _dollars_to_cents(old: SoldV1) -> SoldV2:
    return SoldV2(cents=old.dollars * 100)


@upcast("test_codec.sold.v2")
def _name_the_venue(old: SoldV2) -> Sold:
    return Sold(cents=old.cents, venue="unknown")


@event("test_codec.begun", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    pass


MOVED = Moved(
    agent=AgentId("trend-0007"),
    turn=Turn(12),
    legs=(Leg(account="a", units=-(10**30)), Leg(account='b"é', units=10**30)),
    side="in",
    weights=(1, 0.5),
    pair=("WETH", 3),
    ratio=None,
    closed=True,
    mood=Mood.CALM,
)
TEXT = (
    '{"agent":"trend-0007","turn":12,"legs":['
    '{"account":"a","units":"-1000000000000000000000000000000"},'
    '{"account":"b\\"\\u00e9","units":"1000000000000000000000000000000"}],"side":"in","weights":[1,0.5],'
    '"pair":["WETH","3"],"ratio":null,"closed":true,"next":null,"last":null,"mood":"calm"}'
)
TAG = "test_codec.moved.v1"


def test_an_event_is_written_in_declared_order_without_spaces_in_ascii() -> None:
    assert encode(MOVED) == TEXT


def test_what_was_written_is_read_back_equal_with_its_types() -> None:
    found = decode(TAG, TEXT)

    assert found == MOVED
    assert isinstance(found, Moved)
    assert [type(weight) for weight in found.weights] == [int, float]


def test_an_event_without_fields_is_an_empty_object() -> None:
    assert encode(Begun()) == "{}"
    assert decode("test_codec.begun.v1", "{}") == Begun()


def test_equal_floats_have_equal_bytes() -> None:
    assert encode(replace(MOVED, ratio=-0.0)) == encode(replace(MOVED, ratio=0.0))
    assert encode(replace(MOVED, ratio=1)) == encode(replace(MOVED, ratio=1.0))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ratio": math.nan}, "Moved.ratio"),
        ({"ratio": math.inf}, "Moved.ratio"),
        ({"ratio": True}, "Moved.ratio"),
        ({"turn": 2**53}, "Moved.turn"),
        ({"turn": -(2**53)}, "Moved.turn"),
        ({"turn": True}, "Moved.turn"),
        ({"turn": 1.0}, "Moved.turn"),
        ({"side": "up"}, "Moved.side"),
        ({"side": ["in"]}, "Moved.side"),
        ({"agent": 7}, "Moved.agent"),
        ({"agent": "\ud800"}, "Moved.agent"),
        ({"weights": [1]}, "Moved.weights"),
        ({"weights": (math.nan,)}, "Moved.weights"),
        ({"weights": (True,)}, "Moved.weights"),
        ({"pair": ("WETH",)}, "Moved.pair"),
        ({"legs": (Leg(account="a", units=1.5),)}, "Leg.units"),  # type: ignore[arg-type]  # the point
        ({"legs": (MOVED,)}, "Moved.legs"),
        ({"closed": 1}, "Moved.closed"),
        ({"next": Named(name="a")}, "Moved.next"),
        ({"mood": "calm"}, "Moved.mood"),
    ],
)
def test_what_has_no_text_is_refused_by_name(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvariantViolated, match=field):
        encode(replace(MOVED, **change))  # type: ignore[arg-type]  # wrong types are the point


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"turn":12,', "", "Moved lacks turn"),
        ('"turn":12,', '"turn":12,"extra":1,', "Moved has no extra"),
        ('"turn":12,', '"turn":12,"turn":12,', "'turn' stands twice"),
        ('"agent":"trend-0007","turn":12', '"turn":12,"agent":"trend-0007"', "out of order"),
        ('"turn":12', '"turn":"12"', "Moved.turn"),
        ('"turn":12', '"turn":12.0', "Moved.turn"),
        ('"turn":12', '"turn":true', "Moved.turn"),
        ('"turn":12', '"turn":9007199254740992', "Moved.turn"),
        ('"pair":["WETH","3"]', '"pair":["WETH","03"]', "Moved.pair"),
        ('"pair":["WETH","3"]', '"pair":["WETH","+3"]', "Moved.pair"),
        ('"pair":["WETH","3"]', '"pair":["WETH","1_0"]', "Moved.pair"),
        ('"pair":["WETH","3"]', '"pair":["WETH","x"]', "Moved.pair"),
        ('"pair":["WETH","3"]', '"pair":["WETH",3]', "Moved.pair"),
        ('"pair":["WETH","3"]', '"pair":["WETH"]', "Moved.pair"),
        ('"side":"in"', '"side":"up"', "Moved.side"),
        ('"ratio":null', '"ratio":NaN', "NaN"),
        ('"ratio":null', '"ratio":-Infinity', "Infinity"),
        ('"ratio":null', '"ratio":1e999', "Moved.ratio"),
        ('"ratio":null', '"ratio":1', "Moved.ratio"),
        ('"closed":true', '"closed":1', "Moved.closed"),
        ('"next":null', '"next":[]', "Moved.next"),
        ('"last":null', '"last":{"name":""}', "a name is not empty"),
        ('"mood":"calm"', '"mood":"sad"', "Moved.mood"),
        ('"legs":[', '"legs":[7,', "Moved.legs"),
        ('"account":"a",', "", "Leg lacks account"),
        ("}", "", "test_codec.moved.v1"),
    ],
)
def test_a_text_that_encode_could_not_have_written_is_refused_by_name(
    old: str, new: str, complaint: str
) -> None:
    assert old in TEXT

    with pytest.raises(ValueError, match=complaint):
        decode(TAG, TEXT.replace(old, new))


def test_an_unknown_tag_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"unknown event type test_codec\.moved\.v9"):
        decode("test_codec.moved.v9", "{}")


def test_an_event_that_was_never_registered_cannot_be_written() -> None:
    with pytest.raises(InvariantViolated, match="Leg is not registered"):
        encode(MOVED.legs[0])


def test_an_old_version_is_lifted_step_by_step_to_the_newest() -> None:
    assert decode("test_codec.sold.v1", '{"dollars":3}') == Sold(cents=300, venue="unknown")
    assert decode("test_codec.sold.v2", '{"cents":3}') == Sold(cents=3, venue="unknown")


def test_a_tag_is_taken_once() -> None:
    with pytest.raises(TypeError, match=r"test_codec\.moved\.v1 is taken by Moved"):

        @event("test_codec.moved", version=1)
        @dataclass(frozen=True, slots=True)
        class Again:
            pass


@pytest.mark.parametrize(
    ("name", "version"), [("moved", 1), ("Test.moved", 1), ("a.b c", 1), ("a.b", 0), ("", 1)]
)
def test_a_malformed_tag_is_refused(name: str, version: int) -> None:
    with pytest.raises(TypeError, match="is no event tag"):
        event(name, version=version)


def test_a_class_that_can_change_is_no_event() -> None:
    with pytest.raises(TypeError, match="no frozen dataclass with slots"):

        @event("test_codec.loose", version=1)
        @dataclass(slots=True)
        class Loose:
            pass

    with pytest.raises(TypeError, match="no frozen dataclass with slots"):

        @event("test_codec.loose", version=1)
        @dataclass(frozen=True)
        class Open:
            pass


def test_a_field_type_without_a_form_is_refused_when_the_event_is_declared() -> None:
    with pytest.raises(TypeError, match=r"Wide\.names: "):

        @event("test_codec.wide", version=1)
        @dataclass(frozen=True, slots=True)
        class Wide:
            names: dict[str, int]


def test_a_union_that_json_cannot_tell_apart_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Blurred\.what: JSON cannot tell"):

        @event("test_codec.blurred", version=1)
        @dataclass(frozen=True, slots=True)
        class Blurred:
            what: str | Units


def test_every_registered_event_can_be_written() -> None:
    assert TAG in codec.registered_tags()
