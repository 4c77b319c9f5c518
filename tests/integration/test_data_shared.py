"""Real data, where they are at hand: known extremes, the windows that must load."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.market.folder import SHARED
from treasury_actors.errors import DataError
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.csv_folder import load_season, read_source
from treasury_actors.market.adapters.sources import BTC_CANDLES, ETH_CANDLES, Source
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.utc import utc_ns

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="no real data beside the checkout (../shared/data)"
)


@pytest.fixture(scope="module")
def season() -> ColumnSeason:
    return load_season(
        SHARED, universe=MAINNET, start=datetime(2024, 5, 12, tzinfo=UTC), days=180, warmup_h=2_880
    )


def extreme(source: Source, column: str, day: datetime) -> tuple[float, float]:
    """Return the lowest and highest number of `column` among the candles of one day."""
    kept = replace(source, columns={column: source.checked[column]}, checked={})
    (series,) = read_source(SHARED, kept).values()
    first, last = (series.newest(utc_ns(day) + hours * 3_600 * 10**9) for hours in (1, 24))
    numbers = series.values[0][first : last + 1]
    return min(numbers), max(numbers)


def test_known_extremes_are_read_as_they_were() -> None:
    assert extreme(ETH_CANDLES, "low", datetime(2022, 6, 18, tzinfo=UTC))[0] == 881.56
    assert extreme(BTC_CANDLES, "low", datetime(2020, 3, 13, tzinfo=UTC))[0] == 3_782.13
    assert extreme(BTC_CANDLES, "high", datetime(2021, 11, 10, tzinfo=UTC))[1] == 69_000.0


def test_the_standard_season_is_whole_and_fresh(season: ColumnSeason) -> None:
    assert (season.frame_count, season.warmup_count, season.label) == (4_320, 2_880, "HYPOTHETICAL")
    for frame in season.frames():
        if frame.index >= 0:
            assert all(frame.fresh)
            assert all(frame.ticks)
            assert 0.0 < frame.tbill_rate < 0.06


def test_the_crash_of_august_2024_is_in_it(season: ColumnSeason) -> None:
    ether = MAINNET.column[AssetId("WETH")]
    at = (datetime(2024, 8, 5, tzinfo=UTC) - datetime(2024, 5, 12, tzinfo=UTC)).days * 24
    prices = [season.frame(index).ticks[ether] / 1e7 for index in range(at - 24, at + 24)]

    assert min(prices) < 0.82 * prices[0]


@pytest.mark.parametrize(
    ("start", "days", "priced"),
    [
        (datetime(2021, 4, 1, tzinfo=UTC), 181, {"USDC", "USDT", "WETH", "WBTC", "LINK", "aUSDC", "ETH"}),
        (datetime(2022, 4, 1, tzinfo=UTC), 181, {"USDC", "USDT", "WETH", "WBTC", "LINK", "aUSDC", "ETH"}),
        (datetime(2020, 2, 15, tzinfo=UTC), 60, {"USDC", "USDT", "WETH", "WBTC", "LINK", "ETH"}),
    ],
)
def test_an_older_window_loads_with_the_assets_that_lived_then(
    start: datetime, days: int, priced: set[str]
) -> None:
    season = load_season(SHARED, universe=MAINNET, start=start, days=days, warmup_h=480)
    last = season.frame(season.frame_count - 1)

    assert {asset.id for asset, ticks in zip(MAINNET.assets, last.ticks, strict=True) if ticks} == priced
    assert season.warmup_count == 480


def test_a_season_in_a_hole_of_the_data_is_refused_with_what_there_is() -> None:
    with pytest.raises(
        DataError, match=r"allowed: within .*\.\.2022-10-15T00:00Z, 2023-04-17T00:00Z\.\."
    ) as caught:
        load_season(SHARED, universe=MAINNET, start=datetime(2022, 11, 1, tzinfo=UTC), days=30, warmup_h=0)

    assert len(str(caught.value).splitlines()) == 1
    assert str(Path(SHARED)) in str(caught.value)
