"""One seed from its first process to its last; then the question whether everything came to rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from treasury_actors.errors import InvariantViolated
from treasury_actors.faults.disk import recover
from treasury_actors.faults.life import Life
from treasury_actors.faults.machine import Machine, Setting
from treasury_actors.faults.plan import Plan
from treasury_actors.faults.quiet import collected
from treasury_actors.faults.siblings import compare_siblings, is_comparable
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import Violation, violated
from treasury_actors.faults.wallet_seed import CHAIN_KINDS, WalletSeed
from treasury_actors.journal.event import Recorded
from treasury_actors.wiring.fold import Fold

_LIVES_MAX: Final = 40
_OPEN_TURNS_MAX: Final = 3
_DAY: Final = 24
_TWIN_ONE_IN: Final = 4
_TWINLESS: Final = ("flood", "bad-orders")
"""They reach into actors past their messages: what they leave behind hangs on when a process was killed."""

_OUTSIDE_STATE: Final = ("pause", "agent-crash", "agent-loop", "agent-hang", "common-cause")
"""They leave events that are outside the state: where these stand in a turn hangs on when it was begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedResult:
    """
    What became of a seed.

    Attributes:
        violation: the promise it broke, if any.
        sometimes: states it reached, and how often.
        injected: faults that really struck, by kind.
        events: how many were journalled in the end.
    """

    plan: Plan
    violation: Violation | None
    trace_hash: str
    state_hash: str
    head_hash: str
    events: int
    lives: int
    sometimes: Mapping[str, int]
    injected: Mapping[str, int]


def play(plan: Plan, setting: Setting, *, with_twin: bool = True) -> SeedResult:
    """Play a plan; a violation is a value."""
    with collected():
        return _play(plan, setting, with_twin=with_twin)


def _play(plan: Plan, setting: Setting, *, with_twin: bool) -> SeedResult:
    sometimes = Sometimes()
    machine = Machine(plan, setting, sometimes=sometimes)
    violation: Violation | None = None
    state_hash = ""
    try:
        _live(machine)
        state_hash = _rest(machine)
        if with_twin and plan.seed % _TWIN_ONE_IN == 0:
            _compare_with_twin(machine, state_hash)
        if with_twin and plan.seed % _TWIN_ONE_IN == 1 and is_comparable(plan):
            deeds = compare_siblings(plan, lambda other: _journal_of(other, setting))
            sometimes.reached("siblings-compared", bool(deeds))
        if with_twin and any(map(plan.of, CHAIN_KINDS)):
            _play_wallet(machine)
    except Violation as found:
        violation = found
    except InvariantViolated as broken:
        violation = Violation(str(broken).partition(":")[0], f"a start refuses: {broken}")
    if violation is not None:
        machine.note(f"{violation}")
    return SeedResult(
        plan=plan,
        violation=violation,
        trace_hash=machine.trace_hash,
        state_hash=state_hash,
        head_hash=machine.audit.head[1],
        events=machine.audit.head[0],
        lives=machine.lives,
        sometimes={state: count for state, count in sometimes.counts().items() if count},
        injected={**_worldly(plan, machine), **machine.injected},
    )


def _journal_of(plan: Plan, setting: Setting) -> list[Recorded]:
    """Play a plan; return its journal."""
    machine = Machine(plan, setting, sometimes=Sometimes())
    _live(machine)
    return recover(machine.disk)


def _play_wallet(machine: Machine) -> None:
    """Let a wallet live through the chain faults of the plan."""
    wallet = WalletSeed(machine.plan, machine.rules, sometimes=machine.sometimes)
    try:
        wallet.run()
    finally:
        for step in wallet.trace:
            machine.note(step)
    machine.sometimes.reached("chain-intent-settled", wallet.settled)


def _worldly(plan: Plan, machine: Machine) -> dict[str, int]:
    """Count the faults of the world, which strike by turn alone."""
    return {
        kind: len([fault for fault in plan.of(kind) if fault.turn <= machine.audit.turn])
        for kind in plan.kinds
        if kind not in machine.injected
    }


def _live(machine: Machine) -> None:
    """Let one process follow the other until one reaches the end."""
    while machine.lives < _LIVES_MAX:
        end = Life(machine).run()
        machine.note(end)
        if end == "finished":
            return
        if end != "restarted":
            machine.power_cut()
    violated("liveness", f"{_LIVES_MAX} processes did not come to an end")


def _rest(machine: Machine) -> str:
    """Check that everything came to rest, and that what is on the disk is what was lived; return its hash."""
    plan, audit = machine.plan, machine.audit
    _check_orders(machine)
    _check_rounds(machine)
    for agent in audit.people.living():
        due = max(turn for turn in range(plan.turns + 1) if turn % _DAY == 0 or turn % plan.round_turns == 0)
        if audit.people.last_state.get(agent, plan.turns) < due:
            violated("liveness", f"{agent} lives and has decided on nothing since {audit.people.last_state}")
    for agent, life in audit.people.life.items():
        if life == "closing" and audit.people.retired_at[agent] < plan.heals_at and plan.is_rich:
            violated(
                "liveness", f"{agent} was retired in turn {audit.people.retired_at[agent]}, still closing"
            )
    if audit.orders.state != "active":
        violated("liveness", f"trading is {audit.orders.state} after an operator resumed")
    lived = audit.head
    events, fold = _start_once_more(machine)
    if (len(events), events[-1].hash) != lived:
        violated("durability", f"event {lived[0]} was lived, {len(events)} are on the disk")
    return fold.records.state_hash


def _start_once_more(machine: Machine) -> tuple[list[Recorded], Fold]:
    """Do what the start after the last process would; whatever it dies of is a broken promise."""
    try:
        return machine.start()
    except (Violation, InvariantViolated):
        raise
    except Exception as error:
        raise Violation("exit", f"a start dies of {type(error).__name__}: {error}") from error


def _check_orders(machine: Machine) -> None:
    """See that every order comes to an end within a few turns."""
    for name, followed in machine.audit.orders.open.items():
        if followed.order["turn"] < machine.plan.turns - _OPEN_TURNS_MAX:
            violated("liveness", f"order {name} is still open in turn {machine.plan.turns}")


def _check_rounds(machine: Machine) -> None:
    """See that rounds go on; one whose turn was cut in half by a stop may be missing."""
    plan = machine.plan
    due = [turn for turn in range(1, plan.turns + 1) if turn % plan.round_turns == 0]
    if machine.half_turn:
        due = [turn for turn in due if turn >= plan.heals_at]
    missing = [turn for turn in due if turn not in machine.audit.people.rounds]
    if missing:
        violated("liveness", f"no round was held in turns {missing}")


def _compare_with_twin(machine: Machine, state_hash: str) -> None:
    """See that a run that was killed, paused and shuffled ends as one that was not."""
    plan = machine.plan
    if machine.half_turn or any(plan.of(kind) for kind in (*_TWINLESS, "stop-within")):
        return
    twin = _play(plan.world_alone(), machine.setting, with_twin=False)
    if twin.violation is not None:
        raise twin.violation
    machine.sometimes.reached("twin-compared")
    if plan.schedule != "fifo":
        machine.sometimes.reached("schedule-compared")
    if twin.state_hash != state_hash:
        violated("I7", f"state {state_hash[:12]} differs from {twin.state_hash[:12]} of a run left alone")
    if (
        plan.schedule == "fifo"
        and not any(map(plan.of, _OUTSIDE_STATE))
        and twin.head_hash != machine.audit.head[1]
    ):
        violated("I7", f"head {machine.audit.head} differs from {twin.head_hash[:12]} of a run left alone")
