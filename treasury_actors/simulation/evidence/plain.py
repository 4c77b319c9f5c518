"""
The plain evaluator by windows: the lives of `simulation.life`, each with gas and limits of its own.

`evaluate_population` divides one arena's limits among a population, so what a genome may do there hangs on
who else is there. A fitness must not: here every genome trades alone, and is worth the same in any company.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from treasury_actors.agents.model.family import Family
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import DAY_FRAMES, Window
from treasury_actors.ids import AgentId, AssetId, FamilyId, VenueId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD
from treasury_actors.reports.lines import liquid_ratio
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.account import GasTank
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.life import Life
from treasury_actors.trading.model.mandate import Limits

CAPITAL_USD = 10_000
"""What each genome trades with: the share of one of fifty agents in the shipped config."""

_GAS_USD = 100_000
_STABLE_UNDERLYING = (AssetId("USDC"), AssetId("USDT"), AssetId("DAI"), AssetId("USDS"))


class PlainEvaluator:
    """Genomes through windows of one history by plain calls; use as an `Evaluate`."""

    def __init__(
        self,
        history: History,
        families: Mapping[FamilyId, Family],
        rules: HouseRules,
        *,
        capital_usd: int = CAPITAL_USD,
    ) -> None:
        self._history = history
        self._families = families
        # Alone, an agent has the whole of an arena's limits; its own are what binds.
        self._rules = replace(
            rules,
            arena=replace(
                rules.arena,
                population=1,
                capital_usd=capital_usd,
                gas_usd=_GAS_USD,
                risk=replace(rules.arena.risk, arena_turnover_usd_max=10**9),
            ),
        )
        self._places = Places(history.universe)

    @property
    def rules(self) -> HouseRules:
        """The rules of the house of one that every genome trades in."""
        return self._rules

    def __repr__(self) -> str:
        return f"<PlainEvaluator of {self._history.name[:12]}>"

    def __call__(self, genomes: Sequence[Genome], window: Window) -> list[WindowCourse]:
        """Let every genome trade the window, each alone."""
        history = self._history
        assert history.holds(window), f"{window.name} is no window of {history.name[:12]}"
        features = history.features
        first = history.frame(window, 0)
        diaries = [self._diary(number, genome, first) for number, genome in enumerate(genomes)]
        for index in range(window.days * DAY_FRAMES + 1):
            frame = history.frame(window, index)
            end = history.known(window, index)
            for diary in diaries:
                life = diary.life
                life.settle(frame)
                life.watch(frame)
                if life.is_active:
                    life.decide(frame, features, end)
                life.submit(frame)
                if index > 0 and index % self._rules.arena.round_turns == 0:
                    diary.new_round(self._rules.arena, frame)
            if index % DAY_FRAMES == 0:
                for diary in diaries:
                    diary.close_day(frame)
        return [diary.course(window, frame) for diary in diaries]

    def _diary(self, number: int, genome: Genome, frame: MarketFrame) -> "_Diary":
        """Give a genome its capital, and gas that never runs out: what it burns it pays for all the same."""
        universe, rules = self._history.universe, self._rules
        arena = rules.arena
        capital = _units_worth(universe, universe.reserve, int(arena.capital_usd * MICRO_USD), frame)
        wei = _units_worth(universe, universe.gas, int(arena.gas_usd * MICRO_USD), frame)
        gas = GasTank(wei=wei, policy_wei=rules.gas_wei_max)
        life = Life(
            agent=AgentId(f"{genome.family}-{number:04d}"),
            family=self._families[genome.family],
            genes=genome.genes,
            universe=universe,
            rules=rules,
            limits=_limits(arena, universe, capital, frame, gas_wei=arena.gas_shares(wei, 1)[0], gas_round=0),
            gas=gas,
            capital_units=capital,
            frame=frame,
            traced=False,
        )
        return _Diary(life, gas, self._places)


class Places:
    """
    Where the assets of a universe lie.

    Attributes:
        venue: the yield venue of each asset that lies at one.
        stable: the reserve, other stablecoins, and what is lent of them.
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.venue: dict[AssetId, VenueId] = {
            step.target: step.venue
            for step in universe.conversions
            if step.action in ("supply", "deposit", "stake")
        }
        self.stable = frozenset(
            asset.id
            for asset in universe.assets
            if asset.id in (universe.reserve, *_STABLE_UNDERLYING)
            or asset.underlying in (universe.reserve, *_STABLE_UNDERLYING)
        )


class _Diary:
    """A life, and what is noted of it at the close of each day."""

    __slots__ = (
        "_days",
        "_gas",
        "_liquid_min",
        "_navs",
        "_places",
        "_round",
        "_stable_min",
        "_venues",
        "life",
    )

    def __init__(self, life: Life, gas: GasTank, places: Places) -> None:
        self.life = life
        self._gas = gas
        self._round = 0
        self._places = places
        self._navs: list[int] = []
        self._venues: dict[VenueId, float] = {}
        self._days = 0
        self._liquid_min = inf
        self._stable_min = inf

    def new_round(self, arena: ArenaRules, frame: MarketFrame) -> None:
        """Set limits and gas anew, as a round does in an arena of one."""
        self._round += 1
        if not self.life.is_active:
            return
        universe = self._places.universe
        reserve = universe.by_id[universe.reserve]
        units = reserve.units_for_micro_usd(
            self.life.nav_micro_usd, frame.ticks[universe.column[universe.reserve]]
        )
        gas_wei = arena.gas_shares(self._gas.budgets.divisible_wei(self._gas.wei), 1)[0]
        self.life.limit(_limits(arena, universe, units, frame, gas_wei=gas_wei, gas_round=self._round))

    def close_day(self, frame: MarketFrame) -> None:
        """Note NAV, and where it lies."""
        places, life = self._places, self.life
        universe = places.universe
        nav = life.nav_micro_usd
        self._navs.append(nav)
        self._days += 1
        if nav <= 0:
            return
        liquid = liquid_ratio(universe, life.account.units, frame)
        self._liquid_min = min(self._liquid_min, 1.0 if liquid is None else liquid)
        stable = 0
        for asset, units in sorted(life.account.units.items()):
            value = universe.by_id[asset].value_micro_usd(units, frame.ticks[universe.column[asset]])
            if asset in places.stable:
                stable += value
            venue = places.venue.get(asset)
            if venue is not None:
                self._venues[venue] = self._venues.get(venue, 0.0) + value / nav
        self._stable_min = min(self._stable_min, stable / nav)

    def course(self, window: Window, frame: MarketFrame) -> WindowCourse:
        """Return all of it; `frame` is the last."""
        lived = self.life.lifeline(frame)
        return WindowCourse(
            window=window,
            daily_nav_micro_usd=tuple(self._navs),
            max_drawdown_ratio=lived.course.max_drawdown_ratio,
            traded_micro_usd=sum(fill.value_micro_usd for fill in lived.fills),
            trades=lived.trades,
            venue_shares=tuple((venue, share / self._days) for venue, share in sorted(self._venues.items())),
            liquid_ratio_min=min(1.0, self._liquid_min),
            stable_ratio_min=min(1.0, self._stable_min),
            death=lived.death.reason if lived.death else "",
        )


def _limits(
    arena: ArenaRules, universe: Universe, units: int, frame: MarketFrame, *, gas_wei: int, gas_round: int
) -> Limits:
    """Return the limits of one who is alone with `units` of the reserve asset."""
    ticks = frame.ticks[universe.column[universe.reserve]]
    micro_usd = universe.by_id[universe.reserve].value_micro_usd(units, ticks)
    return arena.limits_for(micro_usd, micro_usd, gas_wei=gas_wei, gas_round=gas_round)


def _units_worth(universe: Universe, asset: AssetId, micro_usd: int, frame: MarketFrame) -> int:
    """Return the fewest units worth so much at a frame."""
    return universe.by_id[asset].units_for_micro_usd_up(micro_usd, frame.ticks[universe.column[asset]])
