"""The last look at calldata before it is signed: what its bytes say, against what was meant. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.protocol import Approval, Call, Decoded, DefiProtocol, Undecodable
from treasury_actors.trading.model.chain_limits import (
    IMPACT_BPS_HARD,
    PPM,
    PPM_PER_BPS,
    AllowedCall,
    CallTerms,
    ChainLimits,
    ChainReason,
    ChainRefusal,
    check_approval,
    check_call,
    check_min_out,
    check_size,
    min_out_units,
)

_UNLIMITED_MICRO_USD = 10**18
_SELECTOR_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    One conversion at the frame's prices, which no pool it trades with has made.

    Attributes:
        required_units: the fewest target units to accept (I26).
        value_micro_usd: of what is given; `notional_wei`: the same in the gas asset.
        depth_micro_usd: of the pool, as far as it is limited.
    """

    step: Conversion
    units: int
    required_units: int
    value_micro_usd: int
    notional_wei: int
    depth_micro_usd: int


def wish_for(
    universe: Universe,
    step: Conversion,
    units: int,
    frame: MarketFrame,
    limits: ChainLimits,
    *,
    reduces: bool,
) -> Wish | ChainRefusal:
    """
    Return what a conversion of `units` must bring at this frame, or which price is missing.

    An exit needs no fresh price: it goes at the last known one, with the widest bound there may be. Being
    able to leave is worth more than the last few percent, and nobody gets more than those.
    """
    columns = [universe.column[each] for each in (step.source, step.target, universe.gas)]
    unknown = [column for column in columns if not frame.ticks[column]]
    stale = [column for column in columns if not frame.fresh[column]]
    if unknown or (stale and not reduces):
        asset = universe.assets[(unknown or stale)[0]].id
        return ChainRefusal(reason=ChainReason.STALE_PRICE, detail=asset)
    source, target, gas = (universe.by_id[each] for each in (step.source, step.target, universe.gas))
    source_ticks, target_ticks = (frame.ticks[universe.column[each.id]] for each in (source, target))
    value = source.value_micro_usd(units, source_ticks)
    depth_usd = frame.depth_usd[universe.conversion_column[step.id]]
    return Wish(
        step=step,
        units=units,
        required_units=min_out_units(
            source=source,
            units=units,
            source_ticks=source_ticks,
            target=target,
            target_ticks=target_ticks,
            fee_ppm=round(step.fee_bps * PPM_PER_BPS),
            impact_bps=IMPACT_BPS_HARD if stale else limits.impact_bps_max,
        ),
        value_micro_usd=value,
        notional_wei=gas.units_for_micro_usd(value, frame.ticks[universe.column[gas.id]]),
        depth_micro_usd=_UNLIMITED_MICRO_USD if isinf(depth_usd) else int(depth_usd * MICRO_USD),
    )


def vet_call(
    limits: ChainLimits,
    wish: Wish,
    call: Call,
    protocol: DefiProtocol,
    *,
    tokens: Mapping[AssetId, str],
    quoted_units: int,
    now_s: int,
    reduces: bool,
) -> ChainRefusal | None:
    """Say why a call may not be signed, or None. An exit is held to everything but the trade's size."""
    decoded = protocol.decode(call.data, call.value_wei)
    if isinstance(decoded, Undecodable):
        return ChainRefusal(reason=ChainReason.CALL_MISMATCH, detail=decoded.detail)
    if decoded.payer is not None and decoded.payer.lower() != limits.account:
        return ChainRefusal(reason=ChainReason.CALL_MISMATCH, detail=f"{decoded.payer} would pay, not we")
    said = _terms(limits, call, decoded, tokens)
    meant = CallTerms(
        chain_id=limits.chain_id,
        to=call.to.lower(),
        selector=said.selector,
        value_wei=0,
        tokens=(tokens[wish.step.source].lower(), tokens[wish.step.target].lower()),
        amount_units=None if said.amount_units is None else wish.units,
        min_out_units=said.min_out_units,
        recipient=limits.account,
        deadline_s=said.deadline_s,
    )
    promised = decoded.units_out_min or call.units_out_min
    refusal = check_call(limits, meant=meant, decoded=said, now_s=now_s) or check_min_out(
        decoded_units=promised, required_units=wish.required_units, quoted_units=quoted_units
    )
    if refusal is not None or reduces:
        return refusal
    # What the quote lacks beyond the pool's fee; `required` has the whole allowance off.
    kept_ppm = PPM - round(wish.step.fee_bps * PPM_PER_BPS)
    fair_units = wish.required_units * kept_ppm // (kept_ppm - limits.impact_bps_max * PPM_PER_BPS)
    impact_ppm = max(0, (fair_units - quoted_units) * PPM // fair_units) if fair_units else PPM
    return check_size(
        limits,
        value_micro_usd=wish.value_micro_usd,
        depth_micro_usd=wish.depth_micro_usd,
        impact_ppm=impact_ppm,
    )


def vet_approval(
    limits: ChainLimits, approval: Approval, call: Call, *, needed_units: int, standing_units: int
) -> ChainRefusal | None:
    """Say why an approval may not be signed, or None: its own bytes are read, not what built them."""
    allowed = AllowedCall(to=call.to.lower(), selector=_selector(call))
    said = erc20.decode_approve(call.to, call.data)
    if said is None or allowed not in limits.calls or call.value_wei:
        detail = f"{allowed.selector} of {allowed.to}"
        return ChainRefusal(reason=ChainReason.CALL_NOT_ALLOWED, detail=detail)
    if said != approval:
        return ChainRefusal(reason=ChainReason.CALL_MISMATCH, detail=f"{said}, meant {approval}")
    return check_approval(
        limits,
        spender=said.spender,
        decoded_units=said.units,
        needed_units=needed_units,
        standing_units=standing_units,
    )


def allowed_calls(pairs: Sequence[tuple[str, bytes]]) -> tuple[AllowedCall, ...]:
    """Return the allow-list of (address, selector) pairs, each once, in order."""
    calls = [AllowedCall(to=to.lower(), selector="0x" + selector.hex()) for to, selector in pairs]
    return tuple(dict.fromkeys(calls))


def _terms(limits: ChainLimits, call: Call, decoded: Decoded, tokens: Mapping[AssetId, str]) -> CallTerms:
    """Return decoded calldata in the words all venues share; addresses in lower case."""
    return CallTerms(
        chain_id=limits.chain_id,
        to=call.to.lower(),
        selector=_selector(call),
        value_wei=call.value_wei,
        tokens=(tokens[decoded.source].lower(), tokens[decoded.target].lower()),
        amount_units=decoded.units_in,
        min_out_units=decoded.units_out_min,
        recipient=limits.account if decoded.recipient is None else decoded.recipient.lower(),
        deadline_s=decoded.deadline_s,
    )


def _selector(call: Call) -> str:
    return "0x" + call.data[:_SELECTOR_BYTES].hex()
