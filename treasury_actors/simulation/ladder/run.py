"""Two houses on the same frames: one on paper, one with money; between them only genomes and evidence."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.stages import gates_hash
from treasury_actors.clock import Clock, VirtualClock
from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.evolution.model.windows import DAY_FRAMES
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.folder import FolderLock
from treasury_actors.market.model.features import Features
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.backtest import check_empty
from treasury_actors.simulation.conductor import Conductor
from treasury_actors.simulation.ladder.audit import Audit
from treasury_actors.simulation.ladder.climb import Director
from treasury_actors.simulation.ladder.people import ScriptedKeys
from treasury_actors.simulation.ladder.plan import ClimbPlan
from treasury_actors.simulation.run import open_journal
from treasury_actors.simulation.sabotage import Sabotaged
from treasury_actors.wiring.fold import Fold, Records
from treasury_actors.wiring.house import House, WrapAgent, open_house

PAPER_FOLDER = "sim"
CRASHES_NUMBER, CRASHES_AFTER_H = 2, 121
"""The second agent of each house dies of an injected crash so long after its birth, and is restarted."""

Progress = Callable[[int, int, str], None]
"""Told (days played, days, what is where) at each day's close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """
    A climb that is over: what each journal says, and what an independent audit of each found.

    Attributes:
        last_frame: of the season, as far as it was played.
    """

    plan: ClimbPlan
    folder: Path
    director: Director
    money: Records
    paper: Records
    money_audit: Audit
    paper_audit: Audit
    last_frame: int


def crash_once(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
    """Return the agent, made to crash at one frame if it is the one the script chose."""
    if spec.agent.rpartition("-")[2] == f"{CRASHES_NUMBER:04d}":
        return Sabotaged(agent, frame=spec.born_turn + CRASHES_AFTER_H)
    return agent


async def climb(plan: ClimbPlan, folder: Path, *, clock: Clock, progress: Progress) -> Climbed:
    """
    Play a climb in a new folder, to the end of its season or a month after the last rung is full.

    Raises:
        ConfigError: the folder is not empty.
        InvariantViolated: a replay of a journal is not what was lived.
    """
    check_empty(folder)
    with FolderLock(folder) as lock, FolderLock(folder / PAPER_FOLDER) as paper_lock:
        async with (
            open_journal(lock.folder, clock=clock, durable=False, epoch=lock.epoch) as money_journal,
            open_journal(
                paper_lock.folder, clock=clock, durable=False, epoch=paper_lock.epoch
            ) as paper_journal,
        ):
            async with (
                _house(plan, plan.money, money_journal, clock, crash_once) as money,
                _house(plan, plan.paper, paper_journal, clock, crash_once) as paper,
            ):
                director, last = await _play(plan, money, paper, lock.folder, progress)
            return Climbed(
                plan=plan,
                folder=folder,
                director=director,
                money=_replayed(plan, money_journal, money),
                paper=_replayed(plan, paper_journal, paper),
                money_audit=Audit().read(money_journal.read()),
                paper_audit=Audit().read(paper_journal.read()),
                last_frame=last,
            )


async def _play(
    plan: ClimbPlan, money: House, paper: House, folder: Path, progress: Progress
) -> tuple[Director, int]:
    """Play both houses frame by frame; the director acts at the close of each day."""
    season = plan.season
    desk = ApprovalDesk(
        promotions=money.fold.records.promotions,
        journal=money.journal,
        clock=money.clock,
        verify=ScriptedKeys(plan.people),
        gates_hash=gates_hash(plan.ladder),
    )
    conductors = (Conductor(paper), Conductor(money))
    for conductor in conductors:
        await conductor.open_season(season, number=1, seed=plan.seed, config_hash=plan.config_hash)
    refusal = desk.open_ladder()
    if refusal is not None:
        raise ConfigError(f"{folder}: {refusal.reason}: {refusal.detail}")
    director = Director(plan, money=money, paper=lambda: paper, desk=desk, folder=folder)
    index = 0
    for index in range(season.frame_count):
        frame = season.frame(index)
        for conductor in conductors:
            await conductor.turn(frame)
        if index > 0 and index % DAY_FRAMES == 0:
            await director.day(frame)
            await money.journal.flush()
            progress(index // DAY_FRAMES, season.frame_count // DAY_FRAMES, _where(director))
            if director.is_done:
                break
    for conductor in conductors:
        await conductor.close_season(season.frame(index))
    return director, index


def _where(director: Director) -> str:
    """Return who is where, for a progress line."""
    return " ".join(f"{stage}:{log.active_max}" for stage, log in director.logs.items())


@asynccontextmanager
async def _house(
    plan: ClimbPlan, rules: HouseRules, journal: SqliteJournal, clock: Clock, wrap_agent: WrapAgent
) -> AsyncIterator[House]:
    """Open a house of its own journal and ledger on the plan's season."""
    season = plan.season
    features = Features(season.universe)
    for index in range(-season.warmup_count, 0):
        features.append(season.frame(index))
    async with open_house(
        rules=rules,
        families=plan.families,
        fold=Fold(season=season, lending_benchmark=rules.arena.lending_benchmark),
        features=features,
        journal=journal,
        turn_clock=VirtualClock(season.frame(0).time_ns),
        host_clock=clock,
        wrap_agent=wrap_agent,
    ) as house:
        yield house


def _replayed(plan: ClimbPlan, journal: SqliteJournal, house: House) -> Records:
    """Fold a journal from nothing; it must give what was lived (I7)."""
    records = Records.empty(plan.season.universe)
    for recorded in journal.read():
        records.apply(recorded.event)
    live = house.fold.records
    if records.state_hash != live.state_hash or records.promotions != live.promotions:
        raise InvariantViolated(f"I7: replay gives {records.state_hash}, live is {live.state_hash}")
    records.verify()
    return records
