"""Does a crash change what siblings do? The same world is lived with crashes and without, and compared."""

import json
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from treasury_actors.faults.plan import Plan
from treasury_actors.faults.saboteur import strikes
from treasury_actors.faults.violation import violated
from treasury_actors.journal.event import Recorded
from treasury_actors.trading.model.guard import GUARDIAN_NUMBERS

LONELY: Final = ("agent-crash", "agent-loop", "agent-hang", "agent-slow")
"""Faults of one agent alone."""

_SHARED: Final = ("common-cause", "flood", "bad-orders")
_HOUR_NS: Final = 3_600 * 10**9
_CUTS: Final = ("arena.withdrawal_planned", "arena.withdrawal_extended")
_DEEDS: Final = tuple(f"trading.order_{deed}" for deed in ("accepted", "refused", "filled", "ended"))


def is_comparable(plan: Plan) -> bool:
    """Say whether a plan has crashes, and nothing that strikes many agents at once."""
    return any(map(plan.of, LONELY)) and not any(map(plan.of, _SHARED))


def compare_siblings(plan: Plan, live: Callable[[Plan], Sequence[Recorded]]) -> int:
    """
    Hold the orders and fills of agents that nothing befell against those of a run in which nobody crashed.

    Until the round after the first crash they must be the same, to the byte (I12); at the round capital
    moves, and what was lost may be given to others. So it does when mandates are cut for a withdrawal, which
    counts on what those who died leave. Where gas is short exits are left out: they share what no mandate was
    promised. Returns how many deeds were compared.

    Args:
        live: plays a plan and returns its journal.
    """
    world = plan.world_alone()
    first = min(fault.turn for fault in world.faults if fault.kind in LONELY)
    last = -(-first // plan.round_turns) * plan.round_turns
    struck = {
        number
        for number in range(1, plan.agents + 1)
        for turn in range(last + 1)
        if any(strikes(world, kind, f"agent-{number}", turn) for kind in LONELY)
    }
    lives = [live(each) for each in (world, world.without(LONELY))]
    last = min(last, *(_before_any_cut(events, first, last) for events in lives))
    with_crashes, without = (
        [deed for deed in _deeds(events, last, struck) if plan.is_rich or not deed.exits] for events in lives
    )
    for mine, theirs in zip(with_crashes, without, strict=False):
        if mine != theirs:
            violated("I12", f"a crash changed {mine}, which else was {theirs}")
    if len(with_crashes) != len(without):
        violated("I12", f"siblings did {len(with_crashes)} things instead of {len(without)}")
    return len(without)


def _before_any_cut(events: Sequence[Recorded], first: int, last: int) -> int:
    """Return the last turn before mandates are cut, or cut again, for a withdrawal; from a turn on."""
    cuts = (_turn(recorded, events) for recorded in events if recorded.type.startswith(_CUTS))
    return min((turn - 1 for turn in cuts if turn >= first - 1), default=last)


class _Deed(NamedTuple):
    """What became of an order in a turn; whether it is an exit, which the guardian placed."""

    turn: int
    agent: str
    deed: str
    exits: bool


def _deeds(events: Sequence[Recorded], last: int, struck: set[int]) -> list[_Deed]:
    """Return the deeds of everybody who wasn't struck, in the order of agents in each turn."""
    deeds = []
    for recorded in events:
        turn = _turn(recorded, events)
        if turn > last or recorded.type.rpartition(".")[0] not in _DEEDS:
            continue
        payload = json.loads(recorded.payload)
        order = payload.get("order", payload)
        agent, number = order["agent"], int(order["order_id"].rpartition("/")[2])
        if int(agent.rpartition("-")[2]) not in struck:
            deed = f"{recorded.type} {recorded.payload}"
            deeds.append(_Deed(turn, agent, deed, exits=number >= GUARDIAN_NUMBERS))
    return deeds


def _turn(recorded: Recorded, events: Sequence[Recorded]) -> int:
    """Return the turn of an event."""
    return (recorded.time_ns - events[0].time_ns) // _HOUR_NS
