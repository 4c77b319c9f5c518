"""Whole houses on generated seasons, in memory, for tests to live in."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.agents.registry import families
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.clock import VirtualClock
from treasury_actors.ids import AssetId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.conductor import Conductor
from treasury_actors.trading.model.costs import CHAINS
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.planner import PlannerPolicy
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import House, WrapAgent, open_house

LENDING = AssetId("aUSDC")
AfterTurn = Callable[[House, MarketFrame], Awaitable[None] | None]


@cache
def season(days: int, *, seed: int = 7, warmup_h: int = 1_200) -> Season:
    """Return a generated season; the same one to all who ask."""
    return generate_season(universe=MAINNET, seed=seed, days=days, warmup_h=warmup_h)


def rules(population: int = 21, **arena: object) -> HouseRules:
    """Return the rules of a simulation with so many agents of $10,000."""
    base = ArenaRules(
        seed=7, stage="sim", population=population, capital_usd=10_000 * population, gas_usd=5_000
    )
    return HouseRules(
        arena=replace(base, **arena),  # type: ignore[arg-type]  # each test names fields that exist
        planner=PlannerPolicy(),
        guard=GuardPolicy(),
        chain=CHAINS["base"],
        gas_wei_max=10**16,
        rates=RateLimits(arena_day_micro_usd_max=10**24, arena_sends_hour_max=10**6),
        supervision=SupervisionPolicy(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What is left of a house that was closed: its journal and the live state."""

    journal: MemoryJournal
    fold: Fold

    @property
    def state_hash(self) -> str:
        """The live state's hash."""
        return self.fold.records.state_hash

    def events(self) -> list[Recorded]:
        """Return everything that happened."""
        return list(self.journal.read())


def fold_of(events: Iterable[Recorded], of: Season) -> Fold:
    """Return what a start makes of a journal."""
    fold = Fold(season=of, lending_benchmark=LENDING)
    for recorded in events:
        fold.add(recorded)
    fold.finish()
    return fold


async def live(
    by: HouseRules,
    on: Season,
    *,
    journal: MemoryJournal | None = None,
    until: int | None = None,
    wrap_agent: WrapAgent | None = None,
    after_turn: AfterTurn | None = None,
) -> Lived:
    """Open a house on a journal, empty or not, and play to the end of the season or to frame `until`."""
    journal = journal or MemoryJournal()
    begins = journal.head[0] == 0
    fold = fold_of(journal.read(), on)
    features = Features(on.universe)
    for index in range(-on.warmup_count, fold.turn + 1):
        features.append(on.frame(index))
    last = on.frame_count - 1 if until is None else until
    async with open_house(
        rules=by,
        families=families(on.universe),
        fold=fold,
        features=features,
        journal=journal,
        turn_clock=VirtualClock(on.frame(max(fold.turn, 0)).time_ns),
        host_clock=VirtualClock(),
        wrap_agent=wrap_agent,
    ) as house:
        conductor = Conductor(house)
        if begins:
            await conductor.open_season(on, number=1, seed=by.arena.seed, config_hash="test")
        for index in range(fold.turn + 1, last + 1):
            frame = on.frame(index)
            await conductor.turn(frame)
            if after_turn is not None:
                waited = after_turn(house, frame)
                if waited is not None:
                    await waited
    return Lived(journal=journal, fold=fold)


class InjectedCrash(Exception):
    """What a test makes an agent die of."""


class Crashing(Actor[AgentMessage]):
    """An agent that dies at the frames it is told to, instead of deciding."""

    def __init__(self, agent: Actor[AgentMessage], *, at: Callable[[int], bool]) -> None:
        self._agent = agent
        self._at = at

    async def started(self) -> None:
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        if self._at(message.frame.index):
            raise InjectedCrash(f"at frame {message.frame.index}")
        return await self._agent.receive(message)

    async def stopped(self) -> None:
        await self._agent.stopped()


def crashing(name: str, *, at: Callable[[int], bool]) -> WrapAgent:
    """Return what makes one agent crash and leaves the others as they are."""

    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        return Crashing(agent, at=at) if spec.agent == name else agent

    return wrap
