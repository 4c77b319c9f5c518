"""
What a transaction may burn. EIP-1559 fees per gas, in wei; pure, exact, and right for a base fee of 100 wei.

A transaction burns at most gas limit x max fee per gas; that product, not the price of gas, is what is capped
(I25): absolutely, as a share of what is traded, and for each day. A replacement must raise both fields: geth
asks for 10 %, we give 15 %.
"""

from dataclasses import dataclass

from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal

BPS = 10_000
BASE_FEE_RISE = (1_125, 1_000)
"""A base fee rises by at most an eighth from block to block (EIP-1559)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """
    What fees may be.

    Attributes:
        base_fee_multiple: max fee = this x base fee + tip; 2 outlives five full blocks.
        tip_wei_min, tip_wei_max: per gas; what a node suggests is cut to this range.
        bump_bps: by how much a replacement raises both fields; geth refuses less than 1,000.
        transaction_wei_max: for one transaction, whatever it trades.
        notional_bps_max: for one transaction, of what it trades.
        emergency_wei_max: for one exit or no-op, which no share of a notional may prevent.
        day_wei_max: for all new risk of one UTC day of chain time.
    """

    transaction_wei_max: int
    emergency_wei_max: int
    day_wei_max: int
    base_fee_multiple: int = 2
    tip_wei_min: int = 1
    tip_wei_max: int = 3 * 10**9
    bump_bps: int = 1_500
    notional_bps_max: int = 50

    def __post_init__(self) -> None:
        assert self.base_fee_multiple >= 2, "a base fee may double within six blocks"  # noqa: PLR2004
        assert self.bump_bps >= 1_000, "nodes refuse a replacement that is less than 10 % dearer"  # noqa: PLR2004
        assert 0 < self.tip_wei_min <= self.tip_wei_max, "a tip of nothing can't be raised by a share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What an attempt offers per gas, in wei: `max_fee_wei` includes the tip."""

    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFees:
    """What the head of the chain asks per gas, in wei."""

    base_fee_wei: int
    tip_wei: int


def fee_cap_wei(policy: FeePolicy, *, notional_wei: int, emergency: bool) -> int:
    """
    Return what one transaction may burn, in wei (I25).

    `notional_wei` is what it trades, valued in the gas asset; for an approval, what the trade after it will.
    """
    if emergency:
        return max(policy.emergency_wei_max, 0)
    return min(policy.transaction_wei_max, notional_wei * policy.notional_bps_max // BPS)


def choose_fees(
    policy: FeePolicy, market: MarketFees, *, gas_limit: int, fee_wei_max: int
) -> Fees | ChainRefusal:
    """Return the fees of a first attempt; the cap may lower them to what the next block asks, no further."""
    tip_wei = _within(policy, market.tip_wei)
    rise, scale = BASE_FEE_RISE
    needed = -(-market.base_fee_wei * rise // scale) + tip_wei
    affordable = fee_wei_max // gas_limit
    if affordable < needed:
        detail = f"{needed * gas_limit} wei of gas, the cap is {fee_wei_max}"
        return ChainRefusal(reason=ChainReason.FEE_ABOVE_CAP, detail=detail)
    wished = policy.base_fee_multiple * market.base_fee_wei + tip_wei
    return Fees(max_fee_wei=min(max(wished, needed), affordable), tip_wei=tip_wei)


def bump_fees(
    policy: FeePolicy, last: Fees, market: MarketFees, *, gas_limit: int, fee_wei_max: int
) -> Fees | ChainRefusal:
    """Return the fees of a replacement: both fields dearer by the bump, and up to the market if that fits."""
    floor = Fees(max_fee_wei=_raised(policy, last.max_fee_wei), tip_wei=_raised(policy, last.tip_wei))
    tip_wei = max(floor.tip_wei, _within(policy, market.tip_wei))
    wished = policy.base_fee_multiple * market.base_fee_wei + tip_wei
    for fees in (Fees(max_fee_wei=max(floor.max_fee_wei, wished), tip_wei=tip_wei), floor):
        if fees.max_fee_wei * gas_limit <= fee_wei_max:
            return fees
    detail = f"{floor.max_fee_wei * gas_limit} wei for a replacement, the cap is {fee_wei_max}"
    return ChainRefusal(reason=ChainReason.FEE_ABOVE_CAP, detail=detail)


def check_day_fees(policy: FeePolicy, *, spent_wei: int, most_wei: int) -> ChainRefusal | None:
    """Say why new risk that may burn `most_wei` is too much for a day that may have burnt `spent_wei`."""
    if spent_wei + most_wei <= policy.day_wei_max:
        return None
    detail = f"{spent_wei} + {most_wei} wei today, the cap is {policy.day_wei_max}"
    return ChainRefusal(reason=ChainReason.FEE_ABOVE_DAY_CAP, detail=detail)


def receipt_fee_wei(*, gas_used: int, effective_gas_price_wei: int, data_fee_wei: int = 0) -> int:
    """Return the exact fee of a receipt in wei; `data_fee_wei` is what an L2 adds for L1 data (`l1Fee`)."""
    return gas_used * effective_gas_price_wei + data_fee_wei


def _within(policy: FeePolicy, tip_wei: int) -> int:
    return min(max(tip_wei, policy.tip_wei_min), policy.tip_wei_max)


def _raised(policy: FeePolicy, wei: int) -> int:
    """Return `wei` plus the bump, rounded up, and at least one more: 15 % of 1 wei is none."""
    return max(-(-wei * (BPS + policy.bump_bps) // BPS), wei + 1)
