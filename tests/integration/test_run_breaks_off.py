"""A core actor that dies in the middle of a turn: its file has whole turns only, and is lived on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.houses import rules, season
from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import Agent, AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.agents.registry import families
from treasury_actors.clock import VirtualClock, WallClock
from treasury_actors.errors import InvariantViolated
from treasury_actors.journal.event import Recorded
from treasury_actors.journal.reader import ReadonlyJournal
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.run import JOURNAL_NAME, RunPlan, open_journal, play_season
from treasury_actors.trading.messages import SubmitOrders
from treasury_actors.wiring.house import House, WrapAgent

DAYS, AGENTS = 10, 8
FATAL = 48
"""At the end of a day every agent's state is recorded before the orders are taken."""


class Poisoning(Actor[AgentMessage]):
    """An agent that once sends the engine what is no order."""

    def __init__(self, agent: Actor[AgentMessage]) -> None:
        self._agent = agent

    async def started(self) -> None:
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        if message.frame.index == FATAL:
            assert isinstance(self._agent, Agent)
            self._agent._engine.tell(SubmitOrders(agent=self._agent._spec.agent, orders=(None,)))  # type: ignore[arg-type]  # that is the poison
        return await self._agent.receive(message)

    async def stopped(self) -> None:
        await self._agent.stopped()


def poison(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
    return Poisoning(agent)


async def play(folder: Path, *, wrap: WrapAgent | None, seen: Callable[[int], None]) -> None:
    """Play the season in a folder, from wherever its journal ends."""
    plan = RunPlan(
        recipe=SeasonRecipe(seed=7, days=DAYS, warmup_h=1_200),
        rules=lambda _: rules(AGENTS),
        families=families(MAINNET),
        config_hash="test",
        wrap_agent=wrap,
    )

    async def after_turn(_house: House, _season: Season, frame: MarketFrame) -> bool:
        seen(frame.index)
        return True

    async with open_journal(folder, clock=WallClock(), durable=False, epoch=1) as journal:
        state = find_season(plan, journal, season(DAYS))
        last_ns = max((recorded.time_ns for recorded in journal.read()), default=0)
        await play_season(
            plan, state, journal, host_clock=VirtualClock(), after_turn=after_turn, last_event_ns=last_ns
        )


def events(folder: Path) -> list[Recorded]:
    with ReadonlyJournal(folder / JOURNAL_NAME) as reader:
        return list(reader.read(1))


async def test_a_turn_in_which_the_engine_died_never_happened_and_the_run_goes_on(tmp_path: Path) -> None:
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    turns: list[int] = []
    await play(tmp_path / "whole", wrap=None, seen=lambda _: None)
    with pytest.raises(InvariantViolated, match="a core actor died of AttributeError"):
        await play(tmp_path / "broken", wrap=poison, seen=turns.append)

    whole = events(tmp_path / "whole")
    before_ns = season(DAYS).frame(FATAL).time_ns
    assert turns[-1] == FATAL - 1
    assert [e for e in whole if e.time_ns == before_ns], "there was something to drop"
    assert events(tmp_path / "broken") == [e for e in whole if e.time_ns < before_ns]
    await play(tmp_path / "broken", wrap=None, seen=turns.append)
    assert turns[-1] == season(DAYS).frame_count - 1  # quiet frames are played again
    assert events(tmp_path / "broken") == whole
