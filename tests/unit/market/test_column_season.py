"""A season held in columns gives back what was put in, and nothing outside it."""

from dataclasses import replace
from math import inf, isnan, nan

import pytest

from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AssetId, ConversionId, VenueId
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import Asset

START_NS = 1_700_000_000 * 10**9
PAIR = Universe(
    name="pair",
    assets=(
        Asset(id=AssetId("USD"), decimals=6, tick_exponent=2),
        Asset(id=AssetId("X"), decimals=8, tick_exponent=1),
    ),
    conversions=(
        Conversion(
            id=ConversionId("USD>X@pool"),
            venue=VenueId("pool"),
            action="swap",
            source=AssetId("USD"),
            target=AssetId("X"),
            fee_bps=5.0,
            gas_units=1,
            data_gas_units=1,
            reduces=False,
        ),
    ),
    reserve=AssetId("USD"),
    gas=AssetId("X"),
)
COLUMNS = SeasonColumns(
    ticks=[[100, 100, 101], [0, 7, 8]],
    fresh=[[True, False, True], [False, True, True]],
    rates=[[0.01, nan, 0.03], [nan, nan, nan]],
    share_prices=[[1.0, 1.0, 1.0], [1.0, 1.5, 1.5]],
    depth_usd=[[inf, 2e6, 3e6]],
    capacity_usd=[[inf, inf, 0.0]],
    l1_gas_gwei=[nan, 20.0, 30.0],
    tbill_rate=[nan, 0.05, 0.05],
)


def season(
    columns: SeasonColumns = COLUMNS, *, start_ns: int = START_NS, warmup_count: int = 1
) -> ColumnSeason:
    """Return a season of one warm-up frame and two frames."""
    return ColumnSeason(
        columns,
        universe=PAIR,
        label="GENERATED",
        source="numbers of a test",
        notes=("nothing is real",),
        start_ns=start_ns,
        warmup_count=warmup_count,
    )


def test_a_frame_holds_the_numbers_of_its_hour_in_the_order_of_the_universe() -> None:
    frame = season().frame(1)

    assert (frame.index, frame.time_ns) == (1, START_NS + HOUR_NS)
    assert (frame.ticks, frame.fresh) == ((101, 8), (True, True))
    assert (frame.rates[0], isnan(frame.rates[1])) == (0.03, True)
    assert (frame.share_prices, frame.depth_usd, frame.capacity_usd) == ((1.0, 1.5), (3e6,), (0.0,))
    assert (frame.l1_gas_gwei, frame.tbill_rate) == (30.0, 0.05)


def test_frames_yields_the_warm_up_first_and_each_frame_once() -> None:
    made: Season = season()

    assert [frame.index for frame in made.frames()] == [-1, 0, 1]
    assert [frame.time_ns - START_NS for frame in made.frames()] == [-HOUR_NS, 0, HOUR_NS]
    assert (made.warmup_count, made.frame_count) == (1, 2)


@pytest.mark.parametrize("index", [-2, 2, 100])
def test_a_frame_outside_the_season_cannot_be_asked_for(index: int) -> None:
    with pytest.raises(IndexError, match=r"not in \[-1, 2\)"):
        season().frame(index)


def test_the_data_hash_is_the_same_on_every_machine() -> None:
    assert season().data_hash == "eea7be8348897ab7da278c1fbc048aff708448bac92df79f20b5b21c01407bca"


def test_columns_come_back_as_they_were_given() -> None:
    assert season(season().columns).data_hash == season().data_hash


@pytest.mark.parametrize(
    "other",
    [
        replace(COLUMNS, ticks=[[100, 100, 102], [0, 7, 8]]),
        replace(COLUMNS, fresh=[[True, True, True], [False, True, True]]),
        replace(COLUMNS, rates=[[0.01, 0.0, 0.03], [nan, nan, nan]]),
        replace(COLUMNS, share_prices=[[1.0, 1.0, 1.0], [1.0, 1.5, 1.6]]),
        replace(COLUMNS, depth_usd=[[inf, 2e6, 4e6]]),
        replace(COLUMNS, capacity_usd=[[inf, inf, 1.0]]),
        replace(COLUMNS, l1_gas_gwei=[nan, 20.0, 31.0]),
        replace(COLUMNS, tbill_rate=[nan, 0.05, nan]),
    ],
)
def test_the_data_hash_changes_with_any_number(other: SeasonColumns) -> None:
    assert season(other).data_hash != season().data_hash


def test_the_data_hash_changes_with_the_time_and_with_what_is_warm_up() -> None:
    assert season(start_ns=START_NS + HOUR_NS).data_hash != season().data_hash
    assert season(warmup_count=2).data_hash != season().data_hash


def test_the_data_hash_knows_only_one_nan() -> None:
    odd_nan = -nan
    other = replace(COLUMNS, rates=[[0.01, odd_nan, 0.03], [nan, odd_nan, nan]])

    assert season(other).data_hash == season().data_hash


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (replace(COLUMNS, ticks=[[100, 0, 101], [0, 7, 8]]), "once known is positive"),
        (replace(COLUMNS, ticks=[[100, -1, 101], [0, 7, 8]]), "once known is positive"),
        (replace(COLUMNS, fresh=[[True, True, True], [True, True, True]]), "a fresh price is known"),
        (replace(COLUMNS, rates=[[0.01, inf, 0.03], [nan, nan, nan]]), "a rate is finite"),
        (replace(COLUMNS, share_prices=[[1.0, 1.0, 1.0], [0.0, 1.5, 1.5]]), "share price is positive"),
        (replace(COLUMNS, share_prices=[[1.0, 1.0, 1.0], [1.0, nan, 1.5]]), "share price is a number"),
        (replace(COLUMNS, depth_usd=[[nan, 1.0, 1.0]]), "depth or capacity"),
        (replace(COLUMNS, capacity_usd=[[-1.0, 1.0, 1.0]]), "depth or capacity"),
        (replace(COLUMNS, l1_gas_gwei=[1.0, nan, 1.0]), "gas price is known"),
        (replace(COLUMNS, l1_gas_gwei=[-1.0, 1.0, 1.0]), "gas price is finite"),
        (replace(COLUMNS, tbill_rate=[0.05, 0.05]), "one number an hour"),
        (replace(COLUMNS, ticks=[[1, 2], [3, 4]]), "one number an hour"),
        (replace(COLUMNS, ticks=[[100, 100, 101]]), "one column an asset"),
    ],
)
def test_a_season_that_breaks_its_promise_cannot_be_made(broken: SeasonColumns, promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        season(broken)


def test_a_season_has_a_frame_after_its_warm_up() -> None:
    with pytest.raises(AssertionError, match="at least one frame"):
        season(warmup_count=3)
