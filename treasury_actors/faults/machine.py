"""What outlives a process: the disk, the head known outside, and whoever watches."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.errors import JournalCorrupt
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.audit import Audit
from treasury_actors.faults.disk import Disk, recover
from treasury_actors.faults.feed import FaultySeason
from treasury_actors.faults.kinds import Fault
from treasury_actors.faults.plan import Plan
from treasury_actors.faults.saboteur import is_planned
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import violated
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.journal.event import GENESIS_HASH, Recorded
from treasury_actors.market.model.features import Features
from treasury_actors.settings.rules import HouseRules
from treasury_actors.wiring.fold import Fold

_CAPITAL_USD: Final = 10_000
_HASH_BYTES: Final = 16
_STANDS_BY_ONE_IN: Final = 2
_STEPS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """
    What a campaign plays with, the same for every seed.

    Attributes:
        rules: of a config; population, capital, gas and rounds are the plan's.
        families: the strategies that compete, the user's own among them.
        trusted: families whose agents crash by plan alone; a user's own may have its own reasons.
    """

    rules: HouseRules
    families: Mapping[FamilyId, Family]
    trusted: frozenset[str]

    def rules_of(self, plan: Plan) -> HouseRules:
        """Return the rules of one seed."""
        arena: ArenaRules = replace(
            self.rules.arena,
            seed=plan.seed,
            population=plan.agents,
            capital_usd=_CAPITAL_USD * plan.agents,
            gas_usd=plan.gas_usd,
            round_turns=plan.round_turns,
            freezes=plan.freezes,
        )
        return replace(self.rules, arena=arena)


class Machine:
    """
    The machine a seed is played on.

    Attributes:
        now_s: virtual time, across processes.
        lives: how many processes there were.
        features: what the last of them knew of the market.
        acknowledged_seq: what somebody was told is durable: as an anchor outside would have it.
        whole_seqs: heads at the ends of turns, and between them.
        half_turn: a start found a turn that had not ended; what was lost of it no other run can know.
    """

    def __init__(self, plan: Plan, setting: Setting, *, sometimes: Sometimes) -> None:
        self.plan = plan
        self.setting = setting
        self.rules = setting.rules_of(plan)
        self.season = FaultySeason(plan)
        self.disk = Disk()
        self.sometimes = sometimes
        self.now_s = 0.0
        self.lives = 0
        self.features: Features | None = None
        self.acknowledged_seq = 0
        self.whole_seqs: dict[int, None] = {0: None}
        self.half_turn = False
        self.injected: Counter[str] = Counter()
        self.audit = self._new_audit(sometimes)
        self._chance = Chance((plan.seed, "machine"))
        self._trace = blake2b(digest_size=_HASH_BYTES)
        self._fired: dict[Fault, None] = {}
        self._full_starts = 0
        self._known: dict[int, tuple[int, object]] = {}

    def __repr__(self) -> str:
        return f"<Machine seed {self.plan.seed}, life {self.lives}, seq {self.audit.head[0]}>"

    def note(self, what: str) -> None:
        """Add a step to the trace."""
        self._trace.update(what.encode() + b"\n")

    @property
    def trace_hash(self) -> str:
        """The hash of every step so far."""
        return self._trace.hexdigest()

    def fire(self, kind: str, turn: int) -> Fault | None:
        """Return a fault of a kind that is due and has not struck yet, and let it have struck."""
        for fault in self.plan.of(kind):
            if fault.turn <= turn and fault not in self._fired:
                self._fired[fault] = None
                self.strike(kind)
                return fault
        return None

    def fire_one(self, fault: Fault) -> bool:
        """Let a fault have struck; say whether it had not yet."""
        if fault in self._fired:
            return False
        self._fired[fault] = None
        self.strike(fault.kind)
        return True

    def strike(self, kind: str) -> None:
        """Count a fault that was injected."""
        self.injected[kind] += 1
        self.note(f"fault {kind} in turn {self.audit.turn}")

    def told(self, seq: int) -> None:
        """Remember that somebody was told of an event: it can't be lost any more."""
        self.acknowledged_seq = max(self.acknowledged_seq, seq)

    def fill_disk(self, starts: int) -> None:
        """Let no byte more be written, for so many starts."""
        self.disk.is_full = True
        self._full_starts = starts

    def power_cut(self) -> None:
        """Lose what was not synced, or some of it."""
        if self.disk.power_cut(self._chance):
            self.sometimes.reached("commit-torn")

    def start(self) -> tuple[list[Recorded], Fold]:
        """
        Do what a start does: read and check the disk, fold what is there.

        What was acknowledged must be there, and what is there must be what the audit makes of it.
        """
        self.lives += 1
        self.now_s += 1.0
        if self.disk.is_full and self.lives > 1:
            self._full_starts -= 1
            self.disk.is_full = self._full_starts > 0
        self._perhaps_flip()
        events = recover(self.disk)
        self._check_durable(events)
        if self.audit.head != (len(events), events[-1].hash if events else GENESIS_HASH):
            self.audit = self._new_audit(None)
            for recorded in events:
                self.audit.see(recorded)
        fold = self.fold(events)
        self._check_known(events)
        self.audit.compare(fold.records)
        self.audit.count_into(self.sometimes)
        self.note(f"start {self.lives} at {len(events)}")
        return events, fold

    def fold(self, events: list[Recorded]) -> Fold:
        """
        Return what the house makes of events.

        Every second process stood by before it began: what it folded in steps, some of them within a turn, is
        held to what one knows that folds it all at once, and the house goes on with it.
        """
        cold = self._folded(events, steps=[])
        chance = Chance((self.plan.seed, "standby", self.lives))
        if not events or chance.below(_STANDS_BY_ONE_IN):
            return cold
        warm = self._folded(events, steps=[chance.below(len(events)) for _ in range(_STEPS)])
        turn = cold.turn
        if (
            _known_of(warm, turn) != _known_of(cold, turn)
            or warm.records.state_hash != cold.records.state_hash
        ):
            violated("I7", f"a process that stood by knows something else at event {len(events)}")
        self.sometimes.reached("standby-took-over")
        return warm

    def turn_ended(self, turn: int, fold: Fold) -> None:
        """Hold a house at the end of a turn to its journal; remember what it knows that no journal says."""
        self.audit.turn_ended(turn, fold.records)
        self._known[self.audit.head[0]] = turn, _known_of(fold, turn)

    def _check_known(self, events: list[Recorded]) -> None:
        """See that a start knows what the house knew that had got as far as the journal does (I7)."""
        if len(events) not in self._known:
            return
        turn, lived = self._known[len(events)]
        fold = self._folded(events, steps=[])
        fold.mark_up_to(turn)  # frames without an event leave no trace but this
        if _known_of(fold, turn) != lived:
            violated("I7", f"a start knows something else than the house that had played turn {turn}")

    def _folded(self, events: list[Recorded], *, steps: list[int]) -> Fold:
        """Fold events; after each of some of them do what is due by then."""
        fold = Fold(season=self.season, lending_benchmark=AssetId(self.rules.arena.lending_benchmark))
        for recorded in events:
            fold.add(recorded)
            if recorded.seq in steps:
                fold.settle()
        fold.finish()
        return fold

    def _check_durable(self, events: list[Recorded]) -> None:
        seq = len(events)
        if seq < self.acknowledged_seq:
            violated("durability", f"event {self.acknowledged_seq} was acknowledged, {seq} are left")
        if seq > self.acknowledged_seq:
            self.sometimes.reached("commit-kept-without-sync")
        if seq not in self.whole_seqs:
            self.half_turn = True
            self.sometimes.reached("half-turn-durable")
        self.acknowledged_seq = seq

    def _perhaps_flip(self) -> None:
        """Turn a bit, see that a start finds it, and put the disk back as a backup would."""
        if not self.plan.of("bit-flip") or len(self.disk.synced) == 0:
            return
        if self.fire("bit-flip", self.audit.turn) is None:
            return
        backup = bytes(self.disk.synced)
        whole = recover(self.disk)
        self.disk.synced[:] = backup
        self.disk.flip(self._chance)
        try:
            found = recover(self.disk)
        except JournalCorrupt:
            self.sometimes.reached("flip-found-by-chain")
        else:
            if len(found) < self.acknowledged_seq:
                self.sometimes.reached("flip-found-by-anchor")
            elif found != whole[: len(found)]:
                violated("I5", "a changed bit in an event was not found")
        self.disk.synced[:] = backup

    def _new_audit(self, sometimes: Sometimes | None) -> Audit:
        return Audit(
            round_turns=self.rules.arena.round_turns,
            sometimes=sometimes,
            is_planned=self._may_crash(),
            stale=self.season.stale_asset,
        )

    def _may_crash(self) -> Callable[[str, int, str], bool]:
        plan, trusted = self.plan, self.setting.trusted

        def may_crash(agent: str, turn: int, cause: str) -> bool:
            return agent.rpartition("-")[0] not in trusted or is_planned(plan, agent, turn, cause)

        return may_crash


def _known_of(fold: Fold, turn: int) -> object:
    """
    Return what a fold knows at a turn beside the state.

    The courses of mandates, the daily records of the living, what each may still order and burn, what waits.
    """
    records = fold.records
    agents = [agent for agent, member in sorted(records.roster.members.items()) if member.life != "closed"]
    living = [member.born.agent for member in records.roster.living()]
    turnover, budgets, orders = records.turnover, records.budgets, records.open_orders
    return (
        [replace(fold.marks.of(agent)) for agent in agents],
        [[_copy(getattr(fold.tracks.of(agent), slot)) for slot in TrackRecord.__slots__] for agent in living],
        [(turnover.micro_usd(agent, turn), turnover.sends(agent, turn)) for agent in agents],
        (turnover.all_micro_usd(turn), turnover.all_sends(turn)),
        [budgets.left_wei(agent) for agent in agents],
        budgets.reserved_wei,
        [(working.order.order_id, working.hop, working.held_units) for working in orders.at_venue()],
        [[order.order_id for order in orders.waiting(agent)] for agent in agents],
        repr(records.roster.withdrawals),
    )


def _copy(value: object) -> object:
    """Return a value that stays as it is while what it was read from goes on."""
    return tuple(value) if isinstance(value, list | array) else value
