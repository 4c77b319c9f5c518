"""
The population evaluator: genomes over a season by plain calls, without actors, ledger or journal.

It calls the functions the actors call (features, view, `decide`, planner, limits, costs, settlement, guard),
in their order, so a genome here has the fills it would have in a house that neither allots nor breeds; a
parity test holds the two together. What it leaves out: nothing is journalled, and where exits want more gas
than no mandate was promised, they get it in another order.
"""

from collections.abc import Sequence
from typing import TypeAlias

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD, split_by_largest_remainder
from treasury_actors.reports.course import Course
from treasury_actors.reports.lines import BenchmarkResult, liquid_ratio
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.account import GasTank
from treasury_actors.simulation.life import Life
from treasury_actors.simulation.lifeline import Population
from treasury_actors.trading.model.mandate import Limits
from treasury_actors.trading.model.valuation import nav_micro_usd

Candidate: TypeAlias = tuple[Family, tuple[int, ...]]
"""A genome with the family it belongs to."""


def evaluate_population(
    season: Season,
    candidates: Sequence[Candidate],
    rules: HouseRules,
    *,
    lag_frames: int = 0,
    foresight: bool = False,
    traced: bool = False,
) -> Population:
    """
    Let every candidate trade an equal share of `rules.arena.capital_usd` over the whole season.

    Args:
        lag_frames: so much later strategies hear of a frame; prices and fills are always the newest.
        foresight: the features hold the whole season from the start; only for tests of who looks at it.
        traced: keep every decision.
    """
    assert candidates, "a population has somebody in it"
    assert 0 <= lag_frames <= season.warmup_count, "what is heard late was there before the season"
    features = Features(season.universe)
    for index in range(-season.warmup_count, season.frame_count if foresight else 0):
        features.append(season.frame(index))
    treasury = Treasury(season.frame(0), candidates, rules, season.universe, traced=traced)
    for index in range(season.frame_count):
        frame = season.frame(index)
        if not foresight:
            features.append(frame)
        treasury.turn(frame, features, season.warmup_count + index + 1 - lag_frames)
    return treasury.population(frame)


class Treasury:
    """
    The lives of a population, and the gas they share.

    Attributes:
        lives: in the order of the candidates.
        gas: what they all burn from.
    """

    def __init__(
        self,
        first: MarketFrame,
        candidates: Sequence[Candidate],
        rules: HouseRules,
        universe: Universe,
        *,
        traced: bool,
    ) -> None:
        self._rules = rules
        self._universe = universe
        pool_units = _units_worth(universe, universe.reserve, int(rules.arena.capital_usd * MICRO_USD), first)
        gas_wei = _units_worth(universe, universe.gas, int(rules.arena.gas_usd * MICRO_USD), first)
        self.gas = GasTank(wei=gas_wei, policy_wei=rules.gas_wei_max)
        self._round = 0
        shares = split_by_largest_remainder(pool_units, [1] * len(candidates))
        gas_shares = rules.arena.gas_shares(gas_wei, len(candidates))
        self.lives = [
            Life(
                agent=AgentId(f"{family.id}-{number:04d}"),
                family=family,
                genes=genes,
                universe=universe,
                rules=rules,
                limits=_limits(rules.arena, universe, units, pool_units, first, gas_wei=own_wei, gas_round=0),
                gas=self.gas,
                capital_units=units,
                frame=first,
                traced=traced,
            )
            for number, ((family, genes), units, own_wei) in enumerate(
                zip(candidates, shares, gas_shares, strict=True), start=1
            )
        ]
        self._path = Course()
        self._path.rebase(self._nav_micro_usd(first))
        self._navs: list[int] = []

    def turn(self, frame: MarketFrame, features: Features, end: int) -> None:
        """Play one frame for everybody: fills, guard, decisions, orders, and at a round new limits."""
        for life in self.lives:
            life.settle(frame)
        for life in self.lives:
            life.watch(frame)
            if life.is_active:
                life.decide(frame, features, end)
            life.submit(frame)
        self._mark(frame)
        if frame.index > 0 and frame.index % self._rules.arena.round_turns == 0:
            self._divide_limits(frame)

    def population(self, frame: MarketFrame) -> Population:
        """Return what has become of everybody at the last frame."""
        treasury = BenchmarkResult(
            nav_micro_usd=self._navs[-1],
            return_ratio=self._path.return_ratio,
            max_drawdown_ratio=self._path.max_drawdown_ratio,
            liquid_24h_ratio=liquid_ratio(self._universe, self._owned(), frame),
            path_micro_usd=tuple(self._navs),
        )
        return Population(lifelines=tuple(life.lifeline(frame) for life in self.lives), treasury=treasury)

    def _mark(self, frame: MarketFrame) -> None:
        """Note what everything is worth."""
        nav = self._nav_micro_usd(frame)
        self._path.see(nav)
        self._navs.append(nav)
        if frame.index % DAY_FRAMES == 0:
            for life in self.lives:
                life.close_day()

    def _divide_limits(self, frame: MarketFrame) -> None:
        """Divide the arena's limits among those who still decide, as a round does."""
        universe = self._universe
        reserve = universe.by_id[universe.reserve]
        ticks = frame.ticks[universe.column[universe.reserve]]
        active = sorted((life for life in self.lives if life.is_active), key=lambda life: life.agent)
        units = [reserve.units_for_micro_usd(life.nav_micro_usd, ticks) for life in active]
        arena, total = self._rules.arena, sum(units)
        gas_shares = arena.gas_shares(self.gas.budgets.divisible_wei(self.gas.wei), len(active))
        self._round += 1
        for life, own, gas_wei in zip(active, units, gas_shares, strict=True):
            life.limit(_limits(arena, universe, own, total, frame, gas_wei=gas_wei, gas_round=self._round))

    def _nav_micro_usd(self, frame: MarketFrame) -> int:
        """Return the NAV of the lives, as they were last watched, and of the gas account."""
        return sum(life.nav_micro_usd for life in self.lives) + nav_micro_usd(
            self._universe, self._gas_account().items(), frame
        )

    def _gas_account(self) -> dict[AssetId, int]:
        """Return what is left of the gas, and what was paid for what was burnt."""
        paid = sum(life.account.gas_paid_units for life in self.lives)
        return {self._universe.gas: self.gas.wei, self._universe.reserve: paid}

    def _owned(self) -> dict[AssetId, int]:
        """Return everything there is, by asset."""
        owned = self._gas_account()
        for life in self.lives:
            for asset, units in life.account.units.items():
                owned[asset] = owned.get(asset, 0) + units
        return owned


def _units_worth(universe: Universe, asset: AssetId, micro_usd: int, frame: MarketFrame) -> int:
    """Return the fewest units worth so much at a frame."""
    return universe.by_id[asset].units_for_micro_usd_up(micro_usd, frame.ticks[universe.column[asset]])


def _limits(
    arena: ArenaRules,
    universe: Universe,
    units: int,
    total_units: int,
    frame: MarketFrame,
    *,
    gas_wei: int,
    gas_round: int,
) -> Limits:
    """Return the limits of one who has `units` of the reserve asset among `total_units`."""
    reserve, ticks = universe.by_id[universe.reserve], frame.ticks[universe.column[universe.reserve]]
    return arena.limits_for(
        reserve.value_micro_usd(units, ticks),
        reserve.value_micro_usd(total_units, ticks),
        gas_wei=gas_wei,
        gas_round=gas_round,
    )
