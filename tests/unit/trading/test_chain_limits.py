"""What is checked before anything is signed for a chain; every refusal has a name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.desk import ANN, mandate
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.money import MICRO_USD, Asset
from treasury_actors.trading.model.chain_limits import (
    AllowedCall,
    CallTerms,
    ChainLimits,
    ChainReason,
    ChainRefusal,
    PriceReading,
    WorstLosses,
    check_approval,
    check_at_rest,
    check_call,
    check_mandate,
    check_min_out,
    check_prices,
    check_sequencer,
    check_size,
    min_out_units,
    worst_losses,
)

OWN, ROUTER, USDC_AT, WETH_AT = "0xAA", "0xBB", "0xC1", "0xC2"
USDC = Asset(id=AssetId("USDC"), decimals=6, tick_exponent=9)
WETH = Asset(id=AssetId("WETH"), decimals=18, tick_exponent=9)
DOLLAR = 10**9
SWAP = AllowedCall(to=ROUTER, selector="0x04e45aaf")
LIMITS = ChainLimits(
    chain_id=8453,
    account=OWN,
    calls=(SWAP,),
    spenders=(ROUTER,),
    mandate_micro_usd_min=10_000 * MICRO_USD,
    sequencer_grace_s=3_600,
)
NOW_S = 1_700_000_000
MEANT = CallTerms(
    chain_id=8453,
    to=ROUTER,
    selector=SWAP.selector,
    value_wei=0,
    tokens=(USDC_AT, WETH_AT),
    amount_units=10**9,
    min_out_units=10**17,
    recipient=OWN,
    deadline_s=NOW_S + 120,
)


def reason_of(refusal: ChainRefusal | None) -> ChainReason | None:
    return None if refusal is None else refusal.reason


def test_the_call_that_was_meant_may_be_signed() -> None:
    assert check_call(LIMITS, meant=MEANT, decoded=MEANT, now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("decoded", "reason"),
    [
        (replace(MEANT, chain_id=1), ChainReason.WRONG_CHAIN),
        (replace(MEANT, to="0xEE"), ChainReason.CALL_NOT_ALLOWED),
        (replace(MEANT, selector="0xac9650d8"), ChainReason.CALL_NOT_ALLOWED),
        (replace(MEANT, recipient="0xEE"), ChainReason.RECIPIENT_NOT_OURS),
        (replace(MEANT, deadline_s=NOW_S + 121), ChainReason.DEADLINE_TOO_FAR),
        (replace(MEANT, deadline_s=NOW_S), ChainReason.DEADLINE_PASSED),
        (replace(MEANT, amount_units=10**9 + 1), ChainReason.CALL_MISMATCH),
        (replace(MEANT, min_out_units=10**17 - 1), ChainReason.CALL_MISMATCH),
        (replace(MEANT, tokens=(WETH_AT, USDC_AT)), ChainReason.CALL_MISMATCH),
        (replace(MEANT, value_wei=1), ChainReason.CALL_MISMATCH),
        (replace(MEANT, recipient=None), ChainReason.CALL_MISMATCH),
        (replace(MEANT, deadline_s=None), ChainReason.CALL_MISMATCH),
        (replace(MEANT, spender=ROUTER), ChainReason.CALL_MISMATCH),
    ],
)
def test_calldata_that_says_something_else_is_not_signed(decoded: CallTerms, reason: ChainReason) -> None:
    assert reason_of(check_call(LIMITS, meant=MEANT, decoded=decoded, now_s=NOW_S)) == reason


def test_a_wrong_chain_is_refused_even_if_it_was_meant() -> None:
    wrong = replace(MEANT, chain_id=1)

    assert reason_of(check_call(LIMITS, meant=wrong, decoded=wrong, now_s=NOW_S)) == ChainReason.WRONG_CHAIN


def test_the_bound_of_a_swap_comes_from_the_independent_price() -> None:
    """I26: $1,000 into ether at $2,500, less 1 % of impact and 0.05 % of fee."""
    units = min_out_units(
        source=USDC,
        units=1_000 * 10**6,
        source_ticks=DOLLAR,
        target=WETH,
        target_ticks=2_500 * DOLLAR,
        fee_ppm=500,
        impact_bps=100,
    )

    assert units == 10**18 * 1_000 // 2_500 * 9_895 // 10_000


@given(
    units=st.integers(1, 10**30),
    source_ticks=st.integers(1, 10**15),
    target_ticks=st.integers(1, 10**15),
    fee_ppm=st.integers(0, 20_000),
    impact_bps=st.integers(1, 500),
)
def test_the_bound_is_never_nothing_and_never_rounded_away(
    units: int, source_ticks: int, target_ticks: int, fee_ppm: int, impact_bps: int
) -> None:
    bound = min_out_units(
        source=WETH,
        units=units,
        source_ticks=source_ticks,
        target=USDC,
        target_ticks=target_ticks,
        fee_ppm=fee_ppm,
        impact_bps=impact_bps,
    )
    kept_ppm = 10**6 - fee_ppm - 100 * impact_bps
    wanted = units * source_ticks * kept_ppm
    per_unit = target_ticks * 10**6 * 10**12

    assert bound >= 1
    assert bound * per_unit >= wanted
    assert bound == 1 or (bound - 1) * per_unit < wanted


@pytest.mark.parametrize(
    ("decoded", "quoted", "reason"),
    [
        (1_000, 1_000, None),
        (None, 1_000, ChainReason.NO_MIN_OUT),
        (0, 1_000, ChainReason.NO_MIN_OUT),
        (999, 1_000, ChainReason.MIN_OUT_TOO_LOW),
        (1_000, 999, ChainReason.QUOTE_BELOW_MIN_OUT),
    ],
)
def test_a_pool_that_quotes_badly_is_not_traded_with_on_its_own_terms(
    decoded: int | None, quoted: int, reason: ChainReason | None
) -> None:
    """I26: the $50 million trade of March 2026 was within 1.21 % of a quote that was 99.9 % off."""
    found = check_min_out(decoded_units=decoded, required_units=1_000, quoted_units=quoted)

    assert reason_of(found) == reason


@pytest.mark.parametrize(
    ("value", "depth", "impact_ppm", "reason"),
    [
        (1_000, 100_000, 10_000, None),
        (1_001, 100_000, 10_000, ChainReason.ABOVE_DEPTH_LIMIT),
        (1, 0, 0, ChainReason.ABOVE_DEPTH_LIMIT),
        (1_000, 100_000, 10_001, ChainReason.ABOVE_IMPACT_LIMIT),
    ],
)
def test_a_trade_is_small_against_its_pool(
    value: int, depth: int, impact_ppm: int, reason: ChainReason | None
) -> None:
    found = check_size(LIMITS, value_micro_usd=value, depth_micro_usd=depth, impact_ppm=impact_ppm)

    assert reason_of(found) == reason


def test_no_config_may_allow_more_than_5_percent_of_impact() -> None:
    assert replace(LIMITS, impact_bps_max=500).impact_bps_max == 500
    with pytest.raises(AssertionError, match="5 %"):
        replace(LIMITS, impact_bps_max=501)


@pytest.mark.parametrize(
    ("spender", "units", "standing", "reason"),
    [
        (ROUTER, 1_000, 0, None),
        (ROUTER, 0, 1_000, None),
        ("0xEE", 0, 1_000, None),
        ("0xEE", 1_000, 0, ChainReason.SPENDER_NOT_ALLOWED),
        (ROUTER, 1_001, 0, ChainReason.APPROVAL_NOT_EXACT),
        (ROUTER, 2**256 - 1, 0, ChainReason.APPROVAL_NOT_EXACT),
        (ROUTER, 1_000, 1, ChainReason.ALLOWANCE_AT_REST),
    ],
)
def test_an_approval_is_exact_and_to_a_known_spender(
    spender: str, units: int, standing: int, reason: ChainReason | None
) -> None:
    found = check_approval(
        LIMITS, spender=spender, decoded_units=units, needed_units=1_000, standing_units=standing
    )

    assert reason_of(found) == reason


def test_nothing_is_allowed_to_anybody_at_rest() -> None:
    assert check_at_rest([(USDC_AT, ROUTER, 0), (WETH_AT, ROUTER, 0)]) is None

    found = check_at_rest([(USDC_AT, ROUTER, 0), (WETH_AT, ROUTER, 1)])

    assert reason_of(found) == ChainReason.ALLOWANCE_AT_REST


def reading(source: str, ticks: int, age_s: int = 0) -> PriceReading:
    return PriceReading(source=source, ticks=ticks, time_s=NOW_S - age_s, heartbeat_s=3_600)


@pytest.mark.parametrize(
    ("second", "stable", "reason"),
    [
        (reading("pool", 10_200), False, None),
        (reading("pool", 10_201), False, ChainReason.PRICES_DISAGREE),
        (reading("pool", 10_050), True, None),
        (reading("pool", 10_051), True, ChainReason.PRICES_DISAGREE),
        (reading("pool", 10_000, 3_660), False, None),
        (reading("pool", 10_000, 3_661), False, ChainReason.STALE_PRICE),
        (reading("pool", 0), False, ChainReason.NO_PRICE),
        (reading("pool", -1), False, ChainReason.NO_PRICE),
        (reading("oracle", 10_000), False, ChainReason.ONE_SOURCE),
        (reading("pool", 10**16), False, ChainReason.PRICES_DISAGREE),
    ],
)
def test_a_price_is_used_if_two_fresh_sources_agree(
    second: PriceReading, *, stable: bool, reason: ChainReason | None
) -> None:
    found = check_prices(LIMITS, [reading("oracle", 10_000), second], stable=stable, now_s=NOW_S)

    assert reason_of(found) == reason


@pytest.mark.parametrize(("up_for_s", "is_refused"), [(3_601, False), (3_600, True), (None, True)])
def test_prices_of_an_l2_wait_for_its_sequencer(up_for_s: int | None, *, is_refused: bool) -> None:
    assert (reason_of(check_sequencer(LIMITS, up_for_s=up_for_s)) == ChainReason.SEQUENCER_DOWN) == is_refused
    assert check_sequencer(replace(LIMITS, sequencer_grace_s=0), up_for_s=None) is None


def test_a_mandate_below_10_000_dollars_is_too_small_for_an_l1() -> None:
    least = LIMITS.mandate_micro_usd_min
    assert check_mandate(capital_micro_usd=10_000 * MICRO_USD, micro_usd_min=least) is None

    found = check_mandate(capital_micro_usd=10_000 * MICRO_USD - 1, micro_usd_min=least)

    assert reason_of(found) == ChainReason.MANDATE_TOO_SMALL


def test_the_worst_losses_are_all_for_a_key_and_a_share_for_a_venue() -> None:
    limits = replace(mandate(ANN).limits, trade_micro_usd_max=200 * MICRO_USD, venue_ratio_max=0.5)
    mandates = [(AgentId(f"agent-{n}"), 1_000 * MICRO_USD, limits) for n in range(10)]
    bold = (AgentId("bold"), 1_000 * MICRO_USD, replace(limits, venue_ratio_max=1.0))

    losses = worst_losses([*mandates, bold], pool_micro_usd=500 * MICRO_USD, gas_micro_usd=100 * MICRO_USD)

    assert losses == WorstLosses(
        key_stolen_micro_usd=11_600 * MICRO_USD, venue_failed_micro_usd=8_000 * MICRO_USD
    )
