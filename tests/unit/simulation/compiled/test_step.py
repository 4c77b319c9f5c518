"""A user's `decide` in machine code: what it may say there, and what is left to plain calls."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.simulation.compiled.genomes import genomes_of, window_of
from tests.unit.simulation.houses import house_rules, world
from treasury_actors.agents.adapters.strategy_file import load_strategy
from treasury_actors.agents.model.family import Family
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.compiled.evaluator import CompiledEvaluator
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.evidence.plain import PlainEvaluator

pytest.importorskip("numba", reason="numba is not installed: nothing is compiled")

from treasury_actors.simulation.compiled import jit
from treasury_actors.simulation.compiled.batch import step_of
from treasury_actors.simulation.compiled.step import make_step

pytestmark = pytest.mark.timeout(600)
"""Whoever is first makes the machine code, which takes a while on a busy machine."""
ZOO = Path(__file__).parents[1] / "strategies"
RESTLESS = {"draws", "goes_by_hash", "reads_the_clock", "remembers_future"}
ALIKE = sorted(path for path in ZOO.glob("*.py") if path.stem not in RESTLESS)
Write = Callable[[str, str], Family]
HEAD = '''"""A story."""

from math import exp, isnan, nan, sqrt
from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(2, 240)]
    every_h: Annotated[int, Between(1, 24)]


class State(NamedTuple):
    peak_usd: float = 0.0


'''
TAIL = """

FAMILY = define(
    __file__, story=__doc__, genome=Genome, state=State, decide=decide, assets=("WETH", "aUSDC")
)
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, body: str) -> Family:
        path = tmp_path / f"{name}.py"
        path.write_text(f"{HEAD}{body}{TAIL}")
        return load_strategy(path, ())

    return written


def check_same(family: Family, *, compiles: bool) -> None:
    """Check that a family fares alike in both, and whether machine code can have it."""
    past = History(season=world(days=12, warmup_h=960))
    known, rules = {family.id: family}, house_rules()
    genomes, window = genomes_of(family, 6), window_of(past, first_frame=24, days=10)
    compiled, plain = CompiledEvaluator(past, known, rules), PlainEvaluator(past, known, rules)

    courses = plain(genomes, window)

    assert compiled(genomes, window) == courses
    assert (make_step(family, len(family.assets(MAINNET))) is not None) is compiles
    if compiles and not any(course.death for course in courses):
        assert compiled.compiled(genomes, window) == courses
        assert any(course.trades for course in courses)


def test_a_strategy_of_helpers_tuples_and_loops_fares_alike(write: Write) -> None:
    body = """
LEAST = 0.05
SHARES = (0.2, 0.5, 0.8)


def clipped(value: float, low: float = 0.0, *, high: float = 1.0) -> float:
    return max(low, min(high, value))


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    if view.frame % genome.every_h != 0:
        return state, KEEP
    price = view.price_usd(0)
    peak = max(state.peak_usd, price)
    mean = view.mean_usd(0, genome.mean_h)
    if isnan(mean) or not view.tradable(0):
        return State(peak), KEEP
    risk = max(view.volatility(0, genome.mean_h), LEAST)
    shares = 0.0
    for place, share in enumerate(SHARES):
        if price > mean * (1.0 + place / 100):
            shares = share
    size = clipped(shares * LEAST / risk * 10 + abs(view.change(0, 2)) + view.rate(-1), high=0.9)
    targets = [0.0 for _ in range(view.count)]
    targets[0] = size
    targets[-1] = 1.0 - sum_of(view.weights) * 0.0 - size
    return State(peak), targets


def sum_of(weights: tuple[float, ...]) -> float:
    total = 0.0
    for weight in weights:
        total += weight
    return sqrt(total * total)
"""
    check_same(write("many_helpers", body), compiles=True)


def test_not_a_number_goes_the_same_way_through_max_and_min(write: Write) -> None:
    body = """
def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    if view.frame % genome.every_h != 0:
        return state, KEEP
    first, second = max(nan, 0.25), max(0.25, nan)
    third, fourth = min(nan, 0.5), min(0.5, nan)
    size = 0.1
    if isnan(first):
        size += 0.1
    if isnan(second):
        size += 0.2
    if isnan(third):
        size += 0.4
    if isnan(fourth):
        size += 0.8
    return state, [size / 2.0, 0.3]
"""
    check_same(write("no_numbers", body), compiles=True)


def test_a_strategy_that_fails_in_the_middle_dies_of_the_same(write: Write) -> None:
    body = """
def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    if view.frame == 40:
        return state, [view.weights[view.frame], 0.0]
    if view.frame % genome.every_h != 0:
        return state, KEEP
    return state, [1.0 / (90.0 - view.frame), 0.2]
"""
    family = write("fails", body)
    past = History(season=world(days=12, warmup_h=960))
    evaluator = CompiledEvaluator(past, {family.id: family}, house_rules())
    genomes, window = genomes_of(family, 2), window_of(past, first_frame=0, days=5)

    check_same(family, compiles=True)
    assert evaluator.compiled(genomes, window) == [None, None], "plain calls say what it died of"
    assert all("IndexError" in course.death for course in evaluator(genomes, window))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("exponent", "    return state, [exp(-genome.mean_h), 0.5]\n"),
        ("power", "    return state, [0.5 ** genome.every_h, 0.5]\n"),
        ("rounded", "    return state, [int(view.mean_usd(0, genome.mean_h)) % 2 / 2, 0.5]\n"),
        ("summed", "    return state, [0.5 * sum(view.weights), 0.5]\n"),
        ("a_dictionary", "    return state, [{'a': 0.5}['a'], 0.5]\n"),
    ],
)
def test_what_may_have_other_bits_is_left_to_plain_calls(write: Write, name: str, body: str) -> None:
    head = "def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:\n"
    check_same(write(name, head + body), compiles=False)


@pytest.mark.parametrize("path", ALIKE, ids=[path.stem for path in ALIKE])
def test_every_strategy_of_the_tests_fares_alike(path: Path) -> None:
    """Also those that crash, look ahead or keep odd states; but for those that differ from run to run."""
    family = load_strategy(path, ())
    past = History(season=world(days=8, warmup_h=960))
    genomes, window = genomes_of(family, 3), window_of(past, first_frame=0, days=6)
    compiled, plain = (
        make(past, {family.id: family}, house_rules()) for make in (CompiledEvaluator, PlainEvaluator)
    )

    assert compiled(genomes, window) == plain(genomes, window)


def test_machine_code_is_kept_under_the_hash_of_all_it_is_made_of() -> None:
    """Numba notices a change in one file: a rule that changed in another would go on as it was."""
    kernel = ("arithmetic", "checks", "fills", "sizing", "step", "turns", "twins", "wide")
    named = set()
    for module in kernel:
        tree = ast.parse((Path(jit.__file__).parent / f"{module}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("treasury_actors"):
                named |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}

    outside = {name for name in named if name in sys.modules and ".compiled" not in name}

    hashed = {module.__name__ for module in jit.MADE_OF}
    assert outside - {module.rpartition(".")[0] for module in hashed} == hashed


def test_a_number_of_another_file_is_part_of_what_machine_code_is_kept_under(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
LEVEL = 0.25


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    if view.frame % genome.every_h != 0:
        return state, KEEP
    return state, [LEVEL, 0.5]
"""
    family = write("levels", body)
    check_same(family, compiles=True)

    monkeypatch.setitem(family.decide.__globals__, "LEVEL", 0.5)
    step_of.cache_clear()  # as in another process

    check_same(family, compiles=True)


def test_where_nothing_can_be_kept_machine_code_is_made_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no folder").touch()
    monkeypatch.setenv("TREASURY_CACHE", str(tmp_path / "no folder"))

    with jit.kept([]) as keeps:
        assert not keeps
