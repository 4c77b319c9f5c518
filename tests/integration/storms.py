"""A storm of crashes over a house, and what the agents it spares did: their orders, fills and balances."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import anyio

from tests.integration.houses import InjectedCrash, Lived, live, rules, season
from treasury_actors.actors.actor import Actor
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.ids import AccountId, AgentId
from treasury_actors.ledger.model import Entry, available, held
from treasury_actors.trading.model.order import OrderAccepted, OrderEnded, OrderFilled, OrderRefused

NEVER = 10**9
DAY = 24

WITHOUT_END = SupervisionPolicy(crashes_max=NEVER, common_cause_min=NEVER)
"""Nobody is ever given up: who crashes at every turn is restarted at every turn."""

AS_SHIPPED = SupervisionPolicy(common_cause_min=NEVER)
"""The usual budget, so that the storm's victims are quarantined; only the common cause is off."""


class Stormy(Actor[AgentMessage]):
    """An agent that dies at every turn: instead of deciding, or once it has decided and ordered."""

    def __init__(self, agent: Actor[AgentMessage], *, decides: bool) -> None:
        self._agent = agent
        self._decides = decides

    async def started(self) -> None:
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        if self._decides:
            await self._agent.receive(message)
        raise InjectedCrash(f"storm at frame {message.frame.index}")

    async def stopped(self) -> None:
        await self._agent.stopped()


def number_of(agent: AgentId) -> int:
    """Return the number an agent was born with."""
    return int(agent.rpartition("-")[2])


def is_victim(agent: AgentId) -> bool:
    """Say whether the storm is over this agent: every tenth, of all families alike."""
    return number_of(agent) % 10 == 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """
    What is left to compare of a life in or out of a storm.

    Attributes:
        doings: digest of every order, fill, entry and state of each agent the storm spares, in their order.
        counts: how many those were.
        balances: what each of them had at the end, by account and asset.
        crashes: of the whole house.
    """

    doings: dict[AgentId, str]
    counts: dict[AgentId, int]
    balances: dict[AgentId, tuple[tuple[str, int], ...]]
    crashes: int
    quarantined: int
    living: int


def weather(
    agents: int, frames: int, *, storm: bool, policy: SupervisionPolicy, round_turns: int = NEVER
) -> Course:
    """Let a house of so many agents live through so many frames, with a storm or without."""

    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        if not is_victim(spec.agent):
            return agent
        return Stormy(agent, decides=number_of(spec.agent) % 20 == 3)

    by = replace(rules(agents, round_turns=round_turns, gas_usd=250 * agents), supervision=policy)
    on = season(frames // DAY + 1)
    lived = anyio.run(lambda: live(by, on, until=frames, wrap_agent=wrap if storm else None))
    return _course(lived)


def _course(lived: Lived) -> Course:
    roster, book = lived.fold.records.roster, lived.fold.records.book
    spared = [agent for agent in roster.members if not is_victim(agent)]
    owner = {account(agent): agent for agent in spared for account in (available, held)}
    digests = {agent: sha256() for agent in spared}
    counts = dict.fromkeys(spared, 0)
    for recorded in lived.journal.read():
        for agent in _concerned(recorded.event, owner):
            if agent in digests:
                digests[agent].update(f"{recorded.time_ns} {recorded.type} {recorded.payload}\n".encode())
                counts[agent] += 1
    assert book.imbalances() == []
    return Course(
        doings={agent: digest.hexdigest() for agent, digest in digests.items()},
        counts=counts,
        balances={
            agent: tuple(
                (f"{account(agent)} {asset}", units)
                for account in (available, held)
                for asset, units in sorted(book.balances(account(agent)).items())
            )
            for agent in spared
        },
        crashes=roster.crashes,
        quarantined=roster.quarantined,
        living=len(roster.living()),
    )


def _concerned(event: object, owner: Mapping[AccountId, AgentId]) -> list[AgentId]:
    """Return whose order, fill or money an event is, once each."""
    match event:
        case OrderAccepted() | OrderRefused():
            return [event.order.agent]
        case OrderFilled() | OrderEnded():
            return [event.agent]
        case Entry():
            found = [owner.get(posting.account) for posting in event.postings]
            return list(dict.fromkeys(agent for agent in found if agent is not None))
        case _:
            return []
