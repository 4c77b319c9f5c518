"""The house: its actors started bottom first, each handed the refs of those below it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec, M
from treasury_actors.actors.events import SupervisionEvent
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.agents.agent import Agent, AgentSpec
from treasury_actors.agents.messages import AgentMessage, HearsDecided, StateRecorded
from treasury_actors.agents.model.family import Family
from treasury_actors.arena.arena import Arena
from treasury_actors.arena.messages import (
    Admit,
    ArenaMessage,
    BeginWithdrawal,
    CancelWithdrawal,
    CloseMandates,
    CloseSeason,
    Dismiss,
    HoldRound,
    OpenSeason,
    PlanWithdrawal,
    PlayTurn,
)
from treasury_actors.arena.neighbours import MakeAgent, Neighbours
from treasury_actors.clock import Clock, VirtualClock
from treasury_actors.ids import FamilyId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.messages import (
    AccountBalances,
    Deposit,
    InOurHands,
    LedgerMessage,
    Post,
    Statement,
    Withdraw,
)
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.universe import Universe
from treasury_actors.settings.rules import HouseRules
from treasury_actors.trading.adapters.evm.venue import EvmVenue, News
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.engine import TradingEngine
from treasury_actors.trading.guardian import Guardian
from treasury_actors.trading.messages import (
    CancelOpenOrders,
    CapitalMoved,
    ChangeTradingState,
    CloseTurn,
    EngineMessage,
    GasToDivide,
    Guard,
    GuardianMessage,
    OpenTurn,
    SetMandates,
    SubmitOrders,
    Watch,
)
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.planner import PlannerPolicy
from treasury_actors.trading.ports import Venue
from treasury_actors.trading.wallet import Wallet
from treasury_actors.trading.wallet_messages import GateChanged, LookAtChain, PlaceCall
from treasury_actors.wiring.chain_access import ChainAccess
from treasury_actors.wiring.fold import Fold, Records

CORE_MAILBOX_SIZE = 65_536
CORE_DEADLINE_S = 3_600.0
"""The arena waits for its agents inside a message, and each of those has a deadline of its own."""

WrapAgent = Callable[[AgentSpec, Actor[AgentMessage]], Actor[AgentMessage]]


class MakeSimulated(Protocol):
    """Makes the venue of a house without a chain; it never leaves the process."""

    def __call__(self, *, universe: Universe, chain: ChainProfile) -> SimulatedVenue:
        """Return a venue for a universe and the gas of a chain."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """
    The running actors, and what they share read-only.

    Attributes:
        has_wallet: conversions are real, and a wallet holds what the books say.
    """

    ledger: Ref[LedgerMessage]
    engine: Ref[EngineMessage]
    guardian: Ref[GuardianMessage]
    arena: Ref[ArenaMessage]
    core: Supervisor
    features: Features
    clock: VirtualClock
    journal: Journal
    fold: Fold
    rules: HouseRules
    has_wallet: bool


class _News:
    """Passes the supervisor's news on to an arena that is made after it."""

    def __init__(self) -> None:
        self.listener: Callable[[SupervisionEvent], None] | None = None

    def __call__(self, event: SupervisionEvent) -> None:
        if self.listener is not None:
            self.listener(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """The actors that are never restarted in place, and that know nothing of the arena."""

    ledger: Ref[LedgerMessage]
    engine: Ref[EngineMessage]
    guardian: Ref[GuardianMessage]


@asynccontextmanager
async def open_house(
    *,
    rules: HouseRules,
    families: Mapping[FamilyId, Family],
    fold: Fold,
    features: Features,
    journal: Journal,
    turn_clock: VirtualClock,
    host_clock: Clock,
    wrap_agent: WrapAgent | None = None,
    chain: ChainAccess | None = None,
    make_simulated: MakeSimulated = SimulatedVenue,
    mailbox_size: int = CORE_MAILBOX_SIZE,
) -> AsyncIterator[House]:
    """
    Start the house on the state of `fold`; stop it, top first, when the context is left.

    Args:
        turn_clock: logical time, moved frame by frame; `host_clock` is for deadlines alone.
        wrap_agent: puts something around every agent, e.g. an injected fault.
        chain: where conversions are real; without it they are simulated.
        make_simulated, mailbox_size: another simulated venue, smaller mailboxes, to try the house with.
    """
    news = _News()
    agents = Supervisor(policy=rules.supervision, clock=host_clock, on_event=news)
    core = Supervisor(policy=rules.supervision, clock=host_clock, on_event=lambda _: None)
    async with core, agents:
        below = _start_core(
            core,
            rules=rules,
            fold=fold,
            journal=journal,
            clock=turn_clock,
            venue=make_simulated(universe=fold.universe, chain=rules.chain),
            chain=chain,
            size=mailbox_size,
        )
        neighbours = Neighbours(
            features=features,
            families=families,
            ledger=below.ledger,
            engine=below.engine,
            guardian=below.guardian,
            supervisor=agents,
            make_agent=_agent_maker(below, features, rules.planner, wrap_agent),
            journal=journal,
            clock=turn_clock,
        )
        arena = Arena(
            neighbours=neighbours,
            rules=rules.arena if chain is None else replace(rules.arena, freezes=True),
            roster=fold.records.roster,
            tracks=fold.tracks,
            turn=fold.turn,
            pays_out=chain is None,
        )
        news.listener = arena.heard
        yield House(
            ledger=below.ledger,
            engine=below.engine,
            guardian=below.guardian,
            arena=core.start_child(_core("arena", lambda: arena, ARENA, mailbox_size)),
            core=core,
            features=features,
            clock=turn_clock,
            journal=journal,
            fold=fold,
            rules=rules,
            has_wallet=chain is not None,
        )


LEDGER = (Post, Deposit, Withdraw, Statement, AccountBalances, InOurHands)
ENGINE = (OpenTurn, SubmitOrders, CloseTurn, SetMandates, GasToDivide, ChangeTradingState, CancelOpenOrders)
WALLET = (PlaceCall, LookAtChain, GateChanged)
GUARDIAN = (Watch, Guard, CapitalMoved)
WITHDRAWALS = (PlanWithdrawal, BeginWithdrawal, CancelWithdrawal)
ARENA = (OpenSeason, PlayTurn, HoldRound, CloseSeason, CloseMandates, Admit, Dismiss, *WITHDRAWALS)


def _start_core(
    core: Supervisor,
    *,
    rules: HouseRules,
    fold: Fold,
    journal: Journal,
    clock: VirtualClock,
    venue: Venue,
    chain: ChainAccess | None,
    size: int,
) -> _Core:
    """Start ledger, wallet, engine and guardian on what the fold knows, bottom first."""
    universe, records = fold.universe, fold.records
    mandates = records.roster.mandates()
    ledger = core.start_child(
        _core("ledger", lambda: Ledger(book=records.book, journal=journal, clock=clock), LEDGER, size)
    )

    if chain is not None:
        venue = start_chain(core, chain, records=records, journal=journal, clock=clock)

    def make_engine() -> TradingEngine:
        return TradingEngine(
            universe=universe,
            ledger=ledger,
            journal=journal,
            clock=clock,
            venue=venue,
            latch=records.latch,
            turnover=records.turnover,
            budgets=records.budgets,
            open_orders=records.open_orders,
            mandates=mandates,
            gas_wei_max=rules.gas_wei_max,
            rates=rules.rates,
        )

    engine = core.start_child(_core("engine", make_engine, ENGINE, size))

    def make_guardian() -> Guardian:
        return Guardian(
            universe=universe,
            ledger=ledger,
            engine=engine,
            policy=rules.guard if chain is None else replace(rules.guard, stale_exits=True),
            marks=fold.marks,
            mandates=mandates,
        )

    guardian = core.start_child(_core("guardian", make_guardian, GUARDIAN, size))
    return _Core(ledger=ledger, engine=engine, guardian=guardian)


def start_chain(
    core: Supervisor, chain: ChainAccess, *, records: Records, journal: Journal, clock: VirtualClock
) -> EvmVenue:
    """Start the wallet of a chain; return the venue that trades with it."""
    news = News()
    slots = records.slots(chain.desk.limits.chain_id, chain.signer.address)

    def make_wallet() -> Wallet:
        return Wallet(
            slots=slots,
            gate=records.gate,
            policy=chain.policy,
            signer=chain.signer,
            node=chain.node,
            journal=journal,
            clock=clock,
            hears=news,
        )

    wallet = core.start_child(_core("wallet", make_wallet, WALLET))
    return EvmVenue(
        desk=chain.desk,
        wallet=wallet,
        news=news,
        slots=slots,
        unfinal=records.unfinal,
        unbooked=records.unbooked,
    )


def _agent_maker(
    below: _Core, features: Features, planner: PlannerPolicy, wrap_agent: WrapAgent | None
) -> MakeAgent:
    """Return what makes the actor of an agent, wrapped if that is wanted."""

    def make_agent(
        spec: AgentSpec, last_record: StateRecorded | None, arena: HearsDecided
    ) -> Actor[AgentMessage]:
        agent = Agent(
            spec=spec,
            features=features,
            ledger=below.ledger,
            engine=below.engine,
            arena=arena,
            planner=planner,
            last_record=last_record,
        )
        return agent if wrap_agent is None else wrap_agent(spec, agent)

    return make_agent


def _core(
    name: str, make: Callable[[], Actor[M]], accepts: tuple[type, ...], size: int = CORE_MAILBOX_SIZE
) -> ChildSpec[M]:
    """Return the spec of an actor that is never restarted in place: the process stops and starts clean."""
    return ChildSpec(
        name=name,
        make=make,
        accepts=accepts,
        restart="never",
        mailbox_size=size,
        deadline_s=CORE_DEADLINE_S,
    )
