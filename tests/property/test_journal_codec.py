"""Whatever an event holds, it is read back equal, and its text is the only one it has."""

from dataclasses import dataclass
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.journal.codec import Units, decode, encode, event


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    units: Units


@event("test_journal_codec.any", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Anything:
    text: str
    units: Units
    count: int
    ratio: float
    flag: bool
    maybe: float | None
    kind: Literal["a", "b", 3, True] | None
    state: tuple[float | int, ...]
    parts: tuple[Part, ...]
    pair: tuple[str, tuple[Units, bool]]
    part: Part | None


text = st.text(st.characters(exclude_categories=["Cs"]))
units = st.integers(-(2**256), 2**256)
count = st.integers(-(2**53) + 1, 2**53 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
part = st.builds(Part, name=text, units=units)
anything = st.builds(
    Anything,
    text=text,
    units=units,
    count=count,
    ratio=finite,
    flag=st.booleans(),
    maybe=st.none() | finite,
    kind=st.sampled_from(["a", "b", 3, True, None]),
    state=st.lists(finite | count, max_size=4).map(tuple),
    parts=st.lists(part, max_size=3).map(tuple),
    pair=st.tuples(text, st.tuples(units, st.booleans())),
    part=st.none() | part,
)


@given(anything)
def test_an_event_is_read_back_equal_and_written_again_to_the_same_bytes(value: Anything) -> None:
    written = encode(value)
    found = decode("test_journal_codec.any.v1", written)

    assert found == value
    assert encode(found) == written
    assert written.isascii()


@given(anything, anything)
def test_two_events_have_the_same_bytes_exactly_if_they_are_equal(one: Anything, other: Anything) -> None:
    if encode(one) == encode(other):
        assert one == other
    if repr(one) == repr(other):
        assert encode(one) == encode(other)


@given(anything, st.data())
def test_a_changed_text_is_refused_or_means_something_else(value: Anything, data: st.DataObject) -> None:
    written = encode(value)
    place = data.draw(st.integers(0, len(written) - 1))
    changed = written[:place] + data.draw(st.sampled_from('0"a,:}]-. ')) + written[place + 1 :]

    try:
        found = decode("test_journal_codec.any.v1", changed)
    except ValueError:
        return
    assert changed == written or found != value or encode(found) != changed
