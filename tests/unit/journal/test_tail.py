"""A tail is one line an event, safe to print."""

from dataclasses import dataclass

from treasury_actors.journal.codec import Units, event
from treasury_actors.journal.event import Head, chain
from treasury_actors.journal.tail import format_event
from treasury_actors.message import Provenance


@event("test_tail.filled", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    order: str
    units: Units
    note: str = ""


def _line(event: Filled) -> str:
    recorded = chain(
        Head(), event, stream="agent:a", time_ns=1_715_472_000 * 10**9 + 1, provenance=Provenance()
    )
    return format_event(recorded)


def test_an_event_is_time_type_stream_and_summary() -> None:
    line = _line(Filled(order="trend-0007/1/0", units=5))

    expected = '2024-05-12T00:00:00Z | test_tail.filled.v1 | agent:a | order=trend-0007/1/0 units=5 note=""'
    assert line == expected


def test_a_payload_cannot_move_the_cursor() -> None:
    line = _line(Filled(order="a", units=1, note="\x1b[2J\nrow"))

    assert line.isprintable()


def test_a_long_payload_is_cut_with_dots() -> None:
    line = _line(Filled(order="a", units=10**200))

    assert line.endswith("...")
    assert len(line) < 200
