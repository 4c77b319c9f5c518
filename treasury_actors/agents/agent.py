"""The agent: one strategy genome as an actor. It decides and asks; it never touches money."""

from dataclasses import dataclass
from math import isfinite

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.agents.messages import AgentMessage, Decided, HearsDecided, StateRecorded, Turn
from treasury_actors.agents.model.checks import checked_targets
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import View
from treasury_actors.agents.model.weights import Owned, owned_columns, slot_weights
from treasury_actors.ids import AgentId
from treasury_actors.ledger.messages import LedgerMessage, Statement
from treasury_actors.ledger.model import AgentStatement
from treasury_actors.market.model.features import Features
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.messages import EngineMessage, SubmitOrders
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.planner import PlannerPolicy, plan

ASK_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """
    Who an agent is.

    Attributes:
        genes: of its genome, in the order of the family's genes.
        born_turn: the first season frame it decides on.
    """

    agent: AgentId
    family: Family
    genes: tuple[int, ...]
    born_turn: int


class Agent(Actor[AgentMessage]):
    """
    Runs one genome: at each turn weights -> `decide` -> planner -> orders.

    Args:
        last_record: the newest journalled state, read anew at every start; None for a newborn.
    """

    def __init__(
        self,
        *,
        spec: AgentSpec,
        features: Features,
        ledger: Ref[LedgerMessage],
        engine: Ref[EngineMessage],
        arena: HearsDecided,
        planner: PlannerPolicy,
        last_record: StateRecorded | None,
    ) -> None:
        universe = features.universe
        self._spec = spec
        self._features = features
        self._universe = universe
        self._ledger = ledger
        self._engine = engine
        self._arena = arena
        self._planner = planner
        self._assets = spec.family.assets(universe)
        self._columns = tuple(universe.column[asset] for asset in self._assets)
        self._decide = spec.family.decide
        self._genome = spec.family.genome(*spec.genes)
        self._state = spec.family.state(*(last_record.state if last_record else ()))
        self._decided_turn = last_record.turn if last_record else spec.born_turn - 1
        self._statement: AgentStatement | None = None
        self._books_version = -1
        self._owned: list[Owned] = []

    def __repr__(self) -> str:
        return f"<Agent {self._spec.agent}, decided turn {self._decided_turn}>"

    async def receive(self, message: AgentMessage) -> None:
        """Decide on one turn and answer it."""
        turn = message.frame.index
        if self._statement is None or self._books_version != message.books_version:
            await self._read_books(message.books_version)
        if self._decided_turn < turn - 1:
            self._catch_up(turn, message.end)
        targets = self._decide_at(turn, message.end, message.frame.ticks)
        if not targets and self._owes_more_than_cash(message.mandate):
            targets = list(self._weights(message.frame.ticks))
        ordered = bool(targets) and self._order(message, targets)
        self._decided_turn = turn
        state = self._state
        self._arena.tell(Decided(self._spec.agent, turn, tuple(state), ordered))

    async def _read_books(self, version: int) -> None:
        """Read what the agent owns from the ledger."""
        question = Statement(agent=self._spec.agent)
        statement = await self._ledger.ask(question, timeout_s=ASK_TIMEOUT_S)
        self._statement = statement
        self._books_version = version
        self._owned = owned_columns(self._universe, statement.owned)

    def _catch_up(self, turn: int, end: int) -> None:
        """
        Decide again on the frames since the last record, for the state alone.

        Nothing was ordered in them (an order makes a record), so the books are those of then.
        """
        for missed in range(self._decided_turn + 1, turn):
            end_then = end - (turn - missed)
            ticks = tuple(column[end_then - 1] for column in self._features.ticks)
            self._decide_at(missed, end_then, ticks)

    def _decide_at(self, turn: int, end: int, ticks: tuple[int, ...]) -> list[float]:
        """Ask the strategy; weights it may not give are a crash of this agent."""
        view = View(self._features, self._columns, end, turn, self._weights(ticks))
        state, targets = self._decide(self._state, view, self._genome)
        if state is not self._state:
            if not all(map(isfinite, state)):
                raise ValueError(f"state {state} holds what is no finite number")
            self._state = state
        return checked_targets(targets, len(self._columns)) if targets else targets

    def _weights(self, ticks: tuple[int, ...]) -> tuple[float, ...]:
        """Return the share of NAV in each slot, from units and prices, in one fixed order."""
        return slot_weights(self._owned, self._columns, ticks)

    def _owes_more_than_cash(self, mandate: Mandate) -> bool:
        """Say whether capital the arena wants back must first be sold for."""
        assert self._statement is not None, "the books are read before a decision"
        return mandate.due_units > self._statement.available.get(self._universe.reserve, 0)

    def _order(self, message: Turn, targets: list[float]) -> bool:
        """Submit what target weights come to in orders; of one who is recalled, only the guardian sells."""
        assert self._statement is not None, "the books are read before a decision"
        if self._statement.held or message.mandate.status != "active":
            return False
        orders = plan(
            universe=self._universe,
            frame=message.frame,
            agent=self._spec.agent,
            units=self._statement.available,
            targets=dict(zip(self._assets, targets, strict=True)),
            due_units=message.mandate.due_units,
            policy=self._planner,
            trade_usd_max=message.mandate.limits.trade_micro_usd_max / MICRO_USD,
        )
        if orders:
            self._engine.tell(SubmitOrders(agent=self._spec.agent, orders=tuple(orders)))
        return bool(orders)
