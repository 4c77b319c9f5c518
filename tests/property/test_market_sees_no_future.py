"""Nobody sees a row before it was knowable, whatever the rows are."""

from array import array
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.market.folder import DAYS, START_NS, write_folder
from treasury_actors.clock import HOUR_NS
from treasury_actors.market.adapters.csv_folder import read_folder
from treasury_actors.market.adapters.mainnet import build_season
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.series import Row, Series
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.tracks import Hours, newest, track

WARMUP_H = 48


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Series]:
    return read_folder(write_folder(tmp_path_factory.mktemp("data")))


def season_of(series: Mapping[str, Series]) -> ColumnSeason:
    return build_season(
        series,
        universe=MAINNET,
        start_ns=START_NS,
        days=DAYS,
        warmup_h=WARMUP_H,
        place="a test",
        source="a test",
    )


def replaced_after(series: Series, time_ns: int, factors: list[float]) -> Series:
    """Return `series` with every number that is knowable only after `time_ns` made another valid one."""
    values = tuple(
        array(
            "d",
            (
                number * factors[row % len(factors)] if known_ns > time_ns else number
                for row, (number, known_ns) in enumerate(zip(numbers, series.available_ns, strict=True))
            ),
        )
        for numbers in series.values
    )
    return replace(series, values=values)


@st.composite
def any_series(draw: st.DrawFn) -> Series:
    """Return rows at odd times, each known at once or hours later, in order."""
    gaps_h = draw(st.lists(st.floats(min_value=0.01, max_value=60.0), max_size=30))
    delay_ns = draw(st.sampled_from([0, 1, HOUR_NS, 24 * HOUR_NS]))
    rows, time_ns = [], HOUR_NS
    for number, gap_h in enumerate(gaps_h):
        time_ns += max(1, int(gap_h * HOUR_NS))
        rows.append(Row(event_time_ns=time_ns, available_at_ns=time_ns + delay_ns, values=(float(number),)))
    return Series.of("any", ("x",), draw(st.integers(min_value=0, max_value=72)), rows)


@given(series=any_series(), time_ns=st.integers(min_value=0, max_value=3_000 * HOUR_NS))
def test_no_row_is_visible_before_it_is_available(series: Series, time_ns: int) -> None:
    seen = series.as_of(time_ns)
    knowable = [row for row in map(series.row, range(len(series))) if row.available_at_ns <= time_ns]

    assert seen == (knowable[-1] if knowable else None)


@given(series=any_series(), start_h=st.integers(min_value=0, max_value=2_000), count=st.integers(1, 200))
def test_the_hourly_walk_sees_what_a_look_up_at_each_hour_sees(
    series: Series, start_h: int, count: int
) -> None:
    hours = Hours(start_ns=start_h * HOUR_NS, count=count)
    made = track(series, "x", hours)

    assert newest(series, hours) == [series.newest(time_ns) for time_ns in hours.times_ns()]
    for time_ns, value, fresh in zip(hours.times_ns(), made.values, made.fresh, strict=True):
        row = series.as_of(time_ns)
        assert (value == value) == (row is not None)  # noqa: PLR0124 (NaN is not itself)
        assert fresh == (row is not None and time_ns - row.available_at_ns <= series.max_age_h * HOUR_NS)


@given(
    last=st.integers(min_value=-WARMUP_H, max_value=DAYS * 24 - 30),
    factors=st.lists(st.floats(min_value=0.5, max_value=1.02), min_size=1, max_size=5),
)
def test_other_data_after_a_frame_leave_every_frame_up_to_it_bit_identical(
    data: dict[str, Series], last: int, factors: list[float]
) -> None:
    time_ns = START_NS + last * HOUR_NS
    other = season_of(
        {name: replaced_after(series, time_ns, [*factors, 0.9]) for name, series in data.items()}
    )
    season = season_of(data)

    for index in range(-WARMUP_H, last + 1):
        assert repr(other.frame(index)) == repr(season.frame(index))
    assert repr(other.frame(DAYS * 24 - 1)) != repr(season.frame(DAYS * 24 - 1))
    assert other.data_hash != season.data_hash


@given(name=st.sampled_from(["binance.ETHUSDT", "cmc.USDC", "aave.USDC", "erc4626.fUSDC", "aave_v3.weETH"]))
def test_a_row_shown_an_hour_too_early_is_caught(data: dict[str, Series], name: str) -> None:
    """The test above can fail: a source that lies about when its rows were known is told apart."""
    honest = data[name]
    early = replace(
        honest,
        event_ns=array("q", (time_ns - HOUR_NS for time_ns in honest.event_ns)),
        available_ns=array("q", (time_ns - HOUR_NS for time_ns in honest.available_ns)),
    )
    seen, peeked = season_of(data), season_of({**data, name: early})

    assert [repr(frame) for frame in seen.frames()] != [repr(frame) for frame in peeked.frames()]
