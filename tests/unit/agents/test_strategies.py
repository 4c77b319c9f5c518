"""What each shipped strategy does, in markets made for the purpose."""

from math import nan
from typing import Any

import pytest

from tests.unit.agents.markets import START_USD, ask, market, view_of
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.targets import worthwhile
from treasury_actors.agents.model.view import KEEP
from treasury_actors.agents.registry import SHIPPED, families
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Universe

FAMILY: dict[str, Family] = {family.id: family for family in SHIPPED}

RATES = {"aUSDC": [0.05], "aUSDT": [0.04], "steakUSDC": [0.06], "fUSDC": [0.03]}
STAKING = {"aWETH": [0.018], "wstETH": [0.030], "weETH": [0.028]}


def genome(name: str, **chosen: int) -> tuple[int, ...]:
    """Return genes of a family: those chosen, the lowest allowed for the rest."""
    genes = FAMILY[name].genes
    assert set(chosen) <= {gene.name for gene in genes}
    return tuple(chosen.get(gene.name, gene.low) for gene in genes)


def stale(features: Features, *names: str) -> Features:
    """Append a frame like the last, in which the named assets are stale."""
    end = features.length - 1
    features.append(
        MarketFrame(
            index=end + 1,
            time_ns=end + 1,
            ticks=tuple(ticks[end] for ticks in features.ticks),
            fresh=tuple(asset.id not in names for asset in MAINNET.assets),
            rates=tuple(rates[end] for rates in features.rates),
            share_prices=(1.0,) * len(MAINNET.assets),
            depth_usd=(1.0,) * len(MAINNET.conversions),
            capacity_usd=(1.0,) * len(MAINNET.conversions),
            l1_gas_gwei=1.0,
            tbill_rate=nan,
        )
    )
    return features


def decide(
    name: str, genes: tuple[int, ...], features: Features, weights: tuple[float, ...], **remembered: float
) -> tuple[Any, list[float]]:
    """Return new state and answer at the end of a market, with the given memories, at frame 1000."""
    chosen = FAMILY[name]
    view = view_of(chosen, features, 1_000, weights)
    return chosen.decide(chosen.state(**remembered), view, chosen.genome(*genes))


def climbing(length: int, hourly: float) -> list[float]:
    return [START_USD["WETH"] * (1.0 + hourly) ** hour for hour in range(length)]


# the registry


def test_families_come_in_the_order_of_their_names() -> None:
    names = list(families(MAINNET))
    assert names == sorted(names)
    assert len(names) == 8


def test_a_family_is_left_out_of_a_universe_that_lacks_its_assets() -> None:
    dollars = Universe(
        name="dollars",
        assets=tuple(a for a in MAINNET.assets if a.id in {"USDC", "aUSDC"}),
        conversions=(),
        reserve=MAINNET.reserve,
        gas=MAINNET.gas,
    )
    assert list(families(dollars)) == ["idle_cash", "lending_rotation"]


def test_no_genome_warms_up_for_more_than_120_days() -> None:
    assert FAMILY["trend"].warmup_h(tuple(gene.high for gene in FAMILY["trend"].genes)) == 2_880


# worthwhile


def test_a_drift_within_the_band_is_kept_and_beyond_it_is_put_right() -> None:
    view = view_of(FAMILY["threshold_rebalance"], market(1), 0, (0.45, 0.3, 0.2))
    assert worthwhile(view, [0.5, 0.3, 0.2], 0.2) == KEEP
    assert worthwhile(view, [0.5, 0.3, 0.2], 0.05) == [0.5, 0.3, 0.2]


def test_a_position_is_closed_however_wide_the_band() -> None:
    view = view_of(FAMILY["threshold_rebalance"], market(1), 0, (0.05, 0.0, 0.0))
    assert worthwhile(view, [0.0, 0.0, 0.0], 0.9) == [0.0, 0.0, 0.0]


def test_what_is_unknown_or_stale_stays_and_the_rest_makes_room_for_it() -> None:
    features = stale(market(2), "WBTC")
    view = view_of(FAMILY["threshold_rebalance"], features, 0, (0.2, 0.3, 0.1))
    assert worthwhile(view, [nan, 0.0, 1.0], 0.1) == pytest.approx([0.2, 0.3, 0.5])


def test_what_has_made_all_the_room_it_can_is_kept() -> None:
    features = stale(market(2), "WBTC")
    view = view_of(FAMILY["threshold_rebalance"], features, 0, (0.0, 0.3, 0.7))
    assert worthwhile(view, [0.0, 0.0, 1.0], 0.1) == KEEP


# idle_cash


def test_idle_cash_declares_nothing_and_does_nothing() -> None:
    assert FAMILY["idle_cash"].assets(MAINNET) == ()
    assert ask(FAMILY["idle_cash"], (), market(5)) == KEEP


# lending_rotation

LEND_ALL = {"venues_mask": 15, "max_share_bps": 10_000}


def test_lending_venues_are_the_shares_of_dollars() -> None:
    assert FAMILY["lending_rotation"].assets(MAINNET) == ("aUSDC", "aUSDT", "steakUSDC", "fUSDC")


def test_lending_starts_at_the_best_rate() -> None:
    genes = genome("lending_rotation", **LEND_ALL)
    assert ask(FAMILY["lending_rotation"], genes, market(3, rates=RATES)) == [0.0, 0.0, 1.0, 0.0]


def test_lending_fills_venues_in_the_order_of_their_rates_up_to_the_largest_share() -> None:
    genes = genome("lending_rotation", venues_mask=15, max_share_bps=4_000)
    targets = ask(FAMILY["lending_rotation"], genes, market(3, rates=RATES))
    assert targets == pytest.approx([0.4, 0.2, 0.4, 0.0])


def test_lending_leaves_out_a_venue_its_mask_forbids() -> None:
    genes = genome("lending_rotation", venues_mask=0b1011, max_share_bps=10_000)
    assert ask(FAMILY["lending_rotation"], genes, market(3, rates=RATES)) == [1.0, 0.0, 0.0, 0.0]


def test_lending_stays_while_the_gain_is_within_the_hysteresis() -> None:
    held = (0.99, 0.0, 0.0, 0.0)
    stays = genome("lending_rotation", **LEND_ALL, hysteresis_bps=150)
    moves = genome("lending_rotation", **LEND_ALL, hysteresis_bps=50)
    features = market(3, rates=RATES)
    assert decide("lending_rotation", stays, features, held)[1] == KEEP
    assert decide("lending_rotation", moves, features, held)[1] == [0.0, 0.0, 1.0, 0.0]


def test_lending_holds_a_venue_it_entered_for_its_time() -> None:
    genes = genome("lending_rotation", **LEND_ALL, min_hold_h=100)
    features = market(3, rates=RATES)
    state, targets = decide("lending_rotation", genes, features, (0.0, 0.0, 0.0, 0.0))
    assert targets == [0.0, 0.0, 1.0, 0.0]
    assert state.free_frame == 1_100
    held = (0.99, 0.0, 0.0, 0.0)
    assert decide("lending_rotation", genes, features, held, free_frame=1_100.0)[1] == KEEP
    assert decide("lending_rotation", genes, features, held, free_frame=1_000.0)[1] != KEEP


def test_lending_puts_new_cash_to_work_while_it_holds() -> None:
    genes = genome("lending_rotation", **LEND_ALL, min_hold_h=100)
    state, targets = decide(
        "lending_rotation", genes, market(3, rates=RATES), (0.7, 0.0, 0.0, 0.0), free_frame=1_050.0
    )
    assert targets == [1.0, 0.0, 0.0, 0.0]
    assert state.free_frame == 1_050.0, "adding to a venue isn't entering it"


def test_lending_does_not_leave_a_venue_whose_rate_is_unknown() -> None:
    genes = genome("lending_rotation", **LEND_ALL)
    unknown = RATES | {"aUSDC": [0.05, nan]}
    held = (0.6, 0.0, 0.0, 0.0)
    targets = decide("lending_rotation", genes, market(3, rates=unknown), held)[1]
    assert targets == pytest.approx([0.6, 0.0, 0.4, 0.0])


# eth_staking


def test_staking_takes_the_token_of_eth_that_earns_most() -> None:
    genes = genome("eth_staking", target_bps=6_000)
    assert FAMILY["eth_staking"].assets(MAINNET) == ("WETH", "aWETH", "wstETH", "weETH")
    assert ask(FAMILY["eth_staking"], genes, market(30, rates=STAKING)) == [0.0, 0.0, 0.6, 0.0]


def test_staking_holds_plain_weth_while_nothing_is_known_to_earn() -> None:
    genes = genome("eth_staking", target_bps=6_000)
    assert ask(FAMILY["eth_staking"], genes, market(30)) == [0.6, 0.0, 0.0, 0.0]


def test_staking_does_not_pay_the_haircut_for_a_little_more() -> None:
    held = (0.0, 0.0, 0.0, 0.6)
    features = market(30, rates=STAKING)
    loyal = genome("eth_staking", target_bps=6_000, hysteresis_bps=50, band_bps=1_000)
    fickle = genome("eth_staking", target_bps=6_000, hysteresis_bps=5, band_bps=1_000)
    assert decide("eth_staking", loyal, features, held)[1] == KEEP
    assert decide("eth_staking", fickle, features, held)[1] == [0.0, 0.0, 0.6, 0.0]


def test_staking_sells_what_has_grown_out_of_its_band() -> None:
    genes = genome("eth_staking", target_bps=5_000, band_bps=1_000)
    features = market(30, rates=STAKING)
    assert decide("eth_staking", genes, features, (0.0, 0.0, 0.54, 0.0))[1] == KEEP
    assert decide("eth_staking", genes, features, (0.0, 0.0, 0.6, 0.0))[1] == [0.0, 0.0, 0.5, 0.0]


# trend

TREND = {"fast_h": 12, "slow_tenths_count": 40, "gap_bps": 50, "vol_target_bps": 8_000, "band_bps": 2_000}
TREND |= {"mix_bps": 10_000}


def test_trend_buys_what_rises_and_lends_the_rest() -> None:
    features = market(60, prices={"WETH": climbing(60, 0.002)})
    targets = ask(FAMILY["trend"], genome("trend", **TREND), features)
    assert targets == [1.0, 0.0, 0.0, 0.0]
    assert ask(FAMILY["trend"], genome("trend", **TREND | {"mix_bps": 3_000}), features) == pytest.approx(
        [0.3, 0.0, 0.0, 0.7]
    )


def test_trend_lends_everything_when_nothing_rises() -> None:
    features = market(60, prices={"WETH": climbing(60, -0.002)})
    assert decide("trend", genome("trend", **TREND), features, (0.6, 0.0, 0.0, 0.3))[1] == [0, 0, 0, 1]


def test_trend_holds_through_a_dip_smaller_than_its_gap() -> None:
    features = market(60, prices={"WETH": climbing(60, -0.0001)})
    assert decide("trend", genome("trend", **TREND), features, (1.0, 0.0, 0.0, 0.0))[1] == KEEP
    assert decide("trend", genome("trend", **TREND), features, (0.0, 0.0, 0.0, 1.0))[1] == KEEP


def test_trend_buys_less_of_what_is_more_volatile() -> None:
    rough = [price * (1.01 if hour % 2 else 0.99) for hour, price in enumerate(climbing(60, 0.002))]
    genes = genome("trend", **TREND)
    calm = ask(FAMILY["trend"], genes, market(60, prices={"WETH": climbing(60, 0.002)}))
    assert ask(FAMILY["trend"], genes, market(60, prices={"WETH": rough}))[0] < 0.6 * calm[0]


def test_trend_keeps_what_it_knows_too_little_about() -> None:
    genes = genome("trend", **TREND)
    features = market(20, prices={"WETH": climbing(20, -0.01)})
    assert decide("trend", genes, features, (0.6, 0.0, 0.0, 0.4))[1] == KEEP


# peg_reversion

PEG = {"entry_bps": 10, "exit_bps": 0, "stop_bps": 100, "size_bps": 4_000, "mean_h": 24}
CHEAP = {"USDT": [1.0] * 47 + [0.998]}
BACK = {"USDT": [1.0] * 47 + [1.0001]}
BROKEN = {"USDT": [1.0] * 47 + [0.95]}


def test_peg_buys_usdt_below_its_mean_and_lends_the_rest() -> None:
    state, targets = decide(
        "peg_reversion", genome("peg_reversion", **PEG), market(48, prices=CHEAP), (0, 1, 0)
    )
    assert targets == pytest.approx([0.4, 0.6, 0.0])
    assert state.entry_ratio == pytest.approx(0.998)


def test_peg_does_nothing_at_the_mean_but_lend() -> None:
    genes = genome("peg_reversion", **PEG)
    assert ask(FAMILY["peg_reversion"], genes, market(48)) == [0.0, 1.0, 0.0]
    assert decide("peg_reversion", genes, market(48), (0.0, 0.98, 0.0))[1] == KEEP


def test_peg_holds_while_cheap_and_sells_at_the_mean() -> None:
    genes, held = genome("peg_reversion", **PEG), (0.4, 0.6, 0.0)
    still = market(48, prices={"USDT": [1.0] * 47 + [0.9995]})
    assert decide("peg_reversion", genes, still, held, entry_ratio=0.998)[1] == KEEP
    state, targets = decide("peg_reversion", genes, market(48, prices=BACK), held, entry_ratio=0.998)
    assert targets == [0.0, 1.0, 0.0]
    assert state.entry_ratio == 0.0


def test_peg_gives_up_at_the_stop_and_buys_nothing_until_it_has_calmed_down() -> None:
    genes, held = genome("peg_reversion", **PEG), (0.4, 0.6, 0.0)
    state, targets = decide("peg_reversion", genes, market(48, prices=BROKEN), held, entry_ratio=0.998)
    assert targets == [0.0, 1.0, 0.0]
    assert (state.entry_ratio, state.calm_frame) == (0.0, 1_168.0)
    features = market(48, prices=CHEAP)
    assert decide("peg_reversion", genes, features, (0, 1, 0), calm_frame=1_168.0)[1] == KEEP
    assert decide("peg_reversion", genes, features, (0, 1, 0), calm_frame=1_000.0)[1] != KEEP


def test_peg_sells_again_what_its_first_order_did_not_sell() -> None:
    genes = genome("peg_reversion", **PEG)
    assert decide("peg_reversion", genes, market(48), (0.4, 0.6, 0.0))[1] == [0.0, 1.0, 0.0]


def test_peg_measures_against_usdc_not_the_dollar() -> None:
    both = {"USDT": [1.0] * 47 + [0.998], "USDC": [1.0] * 47 + [0.998]}
    assert (
        decide("peg_reversion", genome("peg_reversion", **PEG), market(48, prices=both), (0, 1, 0))[1] == KEEP
    )


def test_a_stale_price_triggers_no_stop() -> None:
    features = stale(market(48, prices=BROKEN), "USDT")
    answer = decide(
        "peg_reversion", genome("peg_reversion", **PEG), features, (0.4, 0.6, 0.0), entry_ratio=1.0
    )
    assert answer[1] == KEEP
    assert answer[0].entry_ratio == 1.0


# risk_parity

PARITY = {"lookback_h": 48, "gross_bps": 10_000, "floor_bps": 1_000, "threshold_bps": 1_000}


def zigzag(start: float, swing: float) -> list[float]:
    return [start * (1.0 + swing if hour % 2 else 1.0) for hour in range(60)]


def test_parity_gives_twice_the_volatility_half_the_weight() -> None:
    prices = {"WETH": zigzag(3_000, 0.01), "WBTC": zigzag(60_000, 0.005), "LINK": zigzag(15, 0.01)}
    targets = ask(FAMILY["risk_parity"], genome("risk_parity", **PARITY), market(60, prices=prices))
    assert targets[1] == pytest.approx(2.0 * targets[0], rel=0.01)
    assert targets[0] == pytest.approx(targets[2])
    assert sum(targets) == pytest.approx(1.0)


def test_parity_counts_lending_at_the_floor() -> None:
    targets = ask(FAMILY["risk_parity"], genome("risk_parity", **PARITY), market(60))
    assert targets == pytest.approx([0.25] * 4), "a market at rest is all floor"


def test_parity_keeps_a_small_drift_and_invests_only_its_gross() -> None:
    genes = genome("risk_parity", **PARITY | {"gross_bps": 8_000})
    assert decide("risk_parity", genes, market(60), (0.21, 0.2, 0.19, 0.2))[1] == KEEP
    assert decide("risk_parity", genes, market(60), (0.3, 0.2, 0.2, 0.2))[1] == pytest.approx([0.2] * 4)


def test_parity_leaves_alone_what_it_can_not_trade() -> None:
    features = stale(market(60), "LINK")
    targets = decide("risk_parity", genome("risk_parity", **PARITY), features, (0.0, 0.0, 0.1, 0.0))[1]
    assert targets == pytest.approx([0.3, 0.3, 0.1, 0.3])


# threshold_rebalance

FIXED = {"weth_bps": 3_000, "wbtc_bps": 2_000, "reserve_bps": 1_000, "band_bps": 1_000}


def test_threshold_lends_what_shares_and_reserve_leave() -> None:
    answer = ask(FAMILY["threshold_rebalance"], genome("threshold_rebalance", **FIXED), market(1))
    assert answer == [0.3, 0.2, 0.4]


def test_threshold_waits_until_a_share_leaves_its_band() -> None:
    genes = genome("threshold_rebalance", **FIXED)
    assert decide("threshold_rebalance", genes, market(1), (0.32, 0.19, 0.4))[1] == KEEP
    assert decide("threshold_rebalance", genes, market(1), (0.36, 0.18, 0.38))[1] == [0.3, 0.2, 0.4]


def test_threshold_looks_again_only_after_its_period() -> None:
    genes = genome("threshold_rebalance", **FIXED, check_h=24)
    assert decide("threshold_rebalance", genes, market(1), (0, 0, 0), next_frame=1_001.0)[1] == KEEP
    assert decide("threshold_rebalance", genes, market(1), (0, 0, 0))[0].next_frame == 1_024.0


# dollar_cost

STEPS = {"period_h": 168, "step_bps": 500, "target_bps": 3_000}


def test_dollar_cost_takes_one_step_a_period() -> None:
    genes = genome("dollar_cost", **STEPS)
    state, targets = decide("dollar_cost", genes, market(1), (0.1, 0.0, 0.9))
    assert targets == pytest.approx([0.15, 0.0, 0.85])
    assert state.next_frame == 1_168.0


def test_dollar_cost_buys_the_staked_token_if_its_gene_says_so() -> None:
    genes = genome("dollar_cost", **STEPS, staked_count=1)
    assert ask(FAMILY["dollar_cost"], genes, market(1)) == pytest.approx([0.0, 0.05, 0.95])


def test_dollar_cost_stops_at_its_share_and_walks_back_from_above() -> None:
    genes = genome("dollar_cost", **STEPS)
    assert decide("dollar_cost", genes, market(1), (0.29, 0.0, 0.7))[1] == KEEP
    assert decide("dollar_cost", genes, market(1), (0.4, 0.0, 0.6))[1] == pytest.approx([0.35, 0.0, 0.65])


def test_dollar_cost_takes_a_missed_step_as_soon_as_it_can() -> None:
    genes = genome("dollar_cost", **STEPS)
    state, targets = decide("dollar_cost", genes, stale(market(1), "WETH"), (0.1, 0.0, 0.9))
    assert targets == KEEP
    assert state.next_frame == 0.0
