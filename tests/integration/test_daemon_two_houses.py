"""Two houses in one daemon: one with money, one on paper; what happens in the second stays there."""

import signal
import subprocess
from dataclasses import fields, replace
from pathlib import Path
from shutil import rmtree

import pytest

from tests.integration.test_daemon_kill import end, start
from tests.unit.daemon.driver import folded, play, small_run
from tests.unit.daemon.living import count, living
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.simulated_house import FOLDER
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.breeding import BreedingRules
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.verify import verify
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

CLOCK = WallClock()
AGENTS, SIMULATED = 5, 12
FAST_X = 3_600.0 * 300
KILL_AFTER_S = (0.3, 0.5)
DAYS, SLOWLY_X = 8, 3_600.0 * 60


def two_houses(*, days: int = 9, round_h: int = 48) -> Prepared:
    return small_run(days=days, agents=AGENTS, simulated=SIMULATED, round_h=round_h)


def alone(*, days: int = 9, round_h: int = 48) -> Prepared:
    """Return the same run without its house on paper."""
    return replace(two_houses(days=days, round_h=round_h), simulated=None)


def entries(folder: Path) -> list[tuple[str, str]]:
    """Return all that money, mandates and agents did, word for word; not what became of the process."""
    with open_readonly(folder / JOURNAL_NAME) as journal:
        return [(each.type, each.payload) for each in journal.read() if each.stream != "daemon"]


async def test_both_houses_play_the_same_frames_and_the_one_on_paper_breeds(tmp_path: Path) -> None:
    end_of = await play(two_houses(days=33), tmp_path)

    money, paper = folded(tmp_path), folded(tmp_path / FOLDER)
    manifest = read_manifest(tmp_path / FOLDER)
    assert end_of.kind == "finished"
    assert paper.types[0] == "daemon.simulation_begun.v1"
    assert paper.records.roster.closed_season == money.records.roster.closed_season == 1
    assert len(paper.records.roster.rounds) == 16
    assert paper.records.roster.births > SIMULATED
    assert SIMULATED - 2 <= len(paper.records.roster.living()) <= SIMULATED
    assert paper.records.book.imbalances() == []
    assert manifest is not None
    assert manifest.run_id.endswith("-sim")


async def test_the_house_with_money_is_word_for_word_what_it_is_without_one_on_paper(tmp_path: Path) -> None:
    beside, lone = tmp_path / "beside", tmp_path / "lone"
    await play(two_houses(), beside)
    await play(alone(), lone)

    assert entries(beside) == entries(lone)


async def test_two_runs_of_both_houses_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        await play(two_houses(days=3), folder)

    assert folded(first).head == folded(second).head
    assert entries(first / FOLDER) == entries(second / FOLDER)


class Burning(ArenaRules):
    """The rules of an arena that dies of its first round: a core actor, and with it the house."""

    @property
    def breeding(self) -> BreedingRules:
        raise RuntimeError("the paper house is on fire")


def burning(prepared: Prepared, *, in_a_round: bool) -> Prepared:
    """Return the run with a house on paper that dies: of its first round, or before it could open."""
    plan = prepared.simulated
    assert plan is not None

    def rules(seed: int) -> HouseRules:
        if not in_a_round:
            raise RuntimeError("the paper house is on fire")
        made = plan.rules(seed)
        arena = Burning(**{each.name: getattr(made.arena, each.name) for each in fields(made.arena)})
        return replace(made, arena=arena)

    return replace(prepared, simulated=replace(plan, rules=rules))


@pytest.mark.parametrize("where", ["at its start", "in a round"])
async def test_a_house_on_paper_that_dies_costs_the_one_with_money_nothing(
    tmp_path: Path, where: str
) -> None:
    """It is closed, journalled and told; at the next start it lives again and plays what it missed."""
    burnt, lone, whole = tmp_path / "burnt", tmp_path / "lone", tmp_path / "whole"
    async with living(burning(two_houses(), in_a_round=where == "in a round"), burnt, speed_x=FAST_X) as run:
        await run.reach(100)
        status = await operate.status(burnt)
    closed = folded(burnt)
    await play(two_houses(), burnt)
    await play(alone(), lone)
    await play(two_houses(), whole)

    simulation = status["simulation"]
    assert isinstance(simulation, dict)
    assert simulation["state"] == "closed"
    assert "on fire" in simulation["why"]
    assert status["trading"] == {"state": "active", "reason": "", "epoch": 0}
    assert count(closed, "daemon.simulation_closed.v1") == 1
    assert entries(burnt) == entries(lone)
    assert folded(burnt / FOLDER).state_hash == folded(whole / FOLDER).state_hash


def test_both_houses_killed_at_random_moments_end_as_if_they_had_not_been(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert end(start(whole, days=DAYS, simulated=SIMULATED)) == (0, "finished")

    for seconds in KILL_AFTER_S:
        process = start(killed, days=DAYS, simulated=SIMULATED, speed_x=SLOWLY_X)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        assert end(process)[0] == -signal.SIGKILL
    assert end(start(killed, days=DAYS, simulated=SIMULATED)) == (0, "finished")

    for house in (".", FOLDER):
        assert folded(killed / house).state_hash == folded(whole / house).state_hash
        assert folded(killed / house).records.book.imbalances() == []
        assert verify(killed / house / JOURNAL_NAME).events == folded(killed / house).head[0]


async def test_status_tells_how_far_the_house_on_paper_is(tmp_path: Path) -> None:
    async with living(two_houses(), tmp_path) as run:
        await run.reach(5)
        found = await operate.status(tmp_path)
        paper = await operate.status(tmp_path / FOLDER)

    simulation = found["simulation"]
    assert isinstance(simulation, dict)
    assert (simulation["state"], simulation["season"], simulation["agents"]) == ("playing", 1, SIMULATED)
    assert found["agents"] == {"living": AGENTS, "closing": 0, "born": AGENTS}
    assert paper["agents"] == {"living": SIMULATED, "closing": 0, "born": SIMULATED}
    assert paper["label"] == "GENERATED"


async def test_nobody_plays_with_money_in_a_journal_of_simulated_agents(tmp_path: Path) -> None:
    await play(two_houses(days=1), tmp_path)
    paper = tmp_path / FOLDER

    with pytest.raises(ConfigError, match="begun with another config"):
        await play(alone(days=1), paper)
    with pytest.raises(ConfigError, match="one of simulated agents: nothing there is money"):
        await play(alone(days=1), paper, accept_upgrade=True)


async def test_a_journal_that_is_not_of_simulated_agents_is_no_house_on_paper(tmp_path: Path) -> None:
    async with living(two_houses(days=1), tmp_path, speed_x=FAST_X):
        pass
    rmtree(tmp_path / FOLDER)
    await play(alone(days=1), tmp_path / FOLDER)
    before = verify(tmp_path / FOLDER / JOURNAL_NAME).events

    end_of = await play(two_houses(days=1), tmp_path)

    with open_readonly(tmp_path / JOURNAL_NAME) as journal:
        why = [each.payload for each in journal.read() if each.type == "daemon.simulation_closed.v1"]
    assert end_of.kind == "finished"
    assert len(why) == 1
    assert "not one of simulated agents" in why[0]
    assert verify(tmp_path / FOLDER / JOURNAL_NAME).events == before
