"""Holds the gates of a climb: gathers what is known, decides, writes the proof down, proposes."""

from collections.abc import Callable, Sequence
from pathlib import Path

from treasury_actors.agents.model.metrics.tracking import TRACKING_DAYS_MIN
from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.graduation import Candidate, Graduation, Lived, WindowTrial, graduate
from treasury_actors.arena.model.ladder import gate_text
from treasury_actors.arena.model.promotion import GateHeld, HeldBack, PromotionProposed, expiry_ns
from treasury_actors.arena.model.promotion_checks import PromotionRefused
from treasury_actors.arena.model.roster import Member
from treasury_actors.arena.model.stages import Rung, gates_hash
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId
from treasury_actors.ledger.model import GAS, RESERVE, pool, statement
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.simulation.ladder.audit import Audit
from treasury_actors.simulation.ladder.dossier import (
    BASELINES,
    Resimulation,
    breach_days,
    days_of,
    excess_days,
    gain_and_error,
    lived,
    prior_variance,
    proof_of,
    reverted_by_agent,
    trades_by_agent,
)
from treasury_actors.simulation.ladder.forward import Forward
from treasury_actors.simulation.ladder.plan import ClimbPlan
from treasury_actors.trading.model.chain_limits import worst_losses
from treasury_actors.trading.model.mandate import Limits
from treasury_actors.trading.model.valuation import nav_micro_usd
from treasury_actors.wiring.house import House

PROOFS = "evidence"
"""The folder, in that of the run, where each gate's proof lies, named by its hash."""


PaperHouse = Callable[[], House | None]
"""Returns the house on paper as it is now; None while there is none to be asked."""


class Gatekeeper:
    """
    Decides who may go up, and puts it before the people.

    Attributes:
        refusals: proposals that could not even be made.
    """

    def __init__(
        self, plan: ClimbPlan, *, money: House, paper: PaperHouse, desk: ApprovalDesk, folder: Path
    ) -> None:
        self._plan = plan
        self._money = money
        self._paper = paper
        self._desk = desk
        self._folder = folder / PROOFS
        self._again = Resimulation(plan.history, plan.families, plan.money)
        self._forward = Forward(folder / PROOFS)
        self.refusals: list[PromotionRefused] = []

    def __repr__(self) -> str:
        return f"<Gatekeeper of {self._plan.world}, {self._plan.examiner.tried} genomes tried>"

    def tested(self, member: Member) -> WindowTrial | None:
        """Return what an agent's genome showed on windows."""
        genome = member.genome
        if self._plan.examiner.lacks([genome]):
            return None
        return self._plan.examiner.examine([genome])[genome.canonical].tested

    def wanted(self, rung: Rung, frame: MarketFrame) -> list[Genome]:
        """Return the genomes a day asks for: of who has money, and of who could have it next."""
        funded = [member.genome for member in self._money.fold.records.roster.living()]
        return [*funded, *(member.genome for member in self._ripe(rung, frame).values())]

    def remember(self, member: Member) -> None:
        """Keep an agent's days over lending when it leaves a rung: they are out of sample for the next."""
        track = self._money.fold.tracks.of(member.born.agent)
        self._forward.keep(member.born.agent, member.genome, excess_days(track))

    def breach_days(self, member: Member, rung: Rung, frame: MarketFrame) -> int:
        """Return how many days in a row an agent with money has strayed from its own resimulation."""
        track = self._money.fold.tracks.of(member.born.agent)
        days = min(int(days_of(member, frame.index)), len(track.daily_returns))
        if days <= TRACKING_DAYS_MIN:
            return 0
        again = self._again.daily_returns(member, days=days, capital_usd=rung.mandate_usd)
        return breach_days(track.daily_returns, again)

    async def from_paper(self, rung: Rung, up: Rung, places: int, frame: MarketFrame) -> Graduation:
        """Hold the gate to the first money: of every genome on paper, once, the best first."""
        members = self._ripe(rung, frame)
        records = self._plan.examiner.examine([member.genome for member in members.values()])
        candidates = [
            self._candidate(member, frame, records[canonical].tested, trades=0, reverted=0, own=None)
            for canonical, member in members.items()
        ]
        return await self._decide(rung, up, list(members.values()), candidates, places=places, frame=frame)

    def _ripe(self, rung: Rung, frame: MarketFrame) -> dict[str, Member]:
        """Return who has been on paper for long enough and has no money yet, one a genome."""
        paper = self._paper()
        assert rung.gate is not None, "only the last rung has no gate"
        busy = {m.genome.canonical for m in self._money.fold.records.roster.living()}
        members: dict[str, Member] = {}
        for member in paper.fold.records.roster.living() if paper is not None else ():
            if days_of(member, frame.index) >= rung.gate.days_min and member.genome.canonical not in busy:
                members.setdefault(member.genome.canonical, member)
        return members

    async def with_money(
        self, rung: Rung, up: Rung, members: Sequence[Member], places: int, frame: MarketFrame
    ) -> Graduation:
        """Hold a gate between two stages with money."""
        trades = trades_by_agent(self._money.journal.read())
        reverted = reverted_by_agent(self._money.journal.read())
        tracks = self._money.fold.tracks
        gains = [gain_and_error(excess_days(tracks.of(m.born.agent))) for m in members]
        variance = prior_variance([gain for gain in gains if gain is not None])
        candidates = []
        for member in members:
            agent = member.born.agent
            candidates.append(
                self._candidate(
                    member,
                    frame,
                    self.tested(member),
                    trades=trades.get(agent, 0),
                    reverted=reverted.get(agent, 0),
                    own=self._lived(member, rung, frame, variance),
                )
            )
        return await self._decide(rung, up, members, candidates, places=places, frame=frame)

    def _lived(self, member: Member, rung: Rung, frame: MarketFrame, variance: float) -> Lived:
        """Return what the days of an agent with money say, its resimulation beside them."""
        track = self._money.fold.tracks.of(member.born.agent)
        days = min(int(days_of(member, frame.index)), len(track.daily_returns))
        again = self._again.daily_returns(member, days=max(1, days), capital_usd=rung.mandate_usd)
        own = excess_days(track)
        return lived(
            track.daily_returns,
            again,
            own,
            out_of_sample=[*self._forward.of(member.genome, but=member.born.agent), *own],
            variance=variance,
            trial_sharpes=self._plan.examiner.trial_sharpes,
            trials=self._plan.examiner.tried,
        )

    def _candidate(
        self,
        member: Member,
        frame: MarketFrame,
        tested: WindowTrial | None,
        *,
        trades: int,
        reverted: int,
        own: Lived | None,
    ) -> Candidate:
        """Return what a gate asks about one agent; genomes are ranked by many windows, not by few days."""
        house = self._paper() if own is None else self._money
        assert house is not None, "who is asked about lives somewhere"
        track = house.fold.tracks.of(member.born.agent)
        return Candidate(
            agent=member.born.agent,
            days=days_of(member, frame.index),
            nav_days=len(track.daily_returns),
            max_drawdown_ratio=track.max_drawdown_ratio,
            failed_settlements=reverted,
            trades=trades,
            fitness_ppb=tested.fitness_ppb if tested else None,
            return_ratio=track.growth_index - 1.0,
            alive=member.life == "living",
            baseline=member.born.family in BASELINES,
            tested=tested,
            lived=own,
        )

    async def _decide(
        self,
        rung: Rung,
        up: Rung,
        members: Sequence[Member],
        candidates: Sequence[Candidate],
        *,
        places: int,
        frame: MarketFrame,
    ) -> Graduation:
        """Hold a gate, write its proof, and propose those it lets up."""
        assert rung.gate is not None, "only the last rung has no gate"
        graduation = graduate(candidates, rung.gate, places=places)
        records = self._plan.examiner.examine([member.genome for member in members])
        text, proof = proof_of(candidates, list(records.values()))
        self._folder.mkdir(exist_ok=True)
        (self._folder / f"{proof}.json").write_text(text + "\n", encoding="utf-8")
        eligible = len(graduation.graduates) + len(graduation.left_behind)
        told = gate_text(rung, tried=self._plan.examiner.tried, eligible=eligible)
        gate = " ".join(told.lines())
        held_back = [HeldBack(agent=agent, vetoes=()) for agent in graduation.left_behind]
        held_back += [HeldBack(agent=each.agent, vetoes=each.vetoes) for each in graduation.vetoed]
        held = GateHeld(
            stage=rung.stage,
            to_stage=up.stage,
            turn=frame.index,
            places=places,
            tried=self._plan.examiner.tried,
            graduates=graduation.graduates,
            held_back=tuple(held_back),
            evidence_hash=proof,
            gate=gate,
        )
        self._desk.hold_gate(held)
        chosen = {agent: member for member in members for agent in [member.born.agent]}
        if graduation.graduates and self._is_sound():
            going = [chosen[agent] for agent in graduation.graduates]
            dsr = {each.agent: each.lived.dsr for each in candidates if each.lived is not None}
            gate = _with_dsr(gate, rung, going, dsr)
            await self._propose(rung, up, going, frame, proof=proof, gate=gate)
        return graduation

    async def _propose(
        self, rung: Rung, up: Rung, going: Sequence[Member], frame: MarketFrame, *, proof: str, gate: str
    ) -> None:
        """Put a rise before the people, with what can be lost by it."""
        universe = self._money.features.universe
        reserve = universe.by_id[universe.reserve]
        ticks = frame.ticks[universe.column[universe.reserve]]
        micro_usd = up.mandate_micro_usd * len(going)
        worst = worst_losses(
            [*self._mandates(frame), *self._new_mandates(up, len(going))],
            pool_micro_usd=max(0, self._worth((RESERVE,), frame) - micro_usd),
            gas_micro_usd=self._worth((GAS,), frame),
        )
        number = len(self._money.fold.records.promotions.by_id) + 1
        before = "sim:" if rung.stage == "sim" else ""
        proposed = PromotionProposed(
            promotion=f"p{number:03d}-{up.stage}",
            run=f"{self._plan.world}-s{self._plan.seed}-{self._plan.season.data_hash[:12]}",
            turn=frame.index,
            stage=rung.stage,
            to_stage=up.stage,
            agents=tuple(AgentId(f"{before}{member.born.agent}") for member in going),
            genomes=tuple(member.born.genome for member in going),
            evidence_hash=proof,
            gates_hash=gates_hash(self._plan.ladder),
            gate=gate,
            asset=universe.reserve,
            units=reserve.units_for_micro_usd_up(micro_usd, ticks),
            micro_usd=micro_usd,
            source=RESERVE,
            target=pool(up.stage),
            key_stolen_micro_usd=worst.key_stolen_micro_usd,
            venue_failed_micro_usd=worst.venue_failed_micro_usd,
            people=self._plan.listed,
            needed=self._plan.needed,
            expires_ns=expiry_ns(self._money.clock.now_ns()),
        )
        refusal = await self._desk.propose(proposed, self._money.ledger, pool_room_micro_usd=self._room(up))
        if refusal is not None:
            self.refusals.append(refusal)

    def _is_sound(self) -> bool:
        """Say whether more may be asked for at all: every entry so far conserved money, and trading is on."""
        audit = Audit().read(self._money.journal.read())
        return audit.ok and self._money.fold.records.latch.state == "active"

    def _room(self, up: Rung) -> int:
        """Return what a stage may still be given: its pool less its open mandates, as they were opened."""
        roster = self._money.fold.records.roster
        taken = sum(mandate.stage == up.stage for mandate in roster.mandates() if mandate.status != "closed")
        return up.pool_micro_usd - taken * up.mandate_micro_usd

    def _mandates(self, frame: MarketFrame) -> list[tuple[AgentId, int, Limits]]:
        """Return every open mandate with what it is worth."""
        book, universe = self._money.fold.records.book, self._money.features.universe
        return [
            (
                mandate.agent,
                nav_micro_usd(universe, statement(book, mandate.agent).owned.items(), frame),
                mandate.limits,
            )
            for mandate in self._money.fold.records.roster.mandates()
        ]

    def _new_mandates(self, up: Rung, count: int) -> list[tuple[AgentId, int, Limits]]:
        """Return the mandates a proposal would open."""
        arena = self._plan.money.arena
        limits = arena.limits_for(up.mandate_micro_usd, max(1, up.pool_micro_usd), gas_wei=0, gas_round=0)
        return [(AgentId(f"new-{place}"), up.mandate_micro_usd, limits) for place in range(count)]

    def _worth(self, accounts: tuple[str, ...], frame: MarketFrame) -> int:
        """Return the value of treasury accounts."""
        book, universe = self._money.fold.records.book, self._money.features.universe
        return sum(
            nav_micro_usd(universe, book.balances(account).items(), frame)
            for account in book.accounts()
            if account in accounts
        )


def _with_dsr(gate: str, rung: Rung, going: Sequence[Member], dsr: dict[AgentId, float | None]) -> str:
    """Return the gate's text, with every DSR that people who approve sign away."""
    assert rung.gate is not None, "only the last rung has no gate"
    if not rung.gate.dsr_min:
        return gate
    low = []
    for member in going:
        value = dsr.get(member.born.agent)
        if value is None or value < rung.gate.dsr_min:
            low.append(f"{member.born.agent} {'unknown' if value is None else f'{value:.3f}'}")
    return f"{gate} DSR below {rung.gate.dsr_min:.0%}, signed away by approving: {', '.join(low) or 'none'}."
