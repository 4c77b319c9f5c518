"""A run: one folder, one journal, one season after another, from wherever the journal ends."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Literal, Protocol

import anyio

from treasury_actors.agents.model.family import Family
from treasury_actors.clock import Clock, VirtualClock
from treasury_actors.ids import FamilyId
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.ports import Journal
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.conductor import Conductor
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.wiring.chain_access import ChainAccess
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import House, WrapAgent, open_house

JOURNAL_NAME = "journal.db"


class Surroundings(Protocol):
    """What a house that trades on a chain stands in: in a rehearsal somebody moves it."""

    @property
    def chain(self) -> ChainAccess:
        """What the house needs of it."""
        ...

    async def opened(self, house: House) -> None:
        """Do what follows an opened season, before its first turn."""
        ...

    async def before_turn(self, frame: MarketFrame) -> None:
        """Let the chain get to where this frame is true."""
        ...

    async def after_turn(self, frame: MarketFrame) -> None:
        """Let the chain do what the turn sent."""
        ...


AfterTurn = Callable[[House, Season, MarketFrame], Awaitable[bool]]
"""Called between turns; may take its time and talk to the actors. False ends the run after this turn."""

SeasonEnd = Literal["finished", "interrupted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """
    What a run plays.

    Attributes:
        rules: made for a seed, because each season has its own.
        wrap_agent: an injected fault, if any.
    """

    recipe: SeasonRecipe
    rules: Callable[[int], HouseRules]
    families: Mapping[FamilyId, Family]
    config_hash: str
    wrap_agent: WrapAgent | None = None


def in_simulated_time(plan: RunPlan) -> RunPlan:
    """
    Return a plan in which no clock of the host counts: its pauses are no events of a season that has passed.

    Else a busy machine would change the bytes of a journal that the same inputs must give again.
    """

    def rules(seed: int) -> HouseRules:
        made = plan.rules(seed)
        return replace(made, supervision=replace(made.supervision, pause_s=inf))

    return replace(plan, rules=rules)


@dataclass(slots=True, kw_only=True)
class SeasonState:
    """A season and what the journal already says about it."""

    number: int
    recipe: SeasonRecipe
    season: Season
    fold: Fold
    is_open: bool
    is_closed: bool


def last_event_ns(journal: Journal) -> int:
    """Return the time of the last event; 0 in an empty journal."""
    return next((recorded.time_ns for recorded in journal.read(journal.head[0])), 0)


async def play_season(
    plan: RunPlan,
    state: SeasonState,
    journal: Journal,
    *,
    host_clock: Clock,
    after_turn: AfterTurn,
    last_event_ns: int,
    surroundings: Surroundings | None = None,
    go_on: AfterTurn | None = None,
) -> SeasonEnd:
    """
    Play a season from where its fold ends to its last frame, or until `after_turn` says no.

    The features are rebuilt from the frames; agents go on from their last journalled state.

    Args:
        go_on: after a restart, called with the last turn of before, where the frame after it may be still to
            come.
    """
    rules = plan.rules(state.recipe.seed)
    season, fold = state.season, state.fold
    features = Features(season.universe)
    for index in range(-season.warmup_count, fold.turn + 1):
        features.append(season.frame(index))
    async with open_house(
        rules=rules,
        families=plan.families,
        fold=fold,
        features=features,
        journal=journal,
        turn_clock=VirtualClock(last_event_ns),
        host_clock=host_clock,
        wrap_agent=plan.wrap_agent,
        chain=surroundings.chain if surroundings else None,
    ) as house:
        conductor = Conductor(house)
        if not state.is_open:
            await conductor.open_season(
                season, number=state.number, seed=state.recipe.seed, config_hash=plan.config_hash
            )
            state.is_open = True
            if surroundings:
                await surroundings.opened(house)
        elif go_on is not None and not await go_on(house, season, season.frame(fold.turn)):
            return "interrupted"
        for index in range(fold.turn + 1, season.frame_count):
            frame = season.frame(index)
            if surroundings:
                await surroundings.before_turn(frame)
            await conductor.turn(frame)
            if surroundings:
                await surroundings.after_turn(frame)
            if not await after_turn(house, season, frame):
                return "interrupted"
        await conductor.close_season(season.frame(season.frame_count - 1))
        state.is_closed = True
    return "finished"


@asynccontextmanager
async def open_journal(
    folder: Path, *, clock: Clock, durable: bool, epoch: int
) -> AsyncIterator[SqliteJournal]:
    """
    Open the journal of a run folder, and let go of it whatever happens.

    Left by an exception, what was not flushed is dropped: it is part of a turn that was never finished, and a
    start from half a turn would not go on as the whole one does.
    """
    journal = await SqliteJournal.open(folder / JOURNAL_NAME, clock=clock, durable=durable, epoch=epoch)
    try:
        yield journal
    except BaseException:
        with anyio.CancelScope(shield=True):
            await journal.abandon()
        raise
    await journal.close()
