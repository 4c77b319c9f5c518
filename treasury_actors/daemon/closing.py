"""Closing one agent's mandate: what a person does about one that is frozen, or no longer wanted."""

from dataclasses import replace

from treasury_actors.arena.messages import Dismiss
from treasury_actors.arena.model.events import AgentRetired
from treasury_actors.arena.model.roster import Roster
from treasury_actors.clock import HOUR_NS
from treasury_actors.daemon.requests import CloseMandate, Reply, refused
from treasury_actors.ids import AgentId
from treasury_actors.journal.ports import Journal
from treasury_actors.message import Provenance
from treasury_actors.wiring.fold import Records
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S = 30.0


async def close_mandate(request: CloseMandate, house: House) -> Reply:
    """Let the arena retire one agent, living or frozen; durable when it returns."""
    agent, records = AgentId(request.agent), house.fold.records
    refusal = _refusal(records.roster, agent)
    if refusal is not None:
        return refusal
    dismissal = Dismiss(agents=(agent,), reason=_why(request.reason))
    closed = await house.arena.ask(dismissal, timeout_s=ASK_TIMEOUT_S)
    await house.journal.flush()
    return _answer(records, agent, changed=closed > 0)


def close_mandate_alone(
    request: CloseMandate, journal: Journal, records: Records, last_ns: int
) -> dict[str, object]:
    """Do the same to a run that rests: the guardian sells from its next start on. Not yet durable."""
    agent, roster = AgentId(request.agent), records.roster
    refusal = _refusal(roster, agent)
    if refusal is not None:
        return dict(refusal)
    member, season = roster.members[agent], roster.season
    if member.is_open:
        assert season is not None, "agents are born in a season"
        assert member.mandate is not None, "an open agent has a mandate"
        turn = (last_ns - season.start_ns) // HOUR_NS
        retired = AgentRetired(agent=agent, turn=turn, reason=_why(request.reason))
        closing = replace(member.mandate, status="closing", due_units=0)
        for event, name in ((retired, f"death:{agent}"), (closing, f"mandate:{agent}")):
            journal.append(event, stream="arena", time_ns=last_ns, provenance=Provenance(correlation_id=name))
            records.apply(event)
        return dict(_answer(records, agent, changed=True))
    return dict(_answer(records, agent, changed=False))


def _refusal(roster: Roster, agent: AgentId) -> Reply | None:
    """Say why there is no mandate to close, or None."""
    if agent in roster.members:
        return None
    open_ = ", ".join(member.born.agent for member in roster.open()) or "none"
    return refused("refused", f"no agent {agent} in this run; open are {open_}")


def _why(reason: str) -> str:
    return f"closed by an operator: {reason}"


def _answer(records: Records, agent: AgentId, *, changed: bool) -> Reply:
    """Say what holds now; under a stop nothing is sold until somebody reduces or resumes."""
    return {
        "ok": True,
        "agent": agent,
        "mandate": records.roster.members[agent].life,
        "changed": changed,
        "trading": records.latch.state,
        "journalled": True,
    }
