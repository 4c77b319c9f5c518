"""What a transaction may burn: exact in wei, capped, and right when gas costs next to nothing (I25)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.fees import (
    FeePolicy,
    Fees,
    MarketFees,
    bump_fees,
    check_day_fees,
    choose_fees,
    fee_cap_wei,
    receipt_fee_wei,
)

GWEI, ETHER = 10**9, 10**18
POLICY = FeePolicy(transaction_wei_max=ETHER // 100, emergency_wei_max=ETHER // 10, day_wei_max=ETHER // 10)
MARKET = MarketFees(base_fee_wei=10 * GWEI, tip_wei=GWEI)


def test_fees_outlive_five_full_blocks() -> None:
    assert choose_fees(POLICY, MARKET, gas_limit=200_000, fee_wei_max=ETHER // 100) == Fees(
        max_fee_wei=21 * GWEI, tip_wei=GWEI
    )


def test_the_cap_lowers_the_fees_to_what_the_next_block_may_ask_and_no_further() -> None:
    needed = (10 * GWEI * 1125 // 1000 + GWEI) * 200_000

    enough = choose_fees(POLICY, MARKET, gas_limit=200_000, fee_wei_max=needed)
    short = choose_fees(POLICY, MARKET, gas_limit=200_000, fee_wei_max=needed - 1)

    assert enough == Fees(max_fee_wei=needed // 200_000, tip_wei=GWEI)
    assert isinstance(short, ChainRefusal)
    assert short.reason == ChainReason.FEE_ABOVE_CAP


def test_a_base_fee_of_100_wei_makes_fees_that_a_pool_takes_and_can_be_bumped() -> None:
    fees = choose_fees(POLICY, MarketFees(base_fee_wei=100, tip_wei=0), gas_limit=21_000, fee_wei_max=10**9)
    assert fees == Fees(max_fee_wei=201, tip_wei=1)

    bumped = bump_fees(
        POLICY,
        Fees(max_fee_wei=201, tip_wei=1),
        MarketFees(base_fee_wei=100, tip_wei=0),
        gas_limit=21_000,
        fee_wei_max=10**9,
    )

    assert bumped == Fees(max_fee_wei=232, tip_wei=2)


def test_a_node_that_suggests_a_fortune_is_cut_to_the_tip_cap() -> None:
    greedy = MarketFees(base_fee_wei=GWEI, tip_wei=1_000 * GWEI)

    fees = choose_fees(POLICY, greedy, gas_limit=100_000, fee_wei_max=ETHER)

    assert isinstance(fees, Fees)
    assert fees.tip_wei == 3 * GWEI


@given(
    max_fee_wei=st.integers(1, 10**15),
    tip_share=st.integers(0, 100),
    base_fee_wei=st.integers(1, 10**12),
    tip_wei=st.integers(0, 10**12),
    gas_limit=st.integers(21_000, 10**6),
    cap_wei=st.integers(0, 10**20),
)
def test_a_replacement_is_dearer_in_both_fields_and_within_the_cap(
    *, max_fee_wei: int, tip_share: int, base_fee_wei: int, tip_wei: int, gas_limit: int, cap_wei: int
) -> None:
    last = Fees(max_fee_wei=max_fee_wei, tip_wei=max_fee_wei * tip_share // 100)
    market = MarketFees(base_fee_wei=base_fee_wei, tip_wei=tip_wei)

    bumped = bump_fees(POLICY, last, market, gas_limit=gas_limit, fee_wei_max=cap_wei)

    if isinstance(bumped, Fees):
        assert 100 * bumped.max_fee_wei >= 115 * last.max_fee_wei
        assert 100 * bumped.tip_wei >= 115 * last.tip_wei
        assert bumped.max_fee_wei > last.max_fee_wei
        assert bumped.tip_wei > last.tip_wei
        assert bumped.max_fee_wei >= bumped.tip_wei
        assert bumped.max_fee_wei * gas_limit <= cap_wei
    else:
        assert (max_fee_wei + 1) * 23 * gas_limit > cap_wei * 20 or (max_fee_wei + 1) * gas_limit > cap_wei


@pytest.mark.parametrize(
    ("notional_wei", "emergency", "cap_wei"),
    [
        (ETHER, False, ETHER // 200),
        (100 * ETHER, False, ETHER // 100),
        (0, False, 0),
        (0, True, ETHER // 10),
    ],
)
def test_a_fee_is_capped_absolutely_and_by_what_it_trades(
    notional_wei: int, *, emergency: bool, cap_wei: int
) -> None:
    assert fee_cap_wei(POLICY, notional_wei=notional_wei, emergency=emergency) == cap_wei


def test_new_risk_stops_at_the_cap_of_the_day() -> None:
    assert check_day_fees(POLICY, spent_wei=ETHER // 10 - 5, most_wei=5) is None

    refused = check_day_fees(POLICY, spent_wei=ETHER // 10 - 5, most_wei=6)

    assert refused is not None
    assert refused.reason == ChainReason.FEE_ABOVE_DAY_CAP


def test_the_fee_of_a_receipt_is_exact_and_has_the_data_fee_of_an_l2() -> None:
    assert receipt_fee_wei(gas_used=123_457, effective_gas_price_wei=1_000_000_007) == 123_457_000_864_199
    assert receipt_fee_wei(gas_used=21_000, effective_gas_price_wei=100, data_fee_wei=17) == 2_100_017


def test_a_policy_whose_bumps_nodes_would_refuse_is_no_policy() -> None:
    with pytest.raises(AssertionError, match="10 %"):
        FeePolicy(transaction_wei_max=1, emergency_wei_max=1, day_wei_max=1, bump_bps=999)
