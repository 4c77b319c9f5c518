"""The check of a strategy file catches what it is there for, and lets pass what is honest."""

import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from treasury_actors.agents.adapters.strategy_template import new_strategy
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import SHIPPED
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import ConfigError
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.strategy_check import CheckPlan, check_family, check_strategy, judge_latency
from treasury_actors.simulation.strategy_report import NOTE, CheckReport
from treasury_actors.simulation.strategy_source import outside_sources
from treasury_actors.simulation.strategy_trace import default_rules, live, load

CATALOGUE = Path(__file__).parent / "strategies"
IN_PROCESSES = {"honest", "goes_by_hash", "draws"}
PLAN = CheckPlan(days=15, warmup_h=960, odd_frames=1_000, cuts=(0.3, 0.7), clock=VirtualClock())


@cache
def report(name: str) -> CheckReport:
    """Return the report on a strategy of the catalogue."""
    plan = replace(PLAN, processes=name in IN_PROCESSES)
    return check_strategy(CATALOGUE / f"{name}.py", plan)


def failed(name: str) -> list[str]:
    return [check.name for check in report(name).checks if not check.passed]


def test_an_honest_strategy_passes_every_check() -> None:
    found = report("honest")

    assert found.passed, found.lines()
    assert {check.verdict for check in found.checks} <= {"passed", "info"}, found.lines()


def test_the_strategy_that_a_newcomer_starts_from_passes(tmp_path: Path) -> None:
    path = tmp_path / "my_idea.py"
    path.write_text(new_strategy("my_idea"))

    found = check_strategy(path, replace(PLAN, processes=False))

    assert found.passed, found.lines()


@pytest.mark.parametrize(
    ("name", "caught_by"),
    [
        ("peeks_ahead", {"sources", "no peek"}),
        ("remembers_future", {"repeats", "no peek"}),
        ("brings_the_future", {"sources"}),
        ("finds_the_future", {"sources"}),
        ("draws", {"sources", "repeats", "two processes"}),
        ("reads_the_clock", {"sources", "repeats"}),
        ("goes_by_hash", {"sources", "two processes"}),
        ("no_number", {"odd data"}),
        ("too_much", {"runs", "odd data"}),
        ("crashes", {"odd data"}),
        ("understates_its_span", {"warm-up"}),
        ("odd_state", {"runs", "odd data"}),
    ],
)
def test_a_bad_strategy_is_caught(name: str, caught_by: set[str]) -> None:
    assert caught_by <= set(failed(name)), report(name).lines()


@pytest.mark.parametrize("name", ["calendar", "still", "trades_hourly"])
def test_what_should_be_understood_is_a_warning_and_fails_nothing(name: str) -> None:
    found = report(name)

    assert found.passed, found.lines()
    assert any(check.verdict == "warning" for check in found.checks), found.lines()


def test_a_strategy_that_is_blind_to_prices_is_told_apart_from_one_that_holds_still() -> None:
    assert "calendar" in report("calendar").check("looks").words
    assert "holds still" in report("still").check("looks").words


def test_costs_that_eat_the_capital_are_a_warning() -> None:
    found = report("trades_hourly").check("costs")

    assert found.verdict == "warning"
    assert "$1,000: " in found.figure


@pytest.mark.parametrize(
    ("gain", "late_gain", "verdict"),
    [
        (0.02, 0.019, "passed"),
        (0.02, 0.011, "passed"),
        (0.02, 0.009, "warning"),
        (0.02, -0.05, "warning"),
        (0.0, -0.05, "info"),
        (-0.02, 0.05, "info"),
    ],
)
def test_an_edge_that_an_hour_takes_away_is_called_fragile(
    gain: float, late_gain: float, verdict: str
) -> None:
    found = judge_latency(gain, late_gain)

    assert found.verdict == verdict
    assert ("FRAGILE" in found.words) == (verdict == "warning")


def test_one_frame_of_lag_is_one_frame_later_news() -> None:
    """The strategy answers to the last hour's move alone, so its answers come an hour later."""
    season = generate_season(universe=MAINNET, seed=1, days=5, warmup_h=24)
    family = load(CATALOGUE / "trades_hourly.py")
    at_once, late = (
        live(family, [(5,)], season, default_rules(), lag_frames=lag)[0].decisions for lag in (0, 1)
    )

    assert [d.targets for d in late[1:]] == [d.targets for d in at_once[:-1]]
    assert [d.targets for d in late] != [d.targets for d in at_once]


@pytest.mark.parametrize("family", SHIPPED, ids=lambda family: family.id)
def test_every_shipped_family_passes(family: Family) -> None:
    found = check_family(family, PLAN)

    assert found.passed, found.lines()
    assert outside_sources(Path(family.decide.__code__.co_filename)) == []


def test_every_report_says_that_it_checks_the_code_and_not_the_idea() -> None:
    lines = report("honest").lines()

    assert lines[-1] == NOTE
    assert "the code, not the idea" in NOTE
    assert len(lines) == len(report("honest").checks) + 1


def test_a_file_that_offers_no_strategy_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("x = 1\n")

    with pytest.raises(ConfigError, match="no function decide"):
        check_strategy(path, PLAN)


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import numpy as np",
        "from random import random",
        "from treasury_actors.market.adapters.generated import generate_season",
        "from math import exp",
        "from . import other",
        "x = open('prices.csv')",
        "y = math.log(2.0)",
        "z = view._features",
        "w = getattr(view, name)",
        "def f():\n    global seen",
    ],
)
def test_a_line_that_reaches_beyond_the_view_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "reaches.py"
    path.write_text(line + "\n")

    assert len(outside_sources(path)) == 1


def test_what_a_strategy_may_use_is_not_named(tmp_path: Path) -> None:
    path = tmp_path / "modest.py"
    shutil.copy(CATALOGUE / "honest.py", path)
    with path.open("a") as file:
        file.write("import math\nx = math.sqrt(2.0)\nfrom math import inf, nan\ny = state._replace(x=1.0)\n")

    assert outside_sources(path) == []
