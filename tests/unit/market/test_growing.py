"""A season that grows is, frame for frame, the season it grows into."""

from dataclasses import replace
from math import isnan, nan

import pytest

from tests.unit.market.readings import AUSDC, COLUMN, FUSDC, USDC, WETH, season
from treasury_actors.clock import HOUR_NS
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.growing import GrowingSeason, frame_text
from treasury_actors.market.model.shipped import MAINNET

SHARE = COLUMN[FUSDC]


def warm() -> list[MarketFrame]:
    return [season().frame(index) for index in range(-season().warmup_count, 0)]


def grown(frames: int, warm_up: list[MarketFrame] | None = None) -> GrowingSeason:
    found = GrowingSeason(
        MAINNET, label="PAPER", source="test", warm_up=warm() if warm_up is None else warm_up
    )
    for index in range(frames):
        found.append(season().frame(index))
    return found


def test_what_was_appended_is_what_a_whole_season_would_give() -> None:
    whole, found = season(), grown(50)

    assert (found.warmup_count, found.frame_count) == (whole.warmup_count, 50)
    assert found.start_ns == whole.frame(0).time_ns
    for index in range(-whole.warmup_count, 50):
        assert frame_text(found.frame(index)) == frame_text(whole.frame(index))
    assert [frame.index for frame in found.frames()] == [*range(-240, 50)]
    assert found.newest == found.frame(49)


def test_features_of_a_growing_season_are_those_of_the_whole_one() -> None:
    mine, theirs = Features(MAINNET), Features(MAINNET)
    for frame in grown(30).frames():
        mine.append(frame)
    for index in range(-season().warmup_count, 30):
        theirs.append(season().frame(index))

    column, end = COLUMN[WETH], mine.length
    assert end == theirs.length
    assert mine.volatility(column, 168, end) == theirs.volatility(column, 168, end)
    assert mine.mean_rate(COLUMN[AUSDC], 168, end) == theirs.mean_rate(COLUMN[AUSDC], 168, end)


@pytest.mark.parametrize("index", [-241, 3, 10**6])
def test_a_frame_that_has_not_arrived_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match=r"is not in \[-240, 3\)"):
        grown(3).frame(index)


def test_the_hash_is_known_with_the_first_frame_and_never_changes() -> None:
    found = grown(1)
    first = found.data_hash

    found.append(season().frame(1))

    assert found.data_hash == first == grown(9).data_hash
    assert first != grown(1, warm_up=warm()[1:]).data_hash
    other = GrowingSeason(MAINNET, label="LIVE", source="test", warm_up=warm())
    other.append(season().frame(0))
    assert other.data_hash != first
    assert other.beginning_hash != found.beginning_hash


def test_a_season_without_a_frame_has_no_hash_and_no_start() -> None:
    empty = grown(0)

    assert empty.start_ns is None
    assert empty.newest is empty.frame(-1)
    with pytest.raises(AssertionError, match="no name yet"):
        _ = empty.data_hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"index": 4}, "consecutive"),
        ({"time_ns": 0}, "time goes forward"),
        ({"time_ns": season().frame(3).time_ns + HOUR_NS}, "an hour apart"),
        ({"ticks": (0,) * 13, "fresh": (False,) * 13}, "stays known"),
        ({"ticks": (0,) * 13}, "fresh price is known"),
        ({"ticks": (1,)}, "one column an asset"),
        ({"depth_usd": ()}, "one column a conversion"),
    ],
)
def test_what_a_season_promises_is_asserted_of_every_frame(changes: dict[str, object], message: str) -> None:
    found = grown(3)

    with pytest.raises(AssertionError, match=message):
        found.append(replace(season().frame(3), **changes))  # type: ignore[arg-type]
    assert found.frame_count == 3


def rated(frame: MarketFrame, column: int, rate: float) -> MarketFrame:
    rates = list(frame.rates)
    rates[column] = rate
    return replace(frame, rates=tuple(rates))


def test_a_vault_without_a_rate_earns_what_it_earned_in_the_week_before() -> None:
    found = grown(24)
    frame = rated(season().frame(24), SHARE, nan)

    rate = found.with_rates(frame).rates[SHARE]

    growth = frame.share_prices[SHARE] / season().frame(24 - 168).share_prices[SHARE] - 1.0
    assert rate == pytest.approx(growth * 8760 / 168)
    assert 0.0 < rate < 0.5


def test_a_rate_that_is_known_is_left_alone_and_what_is_no_share_has_none() -> None:
    frame = season().frame(24)

    found = grown(24).with_rates(frame)

    assert found.rates[COLUMN[AUSDC]] == frame.rates[COLUMN[AUSDC]]
    assert isnan(found.rates[COLUMN[USDC]])


def test_a_vault_without_a_week_of_history_keeps_what_was_known_of_its_rate() -> None:
    found = grown(5, warm_up=warm()[-20:])
    frame = rated(season().frame(5), SHARE, nan)

    assert found.with_rates(frame).rates[SHARE] == season().frame(4).rates[SHARE]


def test_a_rate_is_unknown_where_nothing_was_ever_known() -> None:
    empty = GrowingSeason(MAINNET, label="PAPER", source="test")

    assert isnan(empty.with_rates(rated(season().frame(0), SHARE, nan)).rates[SHARE])


def in_other_units(frame: MarketFrame, scale: float) -> MarketFrame:
    """Return a frame whose aUSDC is counted in shares worth `scale` times as much."""
    column = COLUMN[AUSDC]
    ticks, prices = list(frame.ticks), list(frame.share_prices)
    ticks[column], prices[column] = round(ticks[column] * scale), prices[column] * scale
    return replace(frame, ticks=tuple(ticks), share_prices=tuple(prices))


def test_a_warm_up_in_other_units_of_a_share_meets_the_chain_without_a_jump() -> None:
    column = COLUMN[AUSDC]
    found = GrowingSeason(MAINNET, label="REHEARSAL", source="test", warm_up=warm())
    found.append(in_other_units(season().frame(0), 0.8))
    changes = [
        found.frame(index).ticks[column] / found.frame(index - 1).ticks[column] for index in range(-200, 1)
    ]
    wanted = [
        season().frame(index).ticks[column] / season().frame(index - 1).ticks[column]
        for index in range(-200, 1)
    ]

    assert changes[:-1] == pytest.approx(wanted[:-1], rel=1e-9)
    assert changes[-1] == pytest.approx(1.0, abs=1e-3)
    assert found.frame(-1).share_prices[column] == pytest.approx(found.frame(0).share_prices[column])
    assert found.frame(-1).ticks[COLUMN[WETH]] == season().frame(-1).ticks[COLUMN[WETH]]


def test_a_warm_up_meets_a_first_frame_whose_share_is_not_fresh_too() -> None:
    column = COLUMN[AUSDC]
    first = replace(in_other_units(season().frame(0), 0.8), fresh=(False,) * 13)
    found = GrowingSeason(MAINNET, label="REHEARSAL", source="test", warm_up=warm())

    found.append(first)

    assert found.frame(-1).share_prices[column] == pytest.approx(first.share_prices[column])


def test_a_warm_up_of_the_same_chain_is_left_as_it_was() -> None:
    found = grown(1)

    assert frame_text(found.frame(-1)) == frame_text(season().frame(-1))


def test_a_season_after_another_has_all_of_it_for_a_warm_up() -> None:
    found = GrowingSeason.after(season(), label="REHEARSAL", source="a local chain")

    assert found.warmup_count == season().warmup_count + season().frame_count
    assert found.frame(-1).ticks == season().frame(season().frame_count - 1).ticks
    assert (found.label, found.source, found.notes) == ("REHEARSAL", "a local chain", season().notes)
