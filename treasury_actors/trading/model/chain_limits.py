"""
What is checked before anything is signed for a chain: price, size, calldata, approvals, losses. Pure.

Every check takes what was *decoded* from the calldata that would be signed, not what somebody meant to
encode; and a price that didn't come from the pool it trades with. Each refusal is a named value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor

from treasury_actors.ids import AgentId
from treasury_actors.money import Asset, usd
from treasury_actors.trading.model.mandate import Limits

PPM = 10**6
BPS = 10_000
PPM_PER_BPS = PPM // BPS
IMPACT_BPS_HARD = 500
"""No config may allow a price impact above 5 %."""


class ChainReason(StrEnum):
    """Why nothing is signed, or nothing planned, for a chain."""

    STOPPED = "stopped"
    DUPLICATE_INTENT = "duplicate_intent"
    UNEXPLAINED_SLOT = "unexplained_slot"
    TOO_MANY_IN_FLIGHT = "too_many_in_flight"
    NONCE_NOT_OURS = "nonce_not_ours"
    NOTHING_TO_REPLACE = "nothing_to_replace"
    WRONG_CHAIN = "wrong_chain"
    CALL_NOT_ALLOWED = "call_not_allowed"
    CALL_MISMATCH = "call_mismatch"
    RECIPIENT_NOT_OURS = "recipient_not_ours"
    DEADLINE_TOO_FAR = "deadline_too_far"
    DEADLINE_PASSED = "deadline_passed"
    NO_MIN_OUT = "no_min_out"
    MIN_OUT_TOO_LOW = "min_out_too_low"
    QUOTE_BELOW_MIN_OUT = "quote_below_min_out"
    ABOVE_DEPTH_LIMIT = "above_depth_limit"
    ABOVE_IMPACT_LIMIT = "above_impact_limit"
    SPENDER_NOT_ALLOWED = "spender_not_allowed"
    APPROVAL_NOT_EXACT = "approval_not_exact"
    ALLOWANCE_AT_REST = "allowance_at_rest"
    NO_PRICE = "no_price"
    STALE_PRICE = "stale_price"
    ONE_SOURCE = "one_source"
    PRICES_DISAGREE = "prices_disagree"
    SEQUENCER_DOWN = "sequencer_down"
    MANDATE_TOO_SMALL = "mandate_too_small"
    NO_ANSWER = "no_answer"
    GIVEN_BACK = "given_back"
    FEE_ABOVE_CAP = "fee_above_cap"
    FEE_ABOVE_DAY_CAP = "fee_above_day_cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRefusal:
    """Why something isn't done on a chain."""

    reason: ChainReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedCall:
    """A contract (checksummed 0x address) and the 4-byte selector (0x-hex) it may be called with."""

    to: str
    selector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLimits:
    """
    What may be signed for one chain.

    Attributes:
        account: our own address, the only recipient there is.
        calls, spenders: allow-lists; what isn't in them can't be signed.
        deadline_s_max: from the head's chain time.
        depth_bps_max: one trade, of the pool's depth.
        price_gap_bps_max, stable_gap_bps_max: how far two sources of a price may be apart.
        price_margin_s: how much older than its heartbeat a price may be.
        sequencer_grace_s: how long an L2's sequencer must be up again; 0 on an L1.
        mandate_micro_usd_min: a smaller mandate would feed its capital to the gas.
    """

    chain_id: int
    account: str
    calls: tuple[AllowedCall, ...]
    spenders: tuple[str, ...]
    mandate_micro_usd_min: int
    impact_bps_max: int = 100
    deadline_s_max: int = 120
    depth_bps_max: int = 100
    price_gap_bps_max: int = 200
    stable_gap_bps_max: int = 50
    price_margin_s: int = 60
    sequencer_grace_s: int = 0

    def __post_init__(self) -> None:
        assert 0 < self.impact_bps_max <= IMPACT_BPS_HARD, "a price impact above 5 % is never allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTerms:
    """
    What a call says, in the words all venues share; None where a call has no such word.

    Made twice: from the intent, and by decoding the calldata that would be signed. Tokens, recipient and
    spender are checksummed addresses; `selector` is 0x-hex; `deadline_s` is chain time.
    """

    chain_id: int
    to: str
    selector: str
    value_wei: int
    tokens: tuple[str, ...] = ()
    amount_units: int | None = None
    min_out_units: int | None = None
    recipient: str | None = None
    deadline_s: int | None = None
    spender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceReading:
    """One source's price of an asset in ticks, when it was made (chain time), and how often it is made."""

    source: str
    ticks: int
    time_s: int
    heartbeat_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstLosses:
    """
    The most that can be lost, in micro-dollars.

    Attributes:
        key_stolen: the thief is bound by no limit of ours: all that the wallet has, its gas included.
        venue_failed: one yield venue keeps all it has, and what was on its way to any venue is gone.
    """

    key_stolen_micro_usd: int
    venue_failed_micro_usd: int


def min_out_units(
    *,
    source: Asset,
    units: int,
    source_ticks: int,
    target: Asset,
    target_ticks: int,
    fee_ppm: int,
    impact_bps: int,
) -> int:
    """
    Return the fewest target units to accept, rounded up, for `units` at prices from outside the pool (I26).

    oracle value x (1 - impact - fee); `fee_ppm` is the pools' fee in millionths, summed over the hops.
    """
    assert min(units, source_ticks, target_ticks) > 0, "nothing is sold without a price"
    kept_ppm = PPM - fee_ppm - impact_bps * PPM_PER_BPS
    target_scale: int = 10 ** (target.decimals + target.tick_exponent)
    source_scale: int = 10 ** (source.decimals + source.tick_exponent)
    value = units * source_ticks * kept_ppm * target_scale
    return max(-(-value // (target_ticks * PPM * source_scale)), 1)


def check_min_out(
    *, decoded_units: int | None, required_units: int, quoted_units: int
) -> ChainRefusal | None:
    """
    Say why a swap's bound is no protection, or why it would revert, or None (I26).

    The quote of the pool may only refuse a trade; it never lowers what we ask for.
    """
    if decoded_units is None or decoded_units <= 0 or required_units <= 0:
        return ChainRefusal(reason=ChainReason.NO_MIN_OUT, detail="the call takes whatever it gets")
    if decoded_units < required_units:
        detail = f"{decoded_units} units, the independent price asks {required_units}"
        return ChainRefusal(reason=ChainReason.MIN_OUT_TOO_LOW, detail=detail)
    if quoted_units < decoded_units:
        detail = f"the pool quotes {quoted_units} units, we ask {decoded_units}"
        return ChainRefusal(reason=ChainReason.QUOTE_BELOW_MIN_OUT, detail=detail)
    return None


def check_size(
    limits: ChainLimits, *, value_micro_usd: int, depth_micro_usd: int, impact_ppm: int
) -> ChainRefusal | None:
    """Say why a trade is too much for its pool, or None; an unknown depth is no depth."""
    if value_micro_usd * BPS > depth_micro_usd * limits.depth_bps_max:
        share = f"${usd(value_micro_usd)} of a depth of ${usd(depth_micro_usd)}"
        detail = f"{share}, {limits.depth_bps_max} bps at most"
        return ChainRefusal(reason=ChainReason.ABOVE_DEPTH_LIMIT, detail=detail)
    if impact_ppm > limits.impact_bps_max * PPM_PER_BPS:
        detail = f"{impact_ppm} ppm > {limits.impact_bps_max} bps"
        return ChainRefusal(reason=ChainReason.ABOVE_IMPACT_LIMIT, detail=detail)
    return None


def check_call(
    limits: ChainLimits, *, meant: CallTerms, decoded: CallTerms, now_s: int
) -> ChainRefusal | None:
    """
    Say why calldata may not be signed, or None: it must be allowed, ours, timely, and what was meant.

    `now_s` is chain time. `decoded.chain_id` is the one inside the transaction.
    """
    if decoded.chain_id != limits.chain_id:
        detail = f"{decoded.chain_id}, pinned is {limits.chain_id}"
        return ChainRefusal(reason=ChainReason.WRONG_CHAIN, detail=detail)
    if AllowedCall(to=decoded.to, selector=decoded.selector) not in limits.calls:
        return ChainRefusal(reason=ChainReason.CALL_NOT_ALLOWED, detail=f"{decoded.selector} of {decoded.to}")
    if decoded.recipient not in {None, limits.account}:
        return ChainRefusal(reason=ChainReason.RECIPIENT_NOT_OURS, detail=str(decoded.recipient))
    if decoded.deadline_s is not None and decoded.deadline_s > now_s + limits.deadline_s_max:
        detail = f"{decoded.deadline_s - now_s} s ahead, {limits.deadline_s_max} s at most"
        return ChainRefusal(reason=ChainReason.DEADLINE_TOO_FAR, detail=detail)
    if decoded.deadline_s is not None and decoded.deadline_s <= now_s:
        return ChainRefusal(reason=ChainReason.DEADLINE_PASSED, detail=f"{now_s - decoded.deadline_s} s ago")
    for name in CallTerms.__slots__:
        said, wanted = getattr(decoded, name), getattr(meant, name)
        if said != wanted:
            return ChainRefusal(reason=ChainReason.CALL_MISMATCH, detail=f"{name}: {said}, meant {wanted}")
    return None


def check_approval(
    limits: ChainLimits, *, spender: str, decoded_units: int, needed_units: int, standing_units: int
) -> ChainRefusal | None:
    """
    Say why an approval may not be signed, or None: exactly what the next call takes, or zero to take it back.

    An approval on top of one that stands is refused: the first is taken back before.
    """
    if decoded_units == 0:
        return None
    if spender not in limits.spenders:
        return ChainRefusal(reason=ChainReason.SPENDER_NOT_ALLOWED, detail=spender)
    if decoded_units != needed_units:
        detail = f"{decoded_units} units, the call takes {needed_units}"
        return ChainRefusal(reason=ChainReason.APPROVAL_NOT_EXACT, detail=detail)
    if standing_units != 0:
        detail = f"{standing_units} units are allowed to {spender} already"
        return ChainRefusal(reason=ChainReason.ALLOWANCE_AT_REST, detail=detail)
    return None


def check_at_rest(allowances: Sequence[tuple[str, str, int]]) -> ChainRefusal | None:
    """Say which (token, spender, units) is allowed while nothing is in flight, or None."""
    for token, spender, units in allowances:
        if units != 0:
            detail = f"{units} units of {token} to {spender}"
            return ChainRefusal(reason=ChainReason.ALLOWANCE_AT_REST, detail=detail)
    return None


def check_prices(
    limits: ChainLimits, readings: Sequence[PriceReading], *, stable: bool, now_s: int
) -> ChainRefusal | None:
    """Say why a price may not be traded on, or None: two fresh sources that agree. `now_s` is chain time."""
    for reading in readings:
        if reading.ticks <= 0:
            return ChainRefusal(
                reason=ChainReason.NO_PRICE, detail=f"{reading.source}: {reading.ticks} ticks"
            )
        age_s = now_s - reading.time_s
        if age_s > reading.heartbeat_s + limits.price_margin_s:
            detail = f"{reading.source}: {age_s} s old, made every {reading.heartbeat_s} s"
            return ChainRefusal(reason=ChainReason.STALE_PRICE, detail=detail)
    sources = sorted({reading.source for reading in readings})
    if len(sources) < 2:  # noqa: PLR2004  # one source can't contradict itself
        return ChainRefusal(reason=ChainReason.ONE_SOURCE, detail=", ".join(sources))
    lowest = min(reading.ticks for reading in readings)
    highest = max(reading.ticks for reading in readings)
    gap_bps_max = limits.stable_gap_bps_max if stable else limits.price_gap_bps_max
    if (highest - lowest) * BPS > lowest * gap_bps_max:
        detail = f"{lowest} and {highest} ticks, {gap_bps_max} bps apart at most"
        return ChainRefusal(reason=ChainReason.PRICES_DISAGREE, detail=detail)
    return None


def check_sequencer(limits: ChainLimits, *, up_for_s: int | None) -> ChainRefusal | None:
    """Say why an L2's prices may not be trusted yet, or None; `up_for_s` is None while it is down."""
    if limits.sequencer_grace_s == 0 or (up_for_s is not None and up_for_s > limits.sequencer_grace_s):
        return None
    detail = "down" if up_for_s is None else f"up for {up_for_s} s, {limits.sequencer_grace_s} s are asked"
    return ChainRefusal(reason=ChainReason.SEQUENCER_DOWN, detail=detail)


def check_mandate(*, capital_micro_usd: int, micro_usd_min: int) -> ChainRefusal | None:
    """Say why a mandate is too small for its chain's gas, or None: below $10,000 on an L1."""
    if capital_micro_usd >= micro_usd_min:
        return None
    detail = f"${usd(capital_micro_usd)}, this chain asks ${usd(micro_usd_min)}"
    return ChainRefusal(reason=ChainReason.MANDATE_TOO_SMALL, detail=detail)


def worst_losses(
    mandates: Sequence[tuple[AgentId, int, Limits]], *, pool_micro_usd: int, gas_micro_usd: int
) -> WorstLosses:
    """
    Return the most that can be lost, from (agent, capital in micro-dollars, limits) of every mandate.

    `pool_micro_usd` is what the stage's pool has besides, `gas_micro_usd` the gas float. An agent has one
    order at a venue at a time, so one trade of each may be on its way when a venue fails.
    """
    failed = 0
    for _, capital, limits in mandates:
        there = floor(capital * limits.venue_ratio_max)
        failed += min(capital, there + limits.trade_micro_usd_max)
    everything = sum(capital for _, capital, _ in mandates) + pool_micro_usd + gas_micro_usd
    return WorstLosses(key_stolen_micro_usd=everything, venue_failed_micro_usd=failed)
