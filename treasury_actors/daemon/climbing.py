"""
Leads a living run up the ladder: at each day's close it demotes, executes what people approved, holds gates.

The same director as in a scripted season decides; here people are people, candidates are examined in a
process of their own, and operators are served meanwhile. Where frames do not wait (a chain), neither does a
day: a gate whose candidates are not examined yet is held at the close of a later one.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.stages import gates_hash
from treasury_actors.arena.ports import VerifiesSignature
from treasury_actors.clock import Clock
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.simulated_house import SimulatedHouse
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.windows import DAY_FRAMES
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.simulation.ladder.climb import Director
from treasury_actors.simulation.ladder.examining import ExaminerProcess
from treasury_actors.simulation.ladder.gatekeeper import PROOFS
from treasury_actors.simulation.ladder.plan import ClimbPlan
from treasury_actors.simulation.ladder.terms import ClimbTerms
from treasury_actors.simulation.run import RunPlan
from treasury_actors.wiring.house import House


@dataclass(slots=True)
class _Day:
    """A day that was closed and not yet acted upon."""

    house: House
    season: Season
    frame: MarketFrame


class Climbing:
    """Acts once a day, between two turns."""

    def __init__(
        self,
        terms: ClimbTerms,
        plan: RunPlan,
        simulated: SimulatedHouse,
        folder: Path,
        *,
        run: str,
        verify: VerifiesSignature,
        wall: Clock | None,
        waits: bool,
        log: Log,
    ) -> None:
        """
        Take what is needed.

        Args:
            run: its name, which every proposal carries; `wall`: by which a week is counted too.
            waits: whether a day waits for the records of its candidates.
        """
        self._terms = terms
        self._plan = plan
        self._simulated = simulated
        self._folder = folder
        self._run = run
        self._verify = verify
        self._wall = wall
        self._waits = waits
        self._log = log
        self._day: _Day | None = None
        self._examiner: ExaminerProcess | None = None
        self._director: tuple[House, Director] | None = None
        self._said = ""

    def __repr__(self) -> str:
        return f"<Climbing {self._examiner}{', a day is pending' if self.is_pending else ''}>"

    @property
    def is_pending(self) -> bool:
        """Say whether a day is closed and not acted upon yet."""
        return self._day is not None

    def close_day(self, house: House, season: Season, frame: MarketFrame) -> None:
        """Note that a turn was played: if it is the last of a day, there is something to do."""
        if frame.index > 0 and frame.index % DAY_FRAMES == 0:
            self._day = _Day(house, season, frame)

    async def step(self) -> None:
        """Act upon the closed day if all it goes by is known; else see to it, and return at once."""
        day = self._day
        if day is None:
            return
        roster_season = day.house.fold.records.roster.season
        assert roster_season is not None, "a day is one of a season"
        moment = roster_season.season, day.frame.index
        if self._simulated.is_behind(*moment):
            return
        if self._simulated.is_ahead(*moment):
            self._day = None  # it was acted upon before a restart: else nobody would have played on
            return
        director, examiner = self._directing(day)
        examiner.hear()
        self._tell(examiner)
        lacking = examiner.lacks(director.wanted(day.frame))
        if lacking and not examiner.is_over:
            examiner.ask(lacking)
            if self._waits:
                return
        self._day = None
        known = len(day.house.fold.records.promotions.by_id)
        await director.day(day.frame)
        await day.house.journal.flush()
        for proposed in list(day.house.fold.records.promotions.by_id.values())[known:]:
            told = proposed.proposed
            self._log.warning(
                "promotion_proposed", promotion=told.promotion, agents=len(told.agents), to=told.to_stage
            )

    def stop(self) -> None:
        """End the process that examines, if there is one."""
        if self._examiner is not None:
            self._examiner.stop()

    def standing(self) -> dict[str, object]:
        """Say how it is."""
        examiner = self._examiner
        return {
            "examined": examiner.tried if examiner else 0,
            "insufficient": (examiner.insufficient or None) if examiner else None,
            "failed": (examiner.failed or None) if examiner else None,
        }

    def _directing(self, day: _Day) -> tuple[Director, ExaminerProcess]:
        """Return who directs this house, and who examines for it; made when a house is new."""
        if self._director is None or self._director[0] is not day.house:
            self.stop()
            self._examiner = self._open_examiner(day)
            self._director = day.house, self._open_director(day, self._examiner)
        assert self._examiner is not None, "it comes with the director"
        return self._director[1], self._examiner

    def _open_examiner(self, day: _Day) -> ExaminerProcess:
        self._terms.check(day.season.label)
        job = replace(self._terms.job, before_ns=day.season.frame(0).time_ns)
        return ExaminerProcess(job, self._folder / PROOFS)

    def _open_director(self, day: _Day, examiner: ExaminerProcess) -> Director:
        """Return a director on what the journal says; refuse to go on by other gates."""
        house, terms = day.house, self._terms
        desk = ApprovalDesk(
            promotions=house.fold.records.promotions,
            journal=house.journal,
            clock=house.clock,
            verify=self._verify,
            gates_hash=gates_hash(terms.ladder),
            wall=self._wall,
        )
        refusal = desk.open_ladder()
        if refusal is not None:
            raise ConfigError(f"{self._folder}: {refusal.reason}: {refusal.detail}")
        plan = ClimbPlan(
            world=self._run,
            in_world=terms.job.in_world,
            seed=terms.job.seed,
            season=day.season,
            families=self._plan.families,
            paper=house.rules,
            money=house.rules,
            examiner=examiner,
            ladder=terms.ladder,
            demotion=terms.demotion,
            people=terms.scripted,
            listed=terms.listed,
            needed=terms.needed,
            config_hash=self._plan.config_hash,
            trims=False,
            top=terms.top,
        )
        simulated = self._simulated
        return Director(plan, money=house, paper=lambda: simulated.house, desk=desk, folder=self._folder)

    def _tell(self, examiner: ExaminerProcess) -> None:
        """Say once that nobody can be examined here, and why."""
        why = examiner.insufficient or examiner.failed
        if why and why != self._said:
            self._said = why
            kind = "insufficient" if examiner.insufficient else "examiner_failed"
            self._log.warning(kind, why=why, still="nobody is proposed")
