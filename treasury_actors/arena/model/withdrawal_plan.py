"""
How a withdrawal that needs more than lies idle is planned: printed whole before anything moves. Pure.

Idle money goes first: the reserve, then the pools. Then mandates are cut, those first for whom least speaks:
without a fitness yet, then by fitness, the lowest first. So capital stays with whoever earned it, few are
disturbed, and no mandate is left too small for its gas. Of equals, the one whose exit is cheapest. Nobody's
mandate closes as long as all can give enough and go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treasury_actors.arena.model.withdrawal import Cut, Idle, Wanted, WithdrawalPlanned, WithdrawalRefused
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.model.costs import ChainProfile, gas_micro_usd
from treasury_actors.trading.model.liquidity import LIQUID_FRAMES, WEEK_FRAMES, Sale, sell
from treasury_actors.trading.model.valuation import nav_micro_usd

ORDER_H = 1
"""What is asked back is asked at the next frame: cash comes home with it, a sale one frame later at best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """
    A mandate that could be cut.

    Attributes:
        fitness_ppb: None while INSUFFICIENT.
        owned: units by asset, those held for an order too.
        due_units: what it owes already.
    """

    agent: AgentId
    fitness_ppb: int | None
    owned: Mapping[AssetId, int]
    due_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """
    What a plan is computed at.

    Attributes:
        least_micro_usd: what a mandate is opened with at least; one that goes on keeps half of it.
    """

    universe: Universe
    frame: MarketFrame
    chain: ChainProfile
    least_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Exit:
    """What leaving positions brings: units of the reserve asset, at what cost, after how many hours."""

    units: int
    cost_micro_usd: int
    home_h: int


def plan_withdrawal(
    wanted: Wanted, idle: Sequence[Idle], holders: Sequence[Holder], market: Market
) -> WithdrawalPlanned | WithdrawalRefused:
    """
    Return the plan, or why there is none.

    Args:
        idle: what lies idle, in the order it is taken.
        holders: the living mandates, in any order.
    """
    if wanted.asset != market.universe.reserve:
        detail = f"{wanted.asset}: only {market.universe.reserve} is brought home from mandates"
        return WithdrawalRefused(reason="not_the_reserve_asset", detail=detail)
    hours = (wanted.by_ns - market.frame.time_ns) // HOUR_NS
    if hours < 0:
        return WithdrawalRefused(reason="deadline_passed", detail=f"it is {-hours} h later than that")
    taken, need = _take_idle(idle, wanted.units)
    cuts = plan_cuts(holders, need, market, hours=hours)
    if sum(cut.units for cut in cuts) < need:
        return _too_much(wanted, wanted.units - need, holders, market, hours)
    return WithdrawalPlanned(
        withdrawal=wanted.withdrawal,
        turn=market.frame.index,
        asset=wanted.asset,
        units=wanted.units,
        by_ns=wanted.by_ns,
        reason=wanted.reason,
        idle=taken,
        cuts=cuts,
    )


def plan_cuts(holders: Sequence[Holder], units: int, market: Market, *, hours: int) -> tuple[Cut, ...]:
    """
    Return whose capital is cut for `units` of the reserve asset, or for as many as can be home in time.

    As long as that is enough, everybody keeps half of the least mandate; else mandates close, in the same
    order, until the others can give the rest.
    """
    ranked = sorted((_gift(holder, market, hours) for holder in holders), key=lambda gift: gift.rank)
    spare = sum(gift.spare_units for gift in ranked)
    cuts: list[Cut] = []
    for gift in ranked if units > 0 else ():
        closes = spare < units
        spare -= gift.spare_units
        part = min(units, gift.whole_units if closes else gift.spare_units)
        if part > 0:
            cuts.append(_cut(gift.holder, part, market, hours, closes=closes))
            units -= part
    return tuple(cuts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gift:
    """What a mandate can give in time: all of it, and what is over what it keeps if it goes on."""

    rank: tuple[bool, int, int, AgentId]
    holder: Holder
    whole_units: int
    spare_units: int


def _gift(holder: Holder, market: Market, hours: int) -> _Gift:
    """Return what a mandate can give in so many hours, and its place in the order."""
    whole = _leave(holder.owned, None, market, hours)
    price = whole.cost_micro_usd * 10**9 // max(1, whole.units)
    kept_units = _reserve_units(market, market.least_micro_usd // 2)
    worth_units = _worth_units(holder, market, late=False)
    gives = max(0, whole.units - holder.due_units)
    return _Gift(
        rank=(holder.fitness_ppb is not None, holder.fitness_ppb or 0, price, holder.agent),
        holder=holder,
        whole_units=gives,
        spare_units=max(0, min(gives, worth_units - kept_units - holder.due_units)),
    )


def expected_units(
    holders: Sequence[Holder], closing: Sequence[Holder], market: Market, *, late: bool
) -> int:
    """
    Return what is on its way home: what mandates owe and are worth, and all that closing ones have.

    An hour without fresh prices is no reason to ask others. Once it is late, only what is liquid counts.
    """
    owed = sum(min(holder.due_units, _worth_units(holder, market, late=late)) for holder in holders)
    return owed + sum(_worth_units(holder, market, late=late) for holder in closing)


def _worth_units(holder: Holder, market: Market, *, late: bool) -> int:
    """Return what a mandate is worth, in units of the reserve asset, or what of it is liquid within a day."""
    if late:
        return _leave(holder.owned, None, market, LIQUID_FRAMES).units
    return _reserve_units(market, nav_micro_usd(market.universe, holder.owned.items(), market.frame))


def _reserve_units(market: Market, micro_usd: int) -> int:
    """Return the units of the reserve asset that micro-dollars buy, rounded down."""
    universe = market.universe
    ticks = market.frame.ticks[universe.column[universe.reserve]]
    return universe.by_id[universe.reserve].units_for_micro_usd(micro_usd, ticks)


def _cut(holder: Holder, units: int, market: Market, hours: int, *, closes: bool) -> Cut:
    """Return the cut of one mandate, with what its exit costs and how long it takes."""
    leaving = _leave(holder.owned, None if closes else units + holder.due_units, market, hours)
    return Cut(
        agent=holder.agent,
        units=units,
        closes=closes,
        cost_micro_usd=leaving.cost_micro_usd,
        home_h=leaving.home_h,
    )


def _take_idle(idle: Sequence[Idle], units: int) -> tuple[tuple[Idle, ...], int]:
    """Return what is taken of what lies idle, and what is needed beyond it."""
    taken: list[Idle] = []
    for each in idle:
        part = min(units, each.units)
        if part > 0:
            taken.append(Idle(account=each.account, units=part))
            units -= part
    return tuple(taken), units


def _leave(owned: Mapping[AssetId, int], units: int | None, market: Market, hours: int) -> _Exit:
    """Return what leaving enough for `units`, or everything, brings in so many hours, the cheapest first."""
    universe, frame = market.universe, market.frame
    cash = owned.get(universe.reserve, 0) if hours >= ORDER_H else 0
    brought, cost, home_h = cash, 0, ORDER_H
    sales = [
        (asset, sell(universe, asset, held, frame, frames=max(0, hours - ORDER_H)))
        for asset, held in sorted(owned.items())
        if asset != universe.reserve
    ]
    for asset, whole in sorted(sales, key=lambda each: (_price(each[1]), each[0])):
        missing = whole.exit_micro_usd
        if units is not None:
            missing = nav_micro_usd(universe, [(universe.reserve, units - brought)], frame)
        if whole.exit_micro_usd <= 0 or missing <= 0:
            continue
        sale = whole
        if missing < whole.exit_micro_usd:
            part = -(-whole.sold_units * missing // whole.exit_micro_usd)
            sale = sell(universe, asset, part, frame, frames=whole.frames)
        gas = _gas_micro_usd(asset, market)
        brought += max(0, _reserve_units(market, sale.exit_micro_usd - gas * sale.frames))
        cost += sale.cost_micro_usd + gas * sale.frames
        home_h = max(home_h, ORDER_H + sale.frames)
    return _Exit(units=brought, cost_micro_usd=cost, home_h=home_h)


def _price(sale: Sale) -> int:
    """Return what a sale costs of what it brings, in ppb."""
    return sale.cost_micro_usd * 10**9 // max(1, sale.exit_micro_usd)


def _gas_micro_usd(asset: AssetId, market: Market) -> int:
    """Return the gas of selling an asset once."""
    universe, frame = market.universe, market.frame
    route = universe.routes.get((asset, universe.reserve), ())
    wei = sum(market.chain.gas_wei(step, frame.l1_gas_gwei) for step in route)
    return gas_micro_usd(universe, wei, frame)


def _too_much(
    wanted: Wanted, idle_units: int, holders: Sequence[Holder], market: Market, hours: int
) -> WithdrawalRefused:
    """Return how much could be home in time, and when all of it could."""

    def reachable(within_h: int) -> int:
        return idle_units + sum(cut.units for cut in plan_cuts(holders, wanted.units, market, hours=within_h))

    asset = market.universe.by_id[wanted.asset]
    in_time = f"{asset.format(reachable(hours))} {asset.id} could be home by then"
    if reachable(WEEK_FRAMES) < wanted.units:
        most = asset.format(reachable(WEEK_FRAMES))
        detail = f"{in_time}, {most} within a week, at this liquidity and at most 1% of price impact an hour"
        return WithdrawalRefused(reason="exceeds_treasury", detail=detail)
    low, high = hours, WEEK_FRAMES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reachable(middle) >= wanted.units else (middle, high)
    return WithdrawalRefused(reason="not_in_time", detail=f"{in_time}, all of it in {high} h")
