"""Journals to report on: one written by hand, entry by entry, and one lived by a small house."""

import asyncio
from dataclasses import replace
from functools import lru_cache

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.agents.registry import families
from treasury_actors.arena.model.events import (
    AgentBorn,
    AgentClosed,
    AgentRetired,
    FitnessRecorded,
    SeasonClosed,
    SeasonOpened,
)
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.clock import HOUR_NS, VirtualClock, WallClock
from treasury_actors.ids import (
    AccountId,
    AgentId,
    AssetId,
    ConversionId,
    EntryId,
    FamilyId,
    GenomeId,
    OrderId,
)
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import (
    DEPOSITS,
    GAS,
    GAS_BURNT,
    PAST_SEASONS,
    Book,
    Entry,
    EntryKind,
    Posting,
    available,
    is_contra,
    pool,
    transfer,
    venue,
)
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import Label
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.history import History
from treasury_actors.reports.summary import RunContext
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.conductor import Conductor
from treasury_actors.trading.model.costs import CHAINS, gas_micro_usd, quote
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.order import OrderFilled
from treasury_actors.trading.model.planner import PlannerPolicy
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import open_house

USDC, WETH, ETH, AUSDC, WSTETH, LINK = map(AssetId, ("USDC", "WETH", "ETH", "aUSDC", "wstETH", "LINK"))
POOL = pool("sim")
BASE = CHAINS["base"]


@lru_cache
def generated(days: int, seed: int = 1, warmup_h: int = 0) -> ColumnSeason:
    """Return a generated season."""
    return generate_season(universe=MAINNET, seed=seed, days=days, warmup_h=warmup_h)


def relabelled(season: ColumnSeason, label: Label, *, later_h: int = 0) -> ColumnSeason:
    """Return the same numbers under another label, so many hours later."""
    return ColumnSeason(
        season.columns,
        universe=season.universe,
        label=label,
        source=season.source,
        notes=season.notes,
        start_ns=season.start_ns + later_h * HOUR_NS,
        warmup_count=season.warmup_count,
    )


def context(**changes: object) -> RunContext:
    """Return a context with a few things set."""
    plain = RunContext(
        run_id="test-run", seed=7, wall_s=1.5, journal_path="run/journal.db", state_hash="ab" * 32, chain=BASE
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


class Diary:
    """Writes the journal of a season by hand. Every method happens at the frame last gone to."""

    def __init__(self, season: ColumnSeason) -> None:
        self.season = season
        self.journal = MemoryJournal()
        self._count = self._seasons = 0
        self.next_season(season)

    def next_season(self, season: ColumnSeason) -> None:
        """Open a season."""
        self.season = season
        self.frame = season.frame(0)
        self._seasons += 1
        self.write(
            SeasonOpened(
                season=self._seasons,
                seed=7,
                label=season.label,
                source=season.source,
                data_hash=season.data_hash,
                config_hash="c",
                start_ns=season.start_ns,
                frames=season.frame_count,
                population=1,
            )
        )

    def write(self, event: object) -> None:
        """Append one event."""
        self.journal.append(event, stream="test", time_ns=self.frame.time_ns)

    def go(self, index: int) -> None:
        """Go to a later frame."""
        self.frame = self.season.frame(index)

    def post(self, kind: EntryKind, postings: tuple[Posting, ...]) -> None:
        """Post an entry."""
        self._count += 1
        self.write(Entry(entry_id=EntryId(f"e{self._count}"), kind=kind, postings=postings))

    def deposit(self, asset: AssetId, units: int, account: AccountId = POOL) -> None:
        """Bring money in."""
        self.post("deposit", transfer(DEPOSITS, account, asset, units))

    def withdraw(self, asset: AssetId, units: int, account: AccountId = POOL) -> None:
        """Take money out."""
        self.post("withdraw", transfer(account, DEPOSITS, asset, units))

    def bear(self, agent: str, units: int = 0) -> None:
        """Let an agent be born and give it capital."""
        self._count += 1
        self.write(
            AgentBorn(
                agent=AgentId(agent),
                number=self._count,
                family=FamilyId(agent.rpartition("-")[0]),
                genes=(),
                genome=GenomeId("g"),
                turn=self.frame.index,
                generation=0,
                parents=(),
                operator="initial" if self.frame.index == 0 else "mutation",
            )
        )
        if units:
            self.allot(agent, units)

    def allot(self, agent: str, units: int) -> None:
        """Give an agent capital of the pool."""
        self.post("allot", transfer(POOL, available(AgentId(agent)), USDC, units))

    def convert(self, agent: str, conversion: str, units: int) -> int:
        """Convert units of an agent as the simulated venue and the engine would; return what came."""
        step = MAINNET.conversion_by_id[ConversionId(conversion)]
        bought = quote(MAINNET, step, units, self.frame)
        assert bought is not None
        wei = BASE.gas_wei(step, self.frame.l1_gas_gwei)
        own = available(AgentId(agent))
        self.post(
            "settle",
            (
                *transfer(own, venue(step.venue), step.source, bought.given_units),
                *transfer(venue(step.venue), own, step.target, bought.taken_units),
                *transfer(GAS, GAS_BURNT, ETH, wei),
            ),
        )
        self.write(
            OrderFilled(
                order_id=OrderId(f"{agent}/{self.frame.index}/0"),
                agent=AgentId(agent),
                hop=0,
                conversion=step.id,
                source=step.source,
                target=step.target,
                given_units=bought.given_units,
                taken_units=bought.taken_units,
                value_micro_usd=bought.value_micro_usd,
                fee_micro_usd=bought.fee_micro_usd,
                impact_micro_usd=bought.impact_micro_usd,
                gas_wei=wei,
                gas_micro_usd=gas_micro_usd(MAINNET, wei, self.frame),
                partial=bought.partial,
                last=True,
            )
        )
        return bought.taken_units

    def give_back(self, agent: str, units: int) -> None:
        """Take capital home."""
        self.post("return", transfer(available(AgentId(agent)), POOL, USDC, units))

    def judge(self, agent: str, value_ppb: int | None) -> None:
        """Record a fitness."""
        turn = self.frame.index
        self.write(
            FitnessRecorded(agent=AgentId(agent), turn=turn, key="k", value_ppb=value_ppb, se_ppb=0, blocks=4)
        )

    def retire(self, agent: str) -> None:
        """Let an agent die; its capital must be home."""
        turn = self.frame.index
        self.write(AgentRetired(agent=AgentId(agent), turn=turn, reason="culled"))
        self.write(AgentClosed(agent=AgentId(agent), turn=turn, returned_units=0))

    def close(self) -> None:
        """Close the season at its last frame."""
        self.go(self.season.frame_count - 1)
        self.write(SeasonClosed(season=self._seasons, turn=self.frame.index))

    def sweep(self) -> None:
        """Take out what an earlier season left, account by account, as the arena does."""
        book = Book(asset.id for asset in MAINNET.assets)
        for recorded in self.records():
            if isinstance(recorded.event, Entry):
                book.apply(recorded.event)
        for account in book.accounts():
            for asset, units in [*book.balances(account).items()]:
                if not is_contra(account):
                    self.post("withdraw", transfer(account, PAST_SEASONS, asset, units))

    def records(self) -> list[Recorded]:
        """Return the journal."""
        return list(self.journal.read())

    def history(self) -> History:
        """Return what the journal says."""
        return history_of(self.records(), self.season, lending_asset=AUSDC)


@lru_cache
def lived(days: int, agents: int, seed: int = 7) -> tuple[ColumnSeason, tuple[Recorded, ...], str]:
    """Return a generated season, the journal of a small house that lived it, and its state hash."""
    season = generated(days, seed=seed, warmup_h=2_880)
    records, state_hash = asyncio.run(_live(season, agents, seed))
    return season, records, state_hash


async def _live(season: ColumnSeason, agents: int, seed: int) -> tuple[tuple[Recorded, ...], str]:
    rules = HouseRules(
        arena=ArenaRules(
            seed=seed, stage="sim", population=agents, capital_usd=10_000 * agents, gas_usd=5_000
        ),
        planner=PlannerPolicy(),
        guard=GuardPolicy(),
        chain=BASE,
        gas_wei_max=10**16,
        rates=RateLimits(arena_day_micro_usd_max=10**24, arena_sends_hour_max=10**6),
        supervision=SupervisionPolicy(),
    )
    features, journal = Features(MAINNET), MemoryJournal()
    for index in range(-season.warmup_count, 0):
        features.append(season.frame(index))
    fold = Fold(season=season, lending_benchmark=rules.arena.lending_benchmark)
    house_of = open_house(
        rules=rules,
        families=families(MAINNET),
        fold=fold,
        features=features,
        journal=journal,
        turn_clock=VirtualClock(),
        host_clock=WallClock(),
    )
    async with house_of as house:
        conductor = Conductor(house)
        await conductor.open_season(season, number=1, seed=seed, config_hash="test")
        for index in range(season.frame_count):
            await conductor.turn(season.frame(index))
        await conductor.close_season(season.frame(season.frame_count - 1))
    return tuple(journal.read()), fold.records.state_hash
