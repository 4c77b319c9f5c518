"""A fact has two times, and only the later one lets anybody see it."""

from array import array

import pytest

from treasury_actors.clock import HOUR_NS
from treasury_actors.market.model.series import Row, Series

CANDLES = Series.of(
    "candles",
    ("close", "volume"),
    2,
    [
        Row(event_time_ns=hour * HOUR_NS, available_at_ns=(hour + 1) * HOUR_NS, values=(100.0 + hour, 1.0))
        for hour in (10, 11, 12, 20)
    ],
)


def test_a_candle_is_not_seen_before_it_closed() -> None:
    assert CANDLES.as_of(11 * HOUR_NS - 1) is None
    assert CANDLES.as_of(11 * HOUR_NS) == CANDLES.row(0)


def test_the_newest_knowable_row_is_found_however_old_it_is() -> None:
    assert CANDLES.newest(20 * HOUR_NS) == 2
    assert CANDLES.row(2).values == (112.0, 1.0)


def test_a_row_is_fresh_until_its_age_since_it_was_knowable_is_over() -> None:
    assert CANDLES.is_fresh(2, 15 * HOUR_NS)
    assert not CANDLES.is_fresh(2, 15 * HOUR_NS + 1)
    assert not CANDLES.is_fresh(-1, 0)


def test_spans_end_where_a_gap_begins() -> None:
    assert CANDLES.spans(3) == [(11 * HOUR_NS, 15 * HOUR_NS), (21 * HOUR_NS, 23 * HOUR_NS)]
    assert CANDLES.spans(8) == [(11 * HOUR_NS, 23 * HOUR_NS)]
    assert Series.of("empty", (), 1, []).spans(1) == []


@pytest.mark.parametrize(
    ("event_ns", "available_ns", "promise"),
    [
        ([2, 1], [2, 2], "oldest first"),
        ([1, 1], [1, 1], "one row a time"),
        ([1, 2], [5, 4], "in their order"),
        ([3, 4], [2, 4], "before it is so"),
        ([3], [3, 4], "two times"),
    ],
)
def test_a_series_that_breaks_its_promise_cannot_be_made(
    event_ns: list[int], available_ns: list[int], promise: str
) -> None:
    with pytest.raises(AssertionError, match=promise):
        Series(
            name="broken",
            columns=("x",),
            max_age_h=1,
            event_ns=array("q", event_ns),
            available_ns=array("q", available_ns),
            values=(array("d", [1.0] * len(event_ns)),),
        )
