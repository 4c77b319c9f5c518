"""The arena: publishes each frame to its agents, keeps the roster, and lets nobody's crash spread."""

from dataclasses import replace
from typing import assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.events import (
    ChildCrashed,
    ChildQuarantined,
    ChildRestarted,
    CommonCause,
    Escalated,
    HostPaused,
    SupervisionEvent,
)
from treasury_actors.actors.policy import PastCrash
from treasury_actors.actors.ref import Ref
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage, Decided, StateRecorded, Turn
from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.admission import Admission
from treasury_actors.arena.capital import ASK_TIMEOUT_S, Capital
from treasury_actors.arena.gate import TurnGate
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
    WithdrawalReply,
)
from treasury_actors.arena.model.events import (
    AgentClosed,
    AgentCrashed,
    AgentFrozen,
    AgentQuarantined,
    AgentRestarted,
    AgentRetired,
    CommonCauseFound,
    SeasonClosed,
)
from treasury_actors.arena.model.events import HostPaused as HostPausedRecorded
from treasury_actors.arena.model.roster import Member, Roster
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.arena.opening import Opening
from treasury_actors.arena.rounds import Rounds
from treasury_actors.arena.withdrawals import WithdrawalDesk
from treasury_actors.ids import AgentId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.message import Provenance
from treasury_actors.trading.messages import CancelOpenOrders, ChangeTradingState, Guard, SetMandates, Watched
from treasury_actors.trading.model.mandate import Mandate, MandateStatus


class Arena(Actor[ArenaMessage]):
    """
    Plays turns with its agents.

    `roster` and `tracks` are what journal and frames already say, up to frame `turn`; -1 before the first.
    The arena answers for order: agents decide in any order, their answers are taken in the order of names.
    """

    def __init__(
        self,
        *,
        neighbours: Neighbours,
        rules: ArenaRules,
        roster: Roster,
        tracks: Tracks,
        turn: int,
        pays_out: bool = True,
    ) -> None:
        self._neighbours = neighbours
        self._rules = rules
        self._roster = roster
        self._tracks = tracks
        self._capital = Capital(neighbours=neighbours, rules=rules, roster=roster)
        self._withdrawals = WithdrawalDesk(
            neighbours=neighbours, rules=rules, capital=self._capital, arena=self, pays_out=pays_out
        )
        self._gate = TurnGate()
        self._refs: dict[AgentId, Ref[AgentMessage]] = {}
        self._versions: dict[AgentId, int] = {}
        self._down: list[tuple[AgentId, str]] = []
        self._reduce_reason = ""
        self._turn = turn

    def __repr__(self) -> str:
        return f"<Arena turn {self._turn}, {self._roster!r}>"

    async def started(self) -> None:
        """
        Start the agents the roster knows; engine and guardian have its mandates already.

        The supervisor's turns are the season's frames, so a crash of an earlier life of the process counts
        where it was, and verdicts fall at the turn at which they would have fallen.
        """
        if self._turn >= 0:
            self._neighbours.supervisor.open_turn(self._turn)
        for member in self._roster.living():
            if member.quarantined is None:
                self._start(member)
            else:
                self._down.append((member.born.agent, _why_down(member.quarantined)))

    async def receive(self, message: ArenaMessage) -> int | tuple[AgentId, ...] | WithdrawalReply:
        """Handle one message."""
        match message:
            case OpenSeason():
                self._turn = message.frame.index
                opening = Opening(
                    neighbours=self._neighbours,
                    rules=self._rules,
                    capital=self._capital,
                    tracks=self._tracks,
                    arena=self,
                )
                return await opening.open(message)
            case PlayTurn():
                return await self._play(message)
            case HoldRound():
                rounds = Rounds(
                    neighbours=self._neighbours,
                    rules=self._rules,
                    capital=self._capital,
                    tracks=self._tracks,
                    arena=self,
                )
                await rounds.hold(message.frame)
                return len(self._roster.living())
            case CloseSeason():
                return await self._close_season(message.frame)
            case CloseMandates():
                opened = self._roster.open()
                for member in opened:
                    await self.retire(member.born.agent, message.reason)
                return len(opened)
            case Admit():
                admission = Admission(
                    neighbours=self._neighbours,
                    rules=self._rules,
                    capital=self._capital,
                    tracks=self._tracks,
                    arena=self,
                )
                return await admission.admit(message)
            case Dismiss():
                return await self._dismiss(message)
            case PlanWithdrawal() | BeginWithdrawal() | CancelWithdrawal():
                return await self._withdrawals.receive(message)
            case _:
                assert_never(message)

    @property
    def roster(self) -> Roster:
        """Who lives; changed by `record` alone."""
        return self._roster

    def record(self, event: object, *, why: str = "") -> None:
        """Journal an event of the arena, then fold it."""
        self._neighbours.journal.append(
            event,
            stream="arena",
            time_ns=self._neighbours.clock.now_ns(),
            provenance=Provenance(correlation_id=why),
        )
        self._roster.apply(event)

    def heard(self, event: SupervisionEvent) -> None:
        """Take news from the supervisor of the agents; called on the loop, must not wait."""
        match event:
            case ChildCrashed():
                agent = AgentId(event.name)
                crashed = AgentCrashed(agent=agent, turn=self._turn, cause=event.cause, message=event.message)
                self.record(crashed, why=f"crash:{agent}")
                self._gate.down(agent)
            case ChildRestarted():
                self.record(AgentRestarted(agent=AgentId(event.name), turn=self._turn))
            case ChildQuarantined():
                agent = AgentId(event.name)
                quarantined = AgentQuarantined(agent=agent, turn=self._turn, crashes=event.crashes)
                self.record(quarantined)
                self._gate.down(agent)
                self._down.append((agent, _why_down(quarantined)))
            case CommonCause():
                agents = tuple(AgentId(name) for name in event.names)
                self.record(CommonCauseFound(turn=self._turn, agents=agents))
                self._reduce_reason = f"{len(agents)} agents crashed in one turn"
            case HostPaused():
                self.record(HostPausedRecorded(turn=self._turn, gap_s=event.gap_s))
            case Escalated():
                pass
            case _:
                assert_never(event)

    async def spawn(self, mandate: Mandate) -> None:
        """Start a newborn: its birth is recorded, its mandate set now, its actor started."""
        await self.set_mandates([mandate])
        self._start(self._roster.members[mandate.agent])

    async def set_mandates(self, mandates: list[Mandate]) -> None:
        """Record mandates and hold engine and guardian to them, in this order."""
        if not mandates:
            return
        for mandate in mandates:
            self.record(mandate, why=f"mandate:{mandate.agent}")
        given = tuple(mandates)
        await self._neighbours.engine.ask(SetMandates(mandates=given), timeout_s=ASK_TIMEOUT_S)
        await self._neighbours.guardian.ask(Guard(mandates=given), timeout_s=ASK_TIMEOUT_S)

    async def retire(self, agent: AgentId, reason: str) -> None:
        """Let an agent decide no more; from now on the guardian alone may order for it."""
        retired = AgentRetired(agent=agent, turn=self._turn, reason=reason)
        await self._silence(retired, "closing", why=f"death:{agent}")

    async def _silence(self, event: AgentRetired | AgentFrozen, status: MandateStatus, *, why: str) -> None:
        """Stop an agent's actor, if it still has one; then the event and its mandate, and nothing between."""
        agent = event.agent
        self._tracks.forget(agent)
        if self._refs.pop(agent, None) is not None:
            await self._neighbours.supervisor.stop_child(agent)
        self.record(event, why=why)
        await self.set_mandates([_with_status(self._roster.members[agent], status)])

    async def _dismiss(self, message: Dismiss) -> int:
        """Retire those of some agents whose mandate is open; a demotion is noted first."""
        for demoted in message.demotions:
            self.record(demoted, why=f"demotion:{demoted.agent}")
        opened = [each for each in message.agents if self._roster.members[each].is_open]
        for agent in opened:
            await self.retire(agent, message.reason)
        return len(opened)

    def touch(self, agent: AgentId) -> None:
        """Note that an agent's accounts changed: it reads them again at its next turn."""
        self._versions[agent] = self._versions.get(agent, 0) + 1

    def _start(self, member: Member) -> None:
        """Start the actor of an agent; a restart makes a new one from the roster as it then is."""
        agent, born = member.born.agent, member.born
        family = self._neighbours.families[born.family]
        first_turn = born.turn if born.operator in {"initial", "carried"} else born.turn + 1
        spec = AgentSpec(agent=agent, family=family, genes=born.genes, born_turn=first_turn)

        def make() -> Actor[AgentMessage]:
            last_record = self._roster.members[agent].last_record
            return self._neighbours.make_agent(spec, last_record, self._gate)

        child = ChildSpec(name=agent, make=make, accepts=(Turn,))
        excused = self._roster.common_cause_turns
        past = [PastCrash(turn=turn, excused=turn in excused) for turn in member.crash_turns]
        self._refs[agent] = self._neighbours.supervisor.start_child(child, past)

    async def _play(self, message: PlayTurn) -> int:
        """One frame: capital first, then every agent decides, then what they remember is recorded."""
        frame = message.frame
        self._turn = frame.index
        self._neighbours.supervisor.open_turn(frame.index)
        if frame.index > 0 and frame.index % DAY_FRAMES == 0:
            for member in self._roster.living():
                nav = await self._capital.nav(member.born.agent, frame)
                self._tracks.mark(member.born.agent, frame, nav)
        for agent in message.touched:
            self.touch(agent)
        await self._bury(message.watched, frame)
        await self._collect_dues(message.touched, frame)
        decisions = await self._let_decide(frame, message.end)
        # After a round, a recall or a late fill the books are others than those decided on: a record now, so
        # that nobody has to decide again on frames before it with the books of after it.
        everybody = frame.index % DAY_FRAMES == 0 or frame.index % self._rules.round_turns == 0
        for decided in decisions:
            recalled = self._roster.is_recalled(decided.agent)
            if (
                decided.ordered
                or everybody
                or recalled
                or _is_late(self._roster.members[decided.agent], decided, message.touched)
            ):
                state = tuple(float(number) for number in decided.state)
                self.record(StateRecorded(agent=decided.agent, turn=decided.turn, state=state))
        await self._withdrawals.turn(frame)
        if self._reduce_reason:
            change = ChangeTradingState(state="reducing", by="arena", reason=self._reduce_reason)
            await self._neighbours.engine.ask(change, timeout_s=ASK_TIMEOUT_S)
            self._reduce_reason = ""
        return len(decisions)

    async def _bury(self, watched: Watched, frame: MarketFrame) -> None:
        """
        Retire those in breach or quarantine; take home the capital of those whose accounts are sold.

        Where money is real quarantine is a freeze: no machine sells for a crash. What a withdrawal has begun
        to recall is sold all the same: a person asked for it.
        """
        for breach in watched.breaches:
            if self._roster.members[breach.agent].is_open:
                await self.retire(breach.agent, breach.reason)
        down, self._down = self._down, []
        for agent, reason in down:
            if self._roster.members[agent].life != "living":
                continue
            if self._rules.freezes and not self._roster.is_recalled(agent):
                frozen = AgentFrozen(agent=agent, turn=self._turn, reason=reason)
                await self._silence(frozen, "frozen", why=f"freeze:{agent}")
            else:
                await self.retire(agent, reason)
        for agent in watched.emptied:
            returned = await self._capital.bring_home(agent, frame)
            self.record(
                AgentClosed(agent=agent, turn=frame.index, returned_units=returned), why=f"death:{agent}"
            )
            await self.set_mandates([_with_status(self._roster.members[agent], "closed")])

    async def _collect_dues(self, touched: tuple[AgentId, ...], frame: MarketFrame) -> None:
        """Take what agents owe the pool out of the cash their sales brought."""
        for agent in touched:
            member = self._roster.members[agent]
            mandate = member.mandate
            if mandate is not None and mandate.status == "active" and mandate.due_units:
                await self.collect(mandate, mandate.due_units, frame, "due")

    async def collect(self, mandate: Mandate, due_units: int, frame: MarketFrame, why: str) -> Mandate:
        """Take up to `due_units` from an agent's cash; return its mandate with what it still owes."""
        before = await self._capital.nav(mandate.agent, frame)
        taken = await self._capital.collect(mandate.agent, due_units, frame, why)
        after = await self._capital.nav(mandate.agent, frame)
        if taken:
            self._tracks.flow(mandate.agent, frame.index, before, after)
            self.touch(mandate.agent)
        owed = replace(mandate, due_units=due_units - taken)
        if owed.status == "recalling" and not owed.due_units:
            owed = replace(owed, status="active")
        if owed != mandate and why != "round":
            await self.set_mandates([owed])
        return owed

    async def _let_decide(self, frame: MarketFrame, end: int) -> list[Decided]:
        """Publish the frame; wait until every living agent has decided or is known to be down."""
        living = [m for m in self._roster.living() if m.born.agent in self._refs]
        self._gate.close(frame.index, [m.born.agent for m in living])
        for member in living:
            agent = member.born.agent
            assert member.mandate is not None, "a living agent has a mandate"
            turn = Turn(
                frame=frame, end=end, mandate=member.mandate, books_version=self._versions.get(agent, 0)
            )
            self._refs[agent].tell(turn)
        return await self._gate.opened()

    async def _close_season(self, frame: MarketFrame) -> int:
        """Stop the agents; the season is over."""
        living = self._roster.living()
        for member in living:
            self._refs.pop(member.born.agent, None)
            await self._neighbours.supervisor.stop_child(member.born.agent)
        assert self._roster.season is not None, "a season is opened before it is closed"
        await self._neighbours.engine.ask(CancelOpenOrders(), timeout_s=ASK_TIMEOUT_S)
        self.record(SeasonClosed(season=self._roster.season.season, turn=frame.index))
        return len(living)


def _is_late(member: Member, decided: Decided, touched: tuple[AgentId, ...]) -> bool:
    """Say whether an agent's accounts changed although its last record is not of the turn before."""
    last = member.last_record
    return decided.agent in touched and (last is None or last.turn < decided.turn - 1)


def _why_down(quarantined: AgentQuarantined) -> str:
    """Return why a quarantined agent is retired."""
    return f"quarantined after {quarantined.crashes} crashes"


def _with_status(member: Member, status: MandateStatus) -> Mandate:
    """Return an agent's mandate with another status, and nothing due: of one that is closing all of it is."""
    assert member.mandate is not None, "an agent that is not over has a mandate"
    return replace(member.mandate, status=status, due_units=0)
