"""Seasons played through the real actors, in memory, for tests that compare them with something."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families
from treasury_actors.arena.model.rules import ArenaRules, RiskRules
from treasury_actors.clock import VirtualClock, WallClock
from treasury_actors.ids import FamilyId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.conductor import Conductor
from treasury_actors.trading.model.costs import CHAINS
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.planner import PlannerPolicy
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import open_house

SHIPPED = families(MAINNET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A season that was played: its journal and the state it adds up to."""

    events: tuple[Recorded, ...]
    fold: Fold


def world(*, seed: int = 3, days: int = 30, warmup_h: int = 2_880) -> ColumnSeason:
    """Return a generated season that a test can afford."""
    return generate_season(universe=MAINNET, seed=seed, days=days, warmup_h=warmup_h)


def house_rules(
    *,
    population: int = 16,
    capital_usd: int = 160_000,
    still: bool = True,
    guard: GuardPolicy | None = None,
    risk: RiskRules | None = None,
    chain: str = "base",
    gas_usd: int = 5_000,
) -> HouseRules:
    """Return the rules of a house; a `still` one neither allots nor breeds."""
    arena = ArenaRules(
        seed=11,
        stage="sim",
        population=population,
        capital_usd=capital_usd,
        gas_usd=gas_usd,
        breeds=not still,
    )
    arena = replace(arena, allocates=not still, risk=risk or RiskRules())
    return HouseRules(
        arena=arena,
        planner=PlannerPolicy(),
        guard=guard or GuardPolicy(),
        chain=CHAINS[chain],
        gas_wei_max=10**16,
        rates=RateLimits(arena_day_micro_usd_max=10**24, arena_sends_hour_max=10**6),
        supervision=SupervisionPolicy(),
    )


async def play(
    season: Season,
    rules: HouseRules,
    known: Mapping[FamilyId, Family] = SHIPPED,
    *,
    frames: int | None = None,
) -> Played:
    """Play a season, or its first `frames`, through the real actors."""
    features = Features(season.universe)
    for index in range(-season.warmup_count, 0):
        features.append(season.frame(index))
    journal = MemoryJournal()
    fold = Fold(season=season, lending_benchmark=rules.arena.lending_benchmark)
    async with open_house(
        rules=rules,
        families=known,
        fold=fold,
        features=features,
        journal=journal,
        turn_clock=VirtualClock(),
        host_clock=WallClock(),
    ) as house:
        conductor = Conductor(house)
        await conductor.open_season(season, number=1, seed=rules.arena.seed, config_hash="a test")
        for index in range(season.frame_count if frames is None else frames):
            await conductor.turn(season.frame(index))
    return Played(events=tuple(journal.read()), fold=fold)
