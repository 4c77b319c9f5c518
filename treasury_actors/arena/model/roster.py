"""Who lives, with which genome and mandate, and what became of the dead. A fold over the arena's events."""

from dataclasses import dataclass, replace
from typing import Literal

from treasury_actors.agents.messages import StateRecorded
from treasury_actors.arena.model.events import (
    AgentBorn,
    AgentClosed,
    AgentCrashed,
    AgentFrozen,
    AgentQuarantined,
    AgentRestarted,
    AgentRetired,
    CommonCauseFound,
    FitnessRecorded,
    RoundHeld,
    SeasonClosed,
    SeasonOpened,
)
from treasury_actors.arena.model.withdrawal import WithdrawalEvent, Withdrawals
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId
from treasury_actors.trading.model.mandate import Mandate

Life = Literal["living", "frozen", "closing", "closed"]
"""The living decide; a frozen one is down and keeps what it has; of the closing the guardian sells all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """
    One agent of the roster, living or not.

    Attributes:
        last_record: its strategy's last journalled state; None before the first.
        fitness_ppb: of the last round; None while INSUFFICIENT.
        quarantined: why it stays down; it is retired or frozen at the next turn.
        frozen: since when its positions have been left as they are.
        crash_turns: the turn of each crash it ever had, in order.
    """

    born: AgentBorn
    life: Life = "living"
    mandate: Mandate | None = None
    last_record: StateRecorded | None = None
    fitness_ppb: int | None = None
    frozen: AgentFrozen | None = None
    retired: AgentRetired | None = None
    quarantined: AgentQuarantined | None = None
    crash_turns: tuple[int, ...] = ()

    @property
    def crashes(self) -> int:
        """How many times it ever crashed."""
        return len(self.crash_turns)

    @property
    def is_open(self) -> bool:
        """Whether it has a mandate that is not on its way home."""
        return self.life in {"living", "frozen"}

    @property
    def genome(self) -> Genome:
        """The genome it runs."""
        return Genome(family=self.born.family, genes=self.born.genes)


class Roster:
    """
    The population of a journal. `apply` folds one event; unknown ones are none of its business.

    Attributes:
        season: the season that is open or was last; None before the first.
        births: counts every birth of the journal.
        rounds: the rounds of this season.
        common_cause_turns: the turns of this season whose crashes are nobody's fault.
        withdrawals: what treasurers asked back from mandates.
    """

    __slots__ = (
        "births",
        "closed_season",
        "common_cause_turns",
        "crashes",
        "deaths",
        "generations",
        "members",
        "quarantined",
        "restarts",
        "rounds",
        "season",
        "withdrawals",
    )

    def __init__(self) -> None:
        self.members: dict[AgentId, Member] = {}
        self.season: SeasonOpened | None = None
        self.closed_season = 0
        self.rounds: list[RoundHeld] = []
        self.common_cause_turns: set[int] = set()
        self.births = 0
        self.deaths = 0
        self.generations = 0
        self.crashes = 0
        self.restarts = 0
        self.quarantined = 0
        self.withdrawals = Withdrawals()

    def __repr__(self) -> str:
        return f"<Roster {len(self.living())} living of {self.births} born>"

    def apply(self, event: object) -> None:
        """Fold one event."""
        match event:
            case SeasonOpened():
                self.season = event
                self.rounds = []
                self.common_cause_turns = set()
                self.generations = 0
            case RoundHeld():
                self.rounds.append(event)
                self.generations = event.generation
            case CommonCauseFound():
                self.common_cause_turns.add(event.turn)
            case SeasonClosed():
                self.closed_season = event.season
            case _ if isinstance(event, WithdrawalEvent):
                self.withdrawals.apply(event)
            case _:
                self._apply_to_life(event)
                self._apply_to_work(event)

    def _apply_to_life(self, event: object) -> None:
        """Fold what begins and ends lives."""
        match event:
            case AgentBorn():
                self.members[event.agent] = Member(born=event)
                self.births += 1
            case AgentFrozen():
                self._change(event.agent, life="frozen", frozen=event)
            case AgentRetired():
                self._change(event.agent, life="closing", retired=event)
                self.deaths += 1
            case AgentClosed():
                self._change(event.agent, life="closed")
            case AgentCrashed():
                turns = (*self.members[event.agent].crash_turns, event.turn)
                self._change(event.agent, crash_turns=turns)
                self.crashes += 1
            case AgentRestarted():
                self.restarts += 1
            case AgentQuarantined():
                self._change(event.agent, quarantined=event)
                self.quarantined += 1
            case _:
                pass

    def _apply_to_work(self, event: object) -> None:
        """Fold what the living are given and what they have done."""
        match event:
            case Mandate():
                self._change(event.agent, mandate=event)
            case StateRecorded():
                self._change(event.agent, last_record=event)
            case FitnessRecorded():
                self._change(event.agent, fitness_ppb=event.value_ppb)
            case _:
                pass

    def living(self) -> list[Member]:
        """Return the agents that decide, in name order."""
        return [self.members[agent] for agent in sorted(self.members) if self._is(agent, "living")]

    def frozen(self) -> list[Member]:
        """Return those that are down with real money, in name order."""
        return [self.members[agent] for agent in sorted(self.members) if self._is(agent, "frozen")]

    def open(self) -> list[Member]:
        """Return those whose mandate could still be closed, in name order."""
        return [self.members[agent] for agent in sorted(self.members) if self.members[agent].is_open]

    def closing(self) -> list[Member]:
        """Return the retired whose capital is not home yet, in name order."""
        return [self.members[agent] for agent in sorted(self.members) if self._is(agent, "closing")]

    def mandates(self) -> list[Mandate]:
        """Return the mandates that still have capital to look after, in name order."""
        members = [self.members[agent] for agent in sorted(self.members)]
        return [m.mandate for m in members if m.mandate is not None and m.mandate.status != "closed"]

    def is_recalled(self, agent: AgentId) -> bool:
        """Say whether an agent's capital is being asked back, so that it orders nothing."""
        mandate = self.members[agent].mandate
        return mandate is not None and mandate.status == "recalling"

    def canonical(self) -> dict[str, list[object]]:
        """Return its part of a state hash: mandates, lineage, last states. Crashes are outside it."""
        members = [self.members[agent] for agent in sorted(self.members)]
        asked = self.withdrawals.canonical()
        return {
            **({"withdrawals": [*asked]} if asked else {}),
            "lineage": [
                [m.born.agent, m.born.genome, m.born.turn, m.born.generation, list(m.born.parents), m.life]
                for m in members
            ],
            "mandates": [
                [m.mandate.agent, m.mandate.stage, m.mandate.status, str(m.mandate.due_units)]
                for m in members
                if m.mandate is not None
            ],
            "states": [
                [m.last_record.agent, m.last_record.turn, [repr(float(x)) for x in m.last_record.state]]
                for m in members
                if m.last_record is not None
            ],
        }

    def _is(self, agent: AgentId, life: Life) -> bool:
        return self.members[agent].life == life

    def _change(self, agent: AgentId, **changes: object) -> None:
        self.members[agent] = replace(self.members[agent], **changes)  # type: ignore[arg-type]
