"""The director of a climb: each day it demotes, executes what people approved, and holds gates."""

from dataclasses import dataclass, field
from pathlib import Path

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.messages import Admit, Dismiss, Entrant
from treasury_actors.arena.model.demotion import AgentDemoted, Cause, Condition, causes_of
from treasury_actors.arena.model.promotion import PromotionProposed, Standing
from treasury_actors.arena.model.roster import Member
from treasury_actors.arena.model.stages import Rung, above, is_above, rung_of
from treasury_actors.clock import DAY_NS
from treasury_actors.errors import InvariantViolated
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.windows import DAY_FRAMES
from treasury_actors.ids import AgentId, EntryId
from treasury_actors.ledger.messages import Post
from treasury_actors.ledger.model import RESERVE, Entry, EntryRejected, pool, statement, transfer
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.simulation.ladder.dossier import days_of
from treasury_actors.simulation.ladder.gatekeeper import Gatekeeper, PaperHouse
from treasury_actors.simulation.ladder.plan import ClimbPlan
from treasury_actors.simulation.ladder.script import ScriptedDesk
from treasury_actors.trading.model.mandate import Stage
from treasury_actors.trading.model.valuation import nav_micro_usd, stale_ratio
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S = 3_600.0
TRIM_AFTER_DAYS = 20
"""So long after the main arena opens the script's operator demotes somebody: cutting risk needs nobody."""

TRACKED_EVERY_DAYS = 7
"""So often each agent with money is compared with its resimulation, its last days one by one."""

ON_PAPER = "sim:"
"""Before the name of an agent of the house on paper, wherever the journal with the money names it."""

_PAUSE_DAYS = 7
"""Between two looks at who is on paper, if the first found nobody."""

_SETTLED_DAYS = 30
_SOON_DAYS = 35
_OFF_PEG_BPS = 200
_BPS = 10_000


@dataclass(slots=True)
class StageLog:
    """
    What became of a stage.

    Attributes:
        opened_day: when its first agent came up; None if none did.
        active_min: on paper, fewest at once at a day's close.
        active_max: most agents at once; `invested_max_micro_usd`: most NAV at once.
    """

    opened_day: int | None = None
    admitted: int = 0
    active_max: int = 0
    active_min: int | None = None
    invested_max_micro_usd: int = 0
    full_day: int | None = None
    notes: list[str] = field(default_factory=list)


class Director:
    """
    Leads both houses up the ladder. What it knows it reads from journals, books and tracks between turns.

    Attributes:
        logs: by stage; `is_done`: whether the climb has shown all it can.
    """

    def __init__(
        self,
        plan: ClimbPlan,
        *,
        money: House,
        paper: PaperHouse,
        desk: ApprovalDesk,
        folder: Path,
    ) -> None:
        self._plan = plan
        self._money = money
        self._paper = paper
        self._desk = desk
        self.script = ScriptedDesk(desk, plan.people)
        self.keeper = Gatekeeper(plan, money=money, paper=paper, desk=desk, folder=folder)
        self.logs: dict[Stage, StageLog] = {rung.stage: StageLog() for rung in plan.ladder}
        self.logs["sim"].opened_day = 0
        self.is_done = False
        self._trimmed = not plan.trims
        self._not_before: dict[Stage, int] = {}
        for held in money.fold.records.promotions.gates:
            pause = _PAUSE_DAYS if held.stage == "sim" and not held.graduates else 1
            self._not_before[held.stage] = held.turn // DAY_FRAMES + pause

    def __repr__(self) -> str:
        return f"<Director {self.logs}>"

    def wanted(self, frame: MarketFrame) -> list[Genome]:
        """Return the genomes whose records a day goes by; a gate waits for those that are lacking."""
        return self.keeper.wanted(self._plan.ladder[0], frame)

    async def day(self, frame: MarketFrame) -> None:
        """Do what the close of a day asks for; risk is cut before any is added."""
        day = frame.index // DAY_FRAMES
        await self._demote(frame, day)
        await self._bring_home(frame)
        self._desk.expire()
        promotions = self._money.fold.records.promotions
        before = [standing.status for standing in promotions.by_id.values()]
        self.script.day(list(promotions.by_id.values()), day=day, now_ns=self._money.clock.now_ns())
        for standing, was in zip(list(promotions.by_id.values()), before, strict=True):
            if standing.status == "approved":
                await self._execute(standing, frame, day)
            elif standing.status in {"rejected", "expired"} and was != standing.status:
                self._not_before[standing.proposed.stage] = day + 1
        await self._bring_home(frame)
        await self._hold_gates(frame, day)
        self._count(frame, day)

    async def _demote(self, frame: MarketFrame, day: int) -> None:
        """Send down whoever must go: by rule, and once by the script's operator."""
        for member in self._money.fold.records.roster.living():
            strays = 0
            if day % TRACKED_EVERY_DAYS == 0:
                rung = rung_of(self._plan.ladder, _stage_of(member))
                strays = self.keeper.breach_days(member, rung, frame)
            causes = causes_of(self._condition(member, frame, strays), self._plan.demotion)
            if causes:
                await self._send_down(member, frame, causes, "machine", ", ".join(causes))
        opened = self.logs["main"].opened_day
        if self._trimmed or opened is None or day < opened + TRIM_AFTER_DAYS:
            return
        living = self._living("main")
        if living:
            self._trimmed = True
            weakest = min(living, key=lambda m: (self._money.fold.marks.of(m.born.agent).index, m.born.agent))
            by = self._plan.people[-1].name
            await self._send_down(weakest, frame, (Cause.OPERATOR,), by, "trims the exposure")

    def _condition(self, member: Member, frame: MarketFrame, strays: int) -> Condition:
        """Return how an agent is at this close."""
        agent, universe = member.born.agent, self._money.features.universe
        owned = statement(self._money.fold.records.book, agent).owned
        nav = nav_micro_usd(universe, owned.items(), frame)
        off = 0
        for asset, units in owned.items():
            if "USDT" in asset:
                peg = frame.ticks[universe.column[asset]] / frame.share_prices[universe.column[asset]]
                one = 10.0 ** universe.by_id[asset].tick_exponent
                if abs(peg / one - 1.0) * _BPS > _OFF_PEG_BPS:
                    off += universe.by_id[asset].value_micro_usd(units, frame.ticks[universe.column[asset]])
        tested = self.keeper.tested(member)
        return Condition(
            drawdown_ratio=self._money.fold.marks.of(agent).drawdown_ratio,
            drawdown_p95_ratio=tested.drawdown_p95_ratio if tested else None,
            tracking_breach_days=strays,
            depegged_ratio=off / nav if nav else 0.0,
            stale_ratio=stale_ratio(universe, owned.items(), frame),
        )

    async def _send_down(
        self, member: Member, frame: MarketFrame, causes: tuple[Cause, ...], by: str, detail: str
    ) -> None:
        """Demote one agent: at once, without anybody's approval."""
        agent, stage = member.born.agent, _stage_of(member)
        demoted = AgentDemoted(
            agent=agent,
            turn=frame.index,
            stage=stage,
            to_stage="sim",
            causes=causes,
            by=by,
            detail=detail,
        )
        self.keeper.remember(member)
        dismissal = Dismiss(agents=(agent,), reason=f"demoted from {stage}: {detail}", demotions=(demoted,))
        await self._money.arena.ask(dismissal, timeout_s=ASK_TIMEOUT_S)

    async def _execute(self, standing: Standing, frame: MarketFrame, day: int) -> None:
        """Move the money of an approved proposal, and let its agents up."""
        proposed = standing.proposed
        if self._money.fold.records.latch.state != "active":
            return  # nothing rises while trading is stopped or reduced
        if is_above(self._plan.ladder, proposed.to_stage, self._plan.top):
            return  # proposed under another config
        if proposed.stage == "sim" and self._paper() is None:
            return  # whether they still live there, nobody can say now
        entrants = self._entrants(proposed)
        refusal = await self._desk.execute(proposed.promotion, self._money.ledger)
        if refusal is not None:
            self.logs[proposed.to_stage].notes.append(f"day {day}: {proposed.promotion}: {refusal.detail}")
            return
        await self._leave_below(proposed)
        rung = rung_of(self._plan.ladder, proposed.to_stage)
        message = Admit(frame=frame, stage=rung.stage, entrants=entrants, micro_usd=rung.mandate_micro_usd)
        born = await self._money.arena.ask(message, timeout_s=ASK_TIMEOUT_S)
        log = self.logs[rung.stage]
        log.admitted += len(born)
        if log.opened_day is None and born:
            log.opened_day = day

    def _entrants(self, proposed: PromotionProposed) -> tuple[Entrant, ...]:
        """Return who of a proposal is still fit to come up: alive where it was proposed."""
        found = []
        for name in proposed.agents:
            on_paper = name.startswith(ON_PAPER)
            house = self._paper() if on_paper else self._money
            assert house is not None, "who is asked about lives somewhere"
            member = house.fold.records.roster.members[AgentId(name.removeprefix(ON_PAPER))]
            if member.life == "living":
                found.append(
                    Entrant(
                        family=member.born.family,
                        genes=member.born.genes,
                        generation=member.born.generation,
                        parent=AgentId(name),
                    )
                )
        return tuple(found)

    async def _leave_below(self, proposed: PromotionProposed) -> None:
        """Close the mandates of those who go up; in the proving grounds the whole trial is over."""
        if proposed.stage == "sim":
            return
        for member in self._living(proposed.stage):
            agent = member.born.agent
            goes_up = agent in proposed.agents
            if not goes_up and proposed.stage != "proving":
                continue
            self.keeper.remember(member)
            reason = f"graduated to {proposed.to_stage}" if goes_up else "left behind by the gate"
            await self._money.arena.ask(Dismiss(agents=(agent,), reason=reason), timeout_s=ASK_TIMEOUT_S)

    async def _bring_home(self, frame: MarketFrame) -> None:
        """Return what lies in the pools to the reserve: nobody needs leave to hold less."""
        reserve = self._money.features.universe.reserve
        for rung in self._plan.ladder[1:]:
            account = pool(rung.stage)
            units = self._money.fold.records.book.units(account, reserve)
            entry_id = EntryId(f"home/{rung.stage}/{frame.index}")
            if units <= 0 or self._money.fold.records.book.is_repeat(entry_id):
                continue
            entry = Entry(
                entry_id=entry_id,
                kind="fund",
                postings=transfer(account, RESERVE, reserve, units),
                reason=f"back from {rung.stage}",
            )
            reply = await self._money.ledger.ask(Post(entry=entry), timeout_s=ASK_TIMEOUT_S)
            if isinstance(reply, EntryRejected):
                raise InvariantViolated(f"I6: the ledger refused {entry_id}: {reply.detail}")

    async def _hold_gates(self, frame: MarketFrame, day: int) -> None:
        """Hold every gate whose time has come, the highest first: it makes room for those below."""
        for rung in reversed(self._plan.ladder):
            up = above(self._plan.ladder, rung.stage)
            if up is None or is_above(self._plan.ladder, up.stage, self._plan.top):
                continue
            if day < self._not_before.get(rung.stage, 0) or self._is_waiting(rung.stage):
                continue
            places = self._places(up)
            if rung.stage == "sim":
                await self._gate_from_paper(rung, up, places, frame, day)
            else:
                await self._gate_with_money(rung, up, places, frame, day)

    async def _gate_from_paper(self, rung: Rung, up: Rung, places: int, frame: MarketFrame, day: int) -> None:
        """Start a trial in the proving grounds, if it is empty and somebody will have room after it."""
        assert rung.gate is not None, "only the last rung has no gate"
        busy = bool(self._living(up.stage)) or self._closing(up.stage)
        after = above(self._plan.ladder, up.stage)
        left = self._plan.season.frame_count // DAY_FRAMES - day
        if busy or day < rung.gate.days_min or left < _SOON_DAYS or after is None:
            return
        soon = [
            member
            for member in self._living(after.stage)
            if after.gate and days_of(member, frame.index) + _SOON_DAYS >= after.gate.days_min
        ]
        if self._places(after) + len(soon) <= 0 or self._has_all_it_can():
            return
        if self._paper() is None or self._plan.examiner.lacks(self.wanted(frame)):
            return
        graduation = await self.keeper.from_paper(rung, up, places, frame)
        if not graduation.graduates:
            self._not_before[rung.stage] = day + _PAUSE_DAYS
            self.logs[up.stage].notes.append(f"day {day}: nobody on paper passed the gate to {up.stage}")

    async def _gate_with_money(self, rung: Rung, up: Rung, places: int, frame: MarketFrame, day: int) -> None:
        """Look at those whose days are over; who is vetoed after them goes down."""
        assert rung.gate is not None, "only the last rung has no gate"
        ripe = [m for m in self._living(rung.stage) if days_of(m, frame.index) >= rung.gate.days_min]
        if not ripe or places <= 0:
            return
        graduation = await self.keeper.with_money(rung, up, ripe, places, frame)
        vetoed = {each.agent for each in graduation.vetoed}
        leave = [m for m in ripe if m.born.agent in vetoed or not graduation.graduates]
        if rung.stage == "proving" and graduation.graduates:
            leave = []  # the trial ends for all at once, when its graduates go up
        for member in leave:
            self.keeper.remember(member)
            reason = f"not let up to {up.stage}"
            await self._money.arena.ask(
                Dismiss(agents=(member.born.agent,), reason=reason), timeout_s=ASK_TIMEOUT_S
            )
        if not graduation.graduates:
            self.logs[up.stage].notes.append(f"day {day}: nobody in {rung.stage} passed the gate")

    def _has_all_it_can(self) -> bool:
        """Say whether the last rung has as many as use up its pool."""
        last = self._plan.ladder[-1]
        return len(self._living(last.stage)) >= last.places_full

    def _places(self, rung: Rung) -> int:
        """Return how many mandates a stage could still open: of its places, and of its pool."""
        taken = len(self._living(rung.stage)) + self._closing(rung.stage)
        return min(rung.places, rung.places_full) - taken

    def _is_waiting(self, stage: Stage) -> bool:
        """Say whether a proposal out of a stage is open."""
        promotions = self._money.fold.records.promotions
        return any(standing.proposed.stage == stage for standing in promotions.open())

    def _living(self, stage: Stage) -> list[Member]:
        """Return who lives on a stage with money."""
        return [m for m in self._money.fold.records.roster.living() if _stage_of(m) == stage]

    def _closing(self, stage: Stage) -> int:
        """Return how many of a stage decide no more and have not left it: frozen, or being sold."""
        roster = self._money.fold.records.roster
        return sum(_stage_of(m) == stage for m in [*roster.frozen(), *roster.closing()])

    def _count(self, frame: MarketFrame, day: int) -> None:
        """Note how many are where with how much; end a month after the last rung is full."""
        book, universe = self._money.fold.records.book, self._money.features.universe
        for rung in self._plan.ladder[1:]:
            log, living = self.logs[rung.stage], self._living(rung.stage)
            log.active_max = max(log.active_max, len(living))
            invested = sum(
                nav_micro_usd(universe, statement(book, member.born.agent).owned.items(), frame)
                for member in living
            )
            log.invested_max_micro_usd = max(log.invested_max_micro_usd, invested)
            if log.full_day is None and len(living) >= rung.places_full:
                log.full_day = day
        house, log = self._paper(), self.logs["sim"]
        paper = len(house.fold.records.roster.living()) if house is not None else 0
        log.active_max = max(log.active_max, paper)
        log.active_min = paper if log.active_min is None else min(log.active_min, paper)
        full = self.logs[self._plan.ladder[-1].stage].full_day
        self.is_done = full is not None and day >= full + _SETTLED_DAYS


def _stage_of(member: Member) -> Stage:
    """Return the stage an agent's mandate is on."""
    assert member.mandate is not None, "an agent with money has a mandate"
    return member.mandate.stage


def day_of(frame: MarketFrame, first_ns: int) -> int:
    """Return the day of a season a frame lies in."""
    return (frame.time_ns - first_ns) // DAY_NS
