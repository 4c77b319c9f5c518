"""Loading a user's strategy, writing the first one, and the checks that name what is wrong."""

from math import inf, nan
from pathlib import Path

import pytest

from tests.unit.agents.markets import ask, market
from treasury_actors.agents.adapters.strategy_file import load_strategy
from treasury_actors.agents.adapters.strategy_template import new_strategy
from treasury_actors.agents.model.checks import checked_targets, family_problem, genome_problem
from treasury_actors.agents.model.view import KEEP
from treasury_actors.agents.registry import SHIPPED, families
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.shipped import MAINNET

SHIPPED_NAMES = families(MAINNET).keys()
TREND = next(family for family in SHIPPED if family.id == "trend")


def saved(folder: Path, text: str, name: str = "mine") -> Path:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    """Return the one line that a file is refused with."""
    with pytest.raises(ConfigError) as caught:
        load_strategy(path, SHIPPED_NAMES)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name in line
    return line


def test_the_new_strategy_loads_and_trades(tmp_path: Path) -> None:
    family = load_strategy(saved(tmp_path, new_strategy("mine")), SHIPPED_NAMES)
    assert family.id == "mine"
    assert family.assets(MAINNET) == ("WETH", "aUSDC")
    assert [(gene.name, gene.unit, gene.low, gene.high) for gene in family.genes] == [
        ("mean_h", "h", 24, 720),
        ("size_bps", "bps", 1_000, 9_000),
    ]
    assert family_problem(family) is None
    assert family.warmup_h((24, 5_000)) == 96
    rising = market(30, prices={"WETH": [3_000.0 + hour for hour in range(30)]})
    falling = market(30, prices={"WETH": [3_000.0 - hour for hour in range(30)]})
    assert ask(family, (24, 5_000), rising) == [0.5, 0.5]
    assert ask(family, (24, 5_000), falling) == [0.0, 1.0]
    assert ask(family, (48, 5_000), rising) == KEEP


def test_the_new_strategy_is_short() -> None:
    lines = new_strategy("mine").splitlines()
    assert sum(1 for line in lines if line.strip()) <= 24


def test_a_new_strategy_needs_a_name_a_family_can_have() -> None:
    for name in ("Mine", "1st", "a", "my-own", "x" * 32):
        with pytest.raises(ConfigError, match="strategy name"):
            new_strategy(name)


def test_a_file_may_not_take_the_name_of_a_shipped_family(tmp_path: Path) -> None:
    assert "trend ships already" in refusal(saved(tmp_path, new_strategy("trend"), "trend"))


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert "no strategy file" in refusal(tmp_path / "absent.py")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("def decide(", "def decides(", "name 'decide' is not defined"),
        ("FAMILY = define(", "FAMILI = define(", "has no FAMILY"),
        ("Between(24, 720)", "Between(24, 721)", "allowed 0 to 2880"),
        ("Between(24, 720)", "Between(720, 24)", "gene mean_h: range 720 to 24"),
        ("Annotated[int, Between(24, 720)]", "int", "gene mean_h: give its range"),
        ("size_bps", "size_percent", "gene size_percent: end its name in its unit"),
        ("view: View, genome: Genome)", "view: View)", "decide must take (state, view, genome)"),
        ("class Genome(NamedTuple):", "class Genome(NamedTuple:", "SyntaxError"),
        ("from typing import", "from typings import", "ModuleNotFoundError"),
        (
            '"""Hold WETH while its price is above its mean; lend at Aave what isn\'t in WETH."""',
            "",
            "no story",
        ),
    ],
)
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = new_strategy("mine")
    assert old in text
    assert reason in refusal(saved(tmp_path, text.replace(old, new)))


def test_a_file_with_a_name_no_family_can_have_is_refused(tmp_path: Path) -> None:
    assert "use 2 to 31 of a-z" in refusal(saved(tmp_path, new_strategy("mine"), "Mine"))


def test_an_asset_the_universe_lacks_is_named(tmp_path: Path) -> None:
    text = new_strategy("mine").replace('("WETH", "aUSDC")', '("DOGE", "aUSDC")')
    family = load_strategy(saved(tmp_path, text), SHIPPED_NAMES)
    with pytest.raises(ConfigError, match="asset DOGE: not in the universe mainnet"):
        family.assets(MAINNET)


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        ([0.5], "1 weights for 2 slots"),
        ([0.5, nan], "weight of slot 1 is nan"),
        ([inf, 0.0], "weight of slot 0 is inf"),
        ([-0.1, 0.5], "below 0"),
        ([0.5, 0.500001], "more than 1"),
    ],
)
def test_an_answer_out_of_range_is_refused_by_name(targets: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        checked_targets(targets, 2)


def test_keep_and_weights_in_range_pass() -> None:
    assert checked_targets(KEEP, 2) == []
    assert checked_targets([0.5, 0.5 + 1e-10], 2) == [0.5, 0.5 + 1e-10]


def test_a_gene_out_of_range_is_named_with_its_range() -> None:
    genes = tuple(gene.low for gene in TREND.genes)
    assert genome_problem(TREND, genes) is None
    assert genome_problem(TREND, (5, *genes[1:])) == "trend: gene fast_h is 5; allowed 6 to 168"
    assert genome_problem(TREND, genes[1:]) == "trend: 7 genes, but the family has 8"
    assert "whole numbers" in str(genome_problem(TREND, (True, *genes[1:])))
