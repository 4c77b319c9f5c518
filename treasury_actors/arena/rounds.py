"""A round: fitness is computed, then recorded; the worst go, children come, capital is allotted again."""

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from treasury_actors.agents.model.fitness import (
    FORMULA_VERSION,
    Evaluation,
    Fitness,
    FitnessBoard,
    FitnessKey,
    Insufficient,
    evaluate,
)
from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.capital import Capital
from treasury_actors.arena.model.allocation import PPB, Allocation, Candidate, allocate
from treasury_actors.arena.model.book import BookRecorded, read_book
from treasury_actors.arena.model.events import AgentBorn, CapitalRefused, FitnessRecorded, RoundHeld
from treasury_actors.arena.model.roster import Member
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.arena.ports import RosterKeeper
from treasury_actors.evolution.model.breeding import Birth, GenerationPlan, Living, plan_generation
from treasury_actors.ids import AgentId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.model.mandate import Limits, Mandate

RAISE_USD_MIN = 10
"""A raise of less is left in the pool: it would not be worth the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One living agent as a round finds it.

    Attributes:
        recalled: a withdrawal has asked capital back: what is left to it stays as it is.
    """

    member: Member
    units: int
    stale: bool
    recalled: bool

    @property
    def agent(self) -> AgentId:
        """Who it is."""
        return self.member.born.agent

    @property
    def mandate(self) -> Mandate:
        """Its mandate before the round."""
        assert self.member.mandate is not None, "a living agent has a mandate"
        return self.member.mandate


class Rounds:
    """Holds rounds on behalf of the arena."""

    def __init__(
        self,
        *,
        neighbours: Neighbours,
        rules: ArenaRules,
        capital: Capital,
        tracks: Tracks,
        arena: RosterKeeper,
    ) -> None:
        self._neighbours = neighbours
        self._rules = rules
        self._capital = capital
        self._tracks = tracks
        self._arena = arena

    async def hold(self, frame: MarketFrame) -> None:
        """Hold one round at the end of a turn."""
        number = len(self._arena.roster.rounds) + 1
        standings = [await self._standing(member, frame) for member in self._arena.roster.living()]
        board = self._judge(standings, frame)
        book = self._read_book(standings, frame)
        plan = await self._renew(standings, board, number, frame)
        for agent in plan.retire:
            await self._arena.retire(agent, f"culled by round {number}: among the least fit")
        newborns = [self._bear(birth, frame) for birth in plan.births]
        survivors = [s for s in standings if s.agent not in plan.retire]
        if self._rules.allocates:
            allocation = await self._allocate(survivors, newborns, board, book.copy_of)
        else:
            allocation = await self._keep(survivors)
        due, paid = await self._move_capital(number, survivors, newborns, allocation, frame)
        is_generation = bool(plan.retire) and bool(newborns)
        held = RoundHeld(
            number=number,
            turn=frame.index,
            generation=self._arena.roster.generations + is_generation,
            births=len(newborns),
            deaths=len(plan.retire),
            rebalanced=allocation.rebalanced,
            total_units=sum(units for _, units in allocation.targets) + allocation.reserve_units,
            reserve_units=allocation.reserve_units,
            paid_units=paid,
            due_units=due,
        )
        self._arena.record(held, why=f"round:{number}")

    async def _standing(self, member: Member, frame: MarketFrame) -> Standing:
        """Read what an agent has at this frame."""
        agent = member.born.agent
        units = self._capital.units(await self._capital.nav(agent, frame), frame)
        stale_ratio = await self._capital.stale_ratio(agent, frame)
        recalled = self._arena.roster.is_recalled(agent)
        if recalled and member.mandate is not None:
            units = max(0, units - member.mandate.due_units)  # what a withdrawal asked back is nobody's here
        return Standing(
            member=member,
            units=units,
            stale=stale_ratio > self._rules.stale_ratio_max,
            recalled=recalled,
        )

    def _judge(self, standings: list[Standing], frame: MarketFrame) -> FitnessBoard:
        """Compute every fitness from the record as it is now, then record it: never the reverse (I16)."""
        board = FitnessBoard()
        season = self._arena.roster.season
        assert season is not None, "a round is held in a season"
        for standing in standings:
            born, genome = standing.member.born, standing.member.genome
            key = FitnessKey(
                canonical_genome=genome.canonical,
                data_hash=season.data_hash,
                born_frame=born.turn,
                last_frame=max(born.turn, frame.index // DAY_FRAMES * DAY_FRAMES),
                fitness_version=FORMULA_VERSION[self._rules.formula],
                cost_model=self._rules.cost_model,
            )
            board.expect(standing.agent, key)
            evaluation = evaluate(
                self._tracks.of(standing.agent),
                canonical_genome=genome.canonical,
                data_hash=season.data_hash,
                cost_model=self._rules.cost_model,
                frame=frame.index,
                formula=self._rules.formula,
            )
            assert evaluation.computed_at_frame == frame.index, "I16: a fitness is computed, then recorded"
            board.record(standing.agent, evaluation)
            self._arena.record(_recorded(standing.agent, frame.index, evaluation))
        return board

    def _read_book(self, standings: list[Standing], frame: MarketFrame) -> BookRecorded:
        """Record what each agent adds to the others, and whose copy it is."""
        book = read_book(
            {standing.agent: self._tracks.of(standing.agent) for standing in standings},
            {standing.agent: standing.units for standing in standings},
            turn=frame.index,
            correlation_min_ppb=self._rules.allocation.copy_correlation_ppb,
        )
        if book.says_something:
            self._arena.record(book, why=f"round:{frame.index}")
        return book

    async def _renew(
        self, standings: list[Standing], board: FitnessBoard, number: int, frame: MarketFrame
    ) -> GenerationPlan:
        """Decide who goes and who comes."""
        if not self._rules.breeds:
            return GenerationPlan(retire=(), births=())
        season = self._arena.roster.season
        assert season is not None, "a round is held in a season"
        pool = await self._capital.pool_units()
        total = pool + sum(standing.units for standing in standings)
        free = pool - total * self._rules.allocation.reserve_ppb // PPB
        free -= await self._capital.missing_units()
        free = min(free, await self._capital.floor_room_units(self._rules, frame))
        fundable = max(0, free) // self._capital.units(self._rules.mandate_usd_min * MICRO_USD, frame)
        taken = len(standings) + len(self._arena.roster.frozen()) + len(self._arena.roster.closing())
        empty = max(0, self._rules.population - taken)
        return plan_generation(
            [
                Living(
                    agent=standing.agent,
                    genome=standing.member.genome,
                    born_frame=standing.member.born.turn,
                    evaluation=_as_judged(board.evaluation(standing.agent), stale=standing.stale),
                    generation=standing.member.born.generation,
                )
                for standing in standings
            ],
            families=self._neighbours.families,
            rules=self._rules.breeding,
            seed=season.seed,
            round_number=number,
            empty_slots=min(empty, fundable),
            history_h=self._neighbours.features.length,
        )

    def _bear(self, birth: Birth, frame: MarketFrame) -> AgentId:
        """Record a birth; the capital follows when it is allotted."""
        number = self._arena.roster.births + 1
        agent = AgentId(f"{birth.genome.family}-{number:04d}")
        born = AgentBorn(
            agent=agent,
            number=number,
            family=birth.genome.family,
            genes=birth.genome.genes,
            genome=birth.genome.id,
            turn=frame.index,
            generation=birth.generation,
            parents=birth.parents,
            operator=birth.operator,
        )
        self._arena.record(born, why=f"birth:{agent}")
        self._tracks.begin(agent, frame)
        return agent

    async def _allocate(
        self,
        survivors: list[Standing],
        newborns: list[AgentId],
        board: FitnessBoard,
        copy_of: dict[AgentId, AgentId],
    ) -> Allocation:
        """Decide what everybody shall have."""
        candidates = []
        for standing in survivors:
            merit_ppb, se_ppb = _merit(board.evaluation(standing.agent))
            candidates.append(
                Candidate(
                    agent=standing.agent,
                    merit_ppb=merit_ppb,
                    se_ppb=se_ppb,
                    current_units=standing.units,
                    drawdown_ratio=self._tracks.of(standing.agent).drawdown_ratio,
                    frozen=standing.stale or standing.recalled,
                    copy_of=copy_of.get(standing.agent),
                )
            )
        candidates += [
            Candidate(agent=agent, merit_ppb=None, se_ppb=0, current_units=0, drawdown_ratio=0.0)
            for agent in newborns
        ]
        total = await self._capital.pool_units() + sum(standing.units for standing in survivors)
        return allocate(candidates, total, self._rules.allocation)

    async def _keep(self, survivors: list[Standing]) -> Allocation:
        """Leave everybody what they have."""
        return Allocation(
            targets=tuple((standing.agent, standing.units) for standing in survivors),
            reserve_units=await self._capital.pool_units(),
            rebalanced=False,
        )

    async def _move_capital(
        self,
        number: int,
        survivors: list[Standing],
        newborns: list[AgentId],
        allocation: Allocation,
        frame: MarketFrame,
    ) -> tuple[int, int]:
        """
        Take what is too much, then give from what is in the pool; return (asked back, paid), in units.

        Raises are paid from money that is home already, newborns first: so until the next round nobody's
        capital depends on how fast another sells.
        """
        targets = dict(allocation.targets)
        limits = await self._limits([*(s.agent for s in survivors), *newborns], targets, number, frame)
        mandates: dict[AgentId, Mandate] = {}
        due_total = 0
        for standing in survivors:
            if standing.recalled:
                mandates[standing.agent] = replace(standing.mandate, limits=limits[standing.agent])
                continue
            cut = max(0, standing.units - targets[standing.agent])
            mandate = Mandate(
                agent=standing.agent,
                stage=standing.mandate.stage,
                status="active",
                due_units=cut,
                limits=limits[standing.agent],
            )
            due_total += cut
            mandates[standing.agent] = (
                await self._arena.collect(mandate, cut, frame, "round") if cut else mandate
            )
        await self._arena.set_mandates(list(mandates.values()))
        for agent in newborns:
            stage = self._rules.stage
            await self._arena.spawn(
                Mandate(agent=agent, stage=stage, status="active", due_units=0, limits=limits[agent])
            )
        paid = await self._pay(survivors, newborns, targets, allocation.reserve_units, frame)
        return due_total, paid

    async def _limits(
        self, agents: list[AgentId], targets: dict[AgentId, int], number: int, frame: MarketFrame
    ) -> dict[AgentId, Limits]:
        """Divide what all share among those who go on and those who come, until the next round (I12)."""
        gas_shares = await self._capital.gas_shares(self._rules, len(agents))
        total = self._capital.micro_usd(sum(targets.values()), frame)
        return {
            agent: self._rules.limits_for(
                self._capital.micro_usd(targets[agent], frame), total, gas_wei=gas_wei, gas_round=number
            )
            for agent, gas_wei in zip(agents, gas_shares, strict=True)
        }

    async def _pay(
        self,
        survivors: list[Standing],
        newborns: list[AgentId],
        targets: dict[AgentId, int],
        reserve_units: int,
        frame: MarketFrame,
    ) -> int:
        """Allot raises from what the pool has beyond the reserve; return the units paid."""
        missing = await self._capital.missing_units()
        in_pool = max(0, await self._capital.pool_units() - reserve_units - missing)
        room = await self._capital.floor_room_units(self._rules, frame)
        free = min(in_pool, room)
        has = {standing.agent: standing.units for standing in survivors}
        wanted = [(agent, targets[agent]) for agent in newborns]
        wanted += [(agent, targets[agent] - has[agent]) for agent in has if targets[agent] > has[agent]]
        newborn_min = self._capital.units(self._rules.mandate_usd_min * MICRO_USD, frame)
        raise_min = self._capital.units(RAISE_USD_MIN * MICRO_USD, frame)
        paid = 0
        for agent, units in wanted:
            given = min(units, free)
            if given < (newborn_min if agent in newborns else raise_min):
                if agent in newborns or units > raise_min:
                    self._refuse(agent, units, free, frame, at_floor=room < in_pool)
                continue
            before = await self._capital.nav(agent, frame)
            await self._capital.allot(agent, given, frame)
            after = await self._capital.nav(agent, frame)
            self._tracks.flow(agent, frame.index, before, after)
            self._arena.touch(agent)
            free -= given
            paid += given
        return paid

    def _refuse(self, agent: AgentId, wanted: int, free: int, frame: MarketFrame, *, at_floor: bool) -> None:
        """Record an allotment that the pool can't pay, or that would be too little to open a mandate with."""
        lacking: Literal["exceeds_pool", "runway_floor"] = "runway_floor" if at_floor else "exceeds_pool"
        refused = CapitalRefused(
            agent=agent,
            turn=frame.index,
            wanted_units=wanted,
            free_units=free,
            reason=lacking if wanted > free else "below_mandate_minimum",
        )
        self._arena.record(refused, why=f"round:{frame.index}")


def _as_judged(evaluation: Evaluation, *, stale: bool) -> Evaluation:
    """Return the evaluation that breeding goes by: one at stale prices is neither bred nor culled."""
    if not stale or isinstance(evaluation, Insufficient):
        return evaluation
    return Insufficient(
        key=evaluation.key,
        computed_at_frame=evaluation.computed_at_frame,
        blocks=evaluation.blocks,
        needed=evaluation.blocks,
    )


def _merit(evaluation: Evaluation) -> tuple[int | None, int]:
    """Return a fitness and its standard error; None and 0 while the record is too short."""
    match evaluation:
        case Fitness():
            return evaluation.value_ppb, evaluation.se_ppb
        case Insufficient():
            return None, 0
        case _:
            assert_never(evaluation)


def _recorded(agent: AgentId, turn: int, evaluation: Evaluation) -> FitnessRecorded:
    """Return the event of an evaluation."""
    value_ppb, se_ppb = _merit(evaluation)
    return FitnessRecorded(
        agent=agent,
        turn=turn,
        key=evaluation.key.digest,
        value_ppb=value_ppb,
        se_ppb=se_ppb,
        blocks=evaluation.blocks,
    )
