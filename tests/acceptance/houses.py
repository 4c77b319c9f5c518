"""
Houses that live a whole season in memory: the composition of a backtest and of the daemon, on a virtual loop.

`Tape` is what a test reads: the journal's own JSON, added up here by a fold that shares no code with the
package, so that a mistake in the ledger can't hide behind itself.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from tests.unit.actors.stage import VirtualLoop
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families
from treasury_actors.clock import HOUR_NS, VirtualClock
from treasury_actors.ids import AgentId, AssetId, ConversionId, EntryId, FamilyId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.messages import Deposit, EntryPosted, LedgerMessage, Post, Statement
from treasury_actors.ledger.model import GAS, Book, Entry, available, pool, transfer
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.money import MICRO_USD
from treasury_actors.settings.file import check_settings
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.run import RunPlan, SeasonState, play_season
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.engine import TradingEngine
from treasury_actors.trading.messages import CloseTurn, EngineMessage, OpenTurn, SetMandates, SubmitOrders
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.limits import Turnover
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.open_orders import OpenOrders
from treasury_actors.trading.model.order import Order, order_id
from treasury_actors.trading.model.stop import StopLatch
from treasury_actors.trading.ports import Venue
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import ENGINE, LEDGER, House, WrapAgent

SEED = 7
WARMUP_H = 2_880
DAYS = 45
AGENTS = 24
ROUND_FRAMES = 168
CORE = {asset.id: column for column, asset in enumerate(MAINNET.assets)}

Between = Callable[[House, MarketFrame], Awaitable[bool]]
"""Called after each turn; False ends the life of the house there, as an interruption would."""


@cache
def market(days: int = DAYS, seed: int = SEED) -> ColumnSeason:
    """Return a generated season; the same object every time."""
    return generate_season(universe=MAINNET, seed=seed, days=days, warmup_h=WARMUP_H)


def changed(season: ColumnSeason, edit: Callable[[SeasonColumns, int], None]) -> ColumnSeason:
    """Return the season with its columns edited in place; `edit` is told the row of frame 0."""
    columns = season.columns
    edit(columns, season.warmup_count)
    return ColumnSeason(
        columns,
        universe=season.universe,
        label=season.label,
        source=season.source,
        notes=season.notes,
        start_ns=season.start_ns,
        warmup_count=season.warmup_count,
    )


def rules_for(seed: int = SEED, **sections: Mapping[str, object]) -> HouseRules:
    """Return the rules that a config with these keys gives."""
    return check_settings({"arena": {"agents": AGENTS}, **sections}, "test").house_rules(seed)


@dataclass(frozen=True, kw_only=True)
class Tape:
    """A journal as it stands on disk: text, read again by this file alone."""

    records: tuple[Recorded, ...]
    start_ns: int

    def rows(self, *types: str) -> Iterator["Row"]:
        """Yield the events of these types (`ledger.entry_posted`), or all of them, in order."""
        for recorded in self.records:
            name = recorded.type.rpartition(".v")[0]
            if not types or name in types:
                yield Row(
                    seq=recorded.seq,
                    turn=(recorded.time_ns - self.start_ns) // HOUR_NS,
                    type=name,
                    body=json.loads(recorded.payload),
                )

    def of(self, *types: str) -> list["Row"]:
        """Return the events of these types, in order."""
        return list(self.rows(*types))

    @property
    def head_hash(self) -> str:
        """The hash of the last event."""
        return self.records[-1].hash


@dataclass(frozen=True, kw_only=True)
class Row:
    """One event as JSON has it."""

    seq: int
    turn: int
    type: str
    body: dict[str, Any]

    @property
    def agent(self) -> str:
        """Whose event it is; of an entry, whose accounts it touches; empty if nobody's."""
        if self.type == "ledger.entry_posted":
            for posting in self.body["postings"]:
                if posting["account"].startswith("agent:"):
                    return str(posting["account"].split(":")[1])
            return ""
        order = self.body.get("order", {})
        return str(self.body.get("agent", order.get("agent", "")))


@dataclass(kw_only=True)
class Sums:
    """Balances by (account, asset), added up from the JSON of ledger entries and from nothing else."""

    units: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add the postings of one entry."""
        for posting in entry["postings"]:
            place = (posting["account"], posting["asset"])
            self.units[place] = self.units.get(place, 0) + int(posting["units"])

    def of(self, agent: str) -> dict[str, int]:
        """Return what an agent owns by asset, held or not."""
        return self.under(f"agent:{agent}:")

    def under(self, prefix: str) -> dict[str, int]:
        """Return the units by asset of all accounts whose name begins so."""
        owned: dict[str, int] = {}
        for (account, asset), units in self.units.items():
            if account.startswith(prefix) and units:
                owned[asset] = owned.get(asset, 0) + units
        return {asset: units for asset, units in owned.items() if units}

    def inside(self) -> dict[str, int]:
        """Return what the treasury owns by asset: everything but the far sides."""
        owned: dict[str, int] = {}
        for (account, asset), units in self.units.items():
            if not account.startswith(("venue:", "external:")):
                owned[asset] = owned.get(asset, 0) + units
        return {asset: units for asset, units in owned.items() if units}


def nav_micro_usd(owned: Mapping[str, int], frame: MarketFrame) -> int:
    """Return what units are worth at a frame, each asset rounded down to the micro-dollar."""
    total = 0
    for name, units in owned.items():
        asset = MAINNET.assets[CORE[name]]  # type: ignore[index]  # an id is a str in JSON
        total += units * frame.ticks[CORE[name]] * 10**6 // 10 ** (asset.decimals + asset.tick_exponent)  # type: ignore[index]
    return total


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What a house left behind: its journal, what it knew at the end, and how its life ended."""

    season: ColumnSeason
    rules: HouseRules
    journal: MemoryJournal
    fold: Fold
    end: str

    @property
    def tape(self) -> Tape:
        """The journal as text."""
        return Tape(records=tuple(self.journal.read()), start_ns=self.season.start_ns)


def live(
    season: ColumnSeason | None = None,
    rules: HouseRules | None = None,
    *,
    journal: MemoryJournal | None = None,
    wrap_agent: WrapAgent | None = None,
    between: Between | None = None,
    known: Mapping[FamilyId, Family] | None = None,
) -> Lived:
    """
    Play a season to its end, or until `between` says no, from wherever `journal` ends.

    The loop's time is virtual, so a deadline of 30 s passes at once and no test waits for anything.
    """
    season, rules, journal = season or market(), rules or rules_for(), journal or MemoryJournal()
    final_season, final_rules, final_journal = season, rules, journal
    plan = RunPlan(
        recipe=SeasonRecipe(seed=SEED, days=season.frame_count // 24, warmup_h=season.warmup_count),
        rules=lambda seed: replace(final_rules, arena=replace(final_rules.arena, seed=seed)),
        families=known or families(MAINNET),
        config_hash="test",
        wrap_agent=wrap_agent,
    )
    loop = VirtualLoop()

    async def after_turn(house: House, _season: Season, frame: MarketFrame) -> bool:
        return between is None or await between(house, frame)

    async def main() -> tuple[SeasonState, str]:
        state = find_season(plan, final_journal, final_season)
        last_event_ns = max((recorded.time_ns for recorded in final_journal.read()), default=0)
        end = await play_season(
            plan, state, final_journal, host_clock=loop, after_turn=after_turn, last_event_ns=last_event_ns
        )
        return state, end

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        state, end = runner.run(main())
    return Lived(season=season, rules=rules, journal=journal, fold=state.fold, end=end)


@cache
def usual() -> Lived:
    """Return the life that most tests look at: 24 agents, 45 days, nothing special."""
    return live()


@dataclass(kw_only=True)
class Bench:
    """Ledger, engine and nobody else, with a pool of $100,000 and gas: a test is the arena and the agents."""

    ledger: Ref[LedgerMessage]
    engine: Ref[EngineMessage]
    core: Supervisor
    journal: MemoryJournal
    season: ColumnSeason
    clock: VirtualClock
    open_orders: OpenOrders

    async def fund(self, agent: AgentId, usdc: int, **limits: object) -> Mandate:
        """Give an agent whole USDC from the pool, and a mandate."""
        units = usdc * 10**6
        postings = transfer(pool("sim"), available(agent), MAINNET.reserve, units)
        entry = Entry(entry_id=EntryId(f"allot/{agent}"), kind="allot", postings=postings)
        assert isinstance(await self.ledger.ask(Post(entry=entry), timeout_s=1), EntryPosted)
        capital = usdc * MICRO_USD
        whole = rules_for().arena.limits_for(capital, capital, gas_wei=10**18, gas_round=0)
        given = replace(whole, **limits)  # type: ignore[arg-type]
        mandate = Mandate(agent=agent, stage="sim", status="active", due_units=0, limits=given)
        await self.engine.ask(SetMandates(mandates=(mandate,)), timeout_s=1)
        return mandate

    async def turn(self, index: int, *orders: Order) -> tuple[int, int]:
        """Play one frame with these orders; return how many were accepted and refused."""
        frame = self.season.frame(index)
        self.clock.advance_to(frame.time_ns)
        await self.engine.ask(OpenTurn(frame=frame), timeout_s=1)
        for order in orders:
            self.engine.tell(SubmitOrders(agent=order.agent, orders=(order,)))
        closed = await self.engine.ask(CloseTurn(turn=index), timeout_s=1)
        return closed.accepted, closed.refused

    async def owned(self, agent: AgentId) -> dict[AssetId, int]:
        """Return what an agent owns."""
        return (await self.ledger.ask(Statement(agent=agent), timeout_s=1)).owned

    def rows(self, *types: str) -> list[Row]:
        """Return what the journal has of these types."""
        return Tape(records=tuple(self.journal.read()), start_ns=self.season.start_ns).of(*types)


def order_of(agent: AgentId, turn: int, path: str, units: int, *, number: int = 0) -> Order:
    """Return an agent's order along conversions separated by spaces."""
    steps = tuple(ConversionId(step) for step in path.split())
    return Order(
        order_id=order_id(agent, turn, number),
        agent=agent,
        turn=turn,
        number=number,
        path=steps,
        units=units,
        placed_by="agent",
        reduce_only=all(MAINNET.conversion_by_id[step].reduces for step in steps),
        reason="test",
    )


def check_on_bench(
    scene: Callable[[Bench], Awaitable[None]],
    *,
    season: ColumnSeason | None = None,
    venue: Venue | None = None,
    gas_usd: int = 1_000,
) -> None:
    """Run a scene on a bench."""
    loop, clock, journal = VirtualLoop(), VirtualClock(), MemoryJournal()
    season = season or market(10)
    book, open_orders = Book(asset.id for asset in MAINNET.assets), OpenOrders()
    rules = rules_for()
    venue = venue or SimulatedVenue(universe=MAINNET, chain=rules.chain)
    final_season, final_venue = season, venue

    async def main() -> None:
        async with Supervisor(policy=rules.supervision, clock=loop, on_event=lambda _: None) as core:
            ledger: Ref[LedgerMessage] = core.start_child(
                ChildSpec(
                    name="ledger",
                    make=lambda: Ledger(book=book, journal=journal, clock=clock),
                    accepts=LEDGER,
                    restart="never",
                )
            )
            engine: Ref[EngineMessage] = core.start_child(
                ChildSpec(
                    name="engine",
                    make=lambda: TradingEngine(
                        universe=MAINNET,
                        ledger=ledger,
                        journal=journal,
                        clock=clock,
                        venue=final_venue,
                        latch=StopLatch(),
                        turnover=Turnover(),
                        budgets=GasBudgets(),
                        open_orders=open_orders,
                        mandates=(),
                        gas_wei_max=rules.gas_wei_max,
                        rates=rules.rates,
                    ),
                    accepts=ENGINE,
                    restart="never",
                )
            )
            frame = final_season.frame(0)
            clock.advance_to(frame.time_ns)
            for account, asset, dollars in ((pool("sim"), "USDC", 100_000), (GAS, "ETH", gas_usd)):
                held = MAINNET.by_id[AssetId(asset)]
                units = held.units_for_micro_usd_up(dollars * MICRO_USD, frame.ticks[CORE[held.id]])
                if units:
                    name = EntryId(f"deposit/{account}")
                    deposit = Deposit(entry_id=name, account=account, asset=held.id, units=units, reason="")
                    await ledger.ask(deposit, timeout_s=1)
            bench = Bench(
                ledger=ledger,
                engine=engine,
                core=core,
                journal=journal,
                season=final_season,
                clock=clock,
                open_orders=open_orders,
            )
            await scene(bench)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())


if __name__ == "__main__":
    sys.stdout.write(live(market(8), rules_for(arena={"agents": 8})).tape.head_hash)
