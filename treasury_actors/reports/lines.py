"""
What the same treasury would have become elsewhere: the lines an arena is held against.

Every line gets the same money at the same frames (the opening deposit and each later flow), pays the same
costs by the same functions, and keeps the same gas money in the gas asset beside it, out of which its own
gas is paid: so totals compare to the dollar. Lines buy at the prices of the frame the money arrives in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import split_by_largest_remainder
from treasury_actors.reports.course import Course
from treasury_actors.reports.history import Flow, History
from treasury_actors.trading.model.costs import ChainProfile, quote
from treasury_actors.trading.model.liquidity import LIQUID_FRAMES, frame_cap_micro_usd
from treasury_actors.trading.model.valuation import nav_micro_usd

HOURS_A_YEAR = 8_760


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """
    What one line has become.

    Attributes:
        nav_micro_usd: at the last frame, gas money included.
        return_ratio: time-weighted, flows of capital aside.
        max_drawdown_ratio: on hourly NAV, flows aside.
        liquid_24h_ratio: the share that could be the reserve asset within 24 h, gas money aside.
        path_micro_usd: NAV at every frame; empty if not kept.
    """

    nav_micro_usd: int
    return_ratio: float
    max_drawdown_ratio: float
    liquid_24h_ratio: float | None
    path_micro_usd: tuple[int, ...] = ()


def lived(history: History, season: Season) -> BenchmarkResult:
    """Return a whole arena as a line: the one reported on, or another that was lived for comparison."""
    frame = season.frame(history.last_frame)
    return BenchmarkResult(
        nav_micro_usd=history.nav_micro_usd[-1],
        return_ratio=history.course.return_ratio,
        max_drawdown_ratio=history.course.max_drawdown_ratio,
        liquid_24h_ratio=liquid_ratio(season.universe, history.held_at_end, frame),
        path_micro_usd=history.nav_micro_usd,
    )


def lending_line(
    season: Season, flows: Sequence[Flow], *, last_frame: int, asset: AssetId, chain: ChainProfile
) -> BenchmarkResult | None:
    """
    Return all reserve capital lent at once and sold at the last frame; None if it can't be bought at all.

    What liquidity does not let out at the last frame counts at its NAV.
    """
    universe = season.universe
    if (universe.reserve, asset) not in universe.routes:
        return None
    treasury = _Treasury(season, chain, shares={asset: 1})
    return treasury.live(flows, last_frame, sell=True)


def equal_weight_line(
    season: Season, flows: Sequence[Flow], *, last_frame: int, chain: ChainProfile
) -> BenchmarkResult | None:
    """
    Return equal value in the reserve and in every asset that can be bought with it and sold again.

    Bought when the money comes, held, valued at NAV at the end: nothing is sold or rebalanced.
    """
    universe, first = season.universe, season.frame(0)
    chosen = [
        asset.id
        for asset in universe.assets
        if asset.id != universe.gas
        and first.fresh[universe.column[asset.id]]
        and (asset.id == universe.reserve or _can_return(universe, asset.id))
    ]
    if len(chosen) < 2:  # noqa: PLR2004  equal weights of one asset are that asset
        return None
    return _Treasury(season, chain, shares=dict.fromkeys(chosen, 1)).live(flows, last_frame, sell=False)


def tbill_line(season: Season, flows: Sequence[Flow], *, last_frame: int) -> BenchmarkResult | None:
    """
    Return the dollars of every flow in 6-month treasury bills, interest accrued hourly, free of cost.

    The yield of frame t is earned until t + 1; while none is known the last known one goes on. None if no
    frame knows one. Bills sell within a day, so all of it counts as liquid.
    """
    universe = season.universe
    by_frame = _flows_by_frame(universe, flows)
    rates = (season.frame(index).tbill_rate for index in range(last_frame + 1))
    rate = next((known for known in rates if not isnan(known)), None)
    if rate is None:
        return None
    dollars, gas_units, path, course = 0.0, 0, [], Course()
    for index in range(last_frame + 1):
        frame = season.frame(index)
        nav = round(dollars) + nav_micro_usd(universe, [(universe.gas, gas_units)], frame)
        course.see(nav)
        if index in by_frame:
            value, gas = by_frame[index]
            dollars, gas_units = max(0.0, dollars + value), max(0, gas_units + gas)
            nav = round(dollars) + nav_micro_usd(universe, [(universe.gas, gas_units)], frame)
            course.rebase(nav)
        course.close_day(index)
        path.append(nav)
        if not isnan(frame.tbill_rate):
            rate = frame.tbill_rate
        dollars *= 1.0 + rate / HOURS_A_YEAR
    return _result(path, course, 1.0)


def liquid_ratio(universe: Universe, holdings: Mapping[AssetId, int], frame: MarketFrame) -> float | None:
    """
    Return the share of holdings that could be the reserve asset within 24 h; None of nothing.

    Per asset: every step of its route turns over 24 times what the frame allows, and in a pool no more an
    hour than costs 1% of price impact; a stale price sells nothing. Gas money is left out on both sides.
    """
    total = liquid = 0.0
    for asset, units in holdings.items():
        if asset == universe.gas:
            continue
        value = float(nav_micro_usd(universe, [(asset, units)], frame))
        total += value
        liquid += min(value, frame_cap_micro_usd(universe, asset, frame) * LIQUID_FRAMES)
    return liquid / total if total > 0.0 else None


class _Treasury:
    """A treasury that buys fixed shares of value whenever money comes, and does nothing else."""

    def __init__(self, season: Season, chain: ChainProfile, *, shares: Mapping[AssetId, int]) -> None:
        self._season = season
        self._universe = season.universe
        self._chain = chain
        self._shares = shares
        self._held: dict[AssetId, int] = {}

    def live(self, flows: Sequence[Flow], last_frame: int, *, sell: bool) -> BenchmarkResult:
        """Go through the season; sell at its last frame if told to."""
        by_frame = _flows_by_frame(self._universe, flows)
        course, path = Course(), []
        for index in range(last_frame + 1):
            frame = self._season.frame(index)
            course.see(self._nav(frame))
            if index in by_frame:
                self._flow(*by_frame[index], frame, course)
            if sell and index == last_frame:
                self._convert_all(self._universe.reserve, frame)
                course.see(self._nav(frame))
            course.close_day(index)
            path.append(self._nav(frame))
        last = self._season.frame(last_frame)
        return _result(path, course, liquid_ratio(self._universe, self._held, last))

    def _flow(self, value_micro_usd: int, gas_units: int, frame: MarketFrame, course: Course) -> None:
        """Take in money and buy, or sell in proportion and pay out; what that costs is a loss, not a flow."""
        universe = self._universe
        reserve, ticks = universe.by_id[universe.reserve], frame.ticks[universe.column[universe.reserve]]
        self._change(universe.gas, max(gas_units, -self._held.get(universe.gas, 0)))
        course.rebase(self._nav(frame))
        if value_micro_usd > 0:
            units = reserve.units_for_micro_usd_up(value_micro_usd, ticks)
            self._change(universe.reserve, units)
            course.rebase(self._nav(frame))
            self._buy(units, frame)
            course.see(self._nav(frame))
        elif value_micro_usd < 0:
            self._sell_for(-value_micro_usd, frame)
            course.see(self._nav(frame))
            due = reserve.units_for_micro_usd(-value_micro_usd, ticks)
            self._change(universe.reserve, -min(due, self._held.get(universe.reserve, 0)))
            course.rebase(self._nav(frame))

    def _buy(self, units: int, frame: MarketFrame) -> None:
        """Spread units of the reserve over the shares."""
        parts = split_by_largest_remainder(units, list(self._shares.values()))
        for asset, part in zip(self._shares, parts, strict=True):
            self._convert(self._universe.reserve, asset, part, frame)

    def _sell_for(self, micro_usd: int, frame: MarketFrame) -> None:
        """Sell the same share of every holding, so that its value covers a payment."""
        sold = [asset for asset in self._held if asset != self._universe.gas]
        total = nav_micro_usd(self._universe, [(asset, self._held[asset]) for asset in sold], frame)
        for asset in sold:
            if total > 0 and asset != self._universe.reserve:
                units = min(self._held[asset], -(-self._held[asset] * micro_usd // total))
                self._convert(asset, self._universe.reserve, units, frame)

    def _convert_all(self, target: AssetId, frame: MarketFrame) -> None:
        """Sell every holding but the gas money."""
        for asset in [a for a in self._held if a not in {target, self._universe.gas}]:
            self._convert(asset, target, self._held[asset], frame)

    def _convert(self, source: AssetId, target: AssetId, units: int, frame: MarketFrame) -> None:
        """Walk a route, each step from the actual fill; stop where nothing can be had."""
        if source == target or units <= 0:
            return
        for step in self._universe.routes[source, target]:
            bought = quote(self._universe, step, units, frame) if self._is_fresh(step, frame) else None
            if bought is None:
                return
            self._change(step.source, -bought.given_units)
            self._change(step.target, bought.taken_units)
            wei = self._chain.gas_wei(step, frame.l1_gas_gwei)
            self._change(self._universe.gas, -min(wei, self._held.get(self._universe.gas, 0)))
            units = bought.taken_units

    def _is_fresh(self, step: Conversion, frame: MarketFrame) -> bool:
        column = self._universe.column
        return frame.fresh[column[step.source]] and frame.fresh[column[step.target]]

    def _change(self, asset: AssetId, units: int) -> None:
        left = self._held.get(asset, 0) + units
        assert left >= 0, "a line never owes"
        self._held[asset] = left

    def _nav(self, frame: MarketFrame) -> int:
        return nav_micro_usd(self._universe, self._held.items(), frame)


def _flows_by_frame(universe: Universe, flows: Sequence[Flow]) -> dict[int, tuple[int, int]]:
    """Return, per frame, the dollars that came (micro, gas asset aside) and the units of the gas asset."""
    found: dict[int, tuple[int, int]] = {}
    for flow in flows:
        value, gas = found.get(flow.frame, (0, 0))
        if flow.asset == universe.gas:
            gas += flow.units
        else:
            value += flow.value_micro_usd
        found[flow.frame] = value, gas
    return found


def _can_return(universe: Universe, asset: AssetId) -> bool:
    """Say whether an asset can be bought with the reserve and sold for it again."""
    there: Callable[[tuple[AssetId, AssetId]], bool] = universe.routes.__contains__
    return there((universe.reserve, asset)) and there((asset, universe.reserve))


def _result(path: list[int], course: Course, liquid: float | None) -> BenchmarkResult:
    return BenchmarkResult(
        nav_micro_usd=path[-1],
        return_ratio=course.return_ratio,
        max_drawdown_ratio=course.max_drawdown_ratio,
        liquid_24h_ratio=liquid,
        path_micro_usd=tuple(path),
    )
