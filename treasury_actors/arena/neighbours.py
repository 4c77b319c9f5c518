"""Whom the arena may ask, handed over at construction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage, HearsDecided, StateRecorded
from treasury_actors.agents.model.family import Family
from treasury_actors.clock import Clock
from treasury_actors.ids import FamilyId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import LedgerMessage
from treasury_actors.market.model.features import Features
from treasury_actors.trading.messages import EngineMessage, GuardianMessage

MakeAgent: TypeAlias = Callable[[AgentSpec, StateRecorded | None, HearsDecided], Actor[AgentMessage]]
"""Makes the actor of an agent from who it is and its last journalled state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Everything below the arena, and the supervisor that looks after its agents."""

    features: Features
    families: Mapping[FamilyId, Family]
    ledger: Ref[LedgerMessage]
    engine: Ref[EngineMessage]
    guardian: Ref[GuardianMessage]
    supervisor: Supervisor
    make_agent: MakeAgent
    journal: Journal
    clock: Clock
