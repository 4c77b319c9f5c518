"""
What a population costs: genomes of every family through 180 days of hourly frames x 13 assets, each alone.

    python benchmarks/population.py [--genomes 400] [--days 180] [--rounds 7] [--plain 8]

Prints the time machine code takes to be made or fetched, then, in agent-bars a second: whole calls from
genomes to courses, on one thread and on two (median of the rounds), each family by itself, and plain calls.
A few courses are compared with those of plain calls, bit by bit. Figures depend on the machine and on what
else it does: run it beside what you compare with.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from treasury_actors.agents.registry import families
from treasury_actors.clock import WallClock
from treasury_actors.evolution.model.genome import Genome, random_genome
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import Window
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.compiled.evaluator import CompiledEvaluator, has_compiler
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.plan import prepare

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "simulation.toml"
FAMILIES = families(MAINNET)


def seconds(work: Callable[[], object], rounds: int) -> list[tuple[float, float]]:
    """Return how long each round took, on the wall and of all CPUs."""
    taken = []
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - began, time.process_time() - worked))
    return taken


def tell(what: str, bars: int, taken: Sequence[tuple[float, float]]) -> None:
    """Print the median and the range of agent-bars a second, and what a second of one CPU does."""
    walls = [wall for wall, _ in taken]
    fastest, slowest = bars / min(walls) / 1e6, bars / max(walls) / 1e6
    median = bars / statistics.median(walls) / 1e6
    of_cpu = bars / statistics.median(cpu for _, cpu in taken) / 1e6
    print(
        f"{what:32} {median:7.2f} M agent-bars/s  ({slowest:.2f} to {fastest:.2f}; {of_cpu:.2f} a CPU second)"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--genomes", type=int, default=400)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--plain", type=int, default=8, help="genomes for plain calls, which are slow")
    options = parser.parse_args()
    if not has_compiler():
        sys.exit("numba is not installed: there is nothing to compare plain calls with")
    season = generate_season(universe=MAINNET, seed=7, days=options.days + 1, warmup_h=2_880)
    history = History(season=season)
    window = Window(history=history.name, label=history.label, first_frame=0, days=options.days)
    rules = prepare(load_settings(CONFIG, {}), clock=WallClock()).plan.rules(0)
    named = list(FAMILIES.values())
    genomes = [random_genome(named[at % len(named)], (7, "bench", at)) for at in range(options.genomes)]
    frames = options.days * 24 + 1
    print(f"{len(genomes)} genomes of {len(named)} families, {frames} frames, {os.cpu_count()} CPUs")
    first = CompiledEvaluator(history, FAMILIES, rules, threads=1)
    each_once = genomes[: len(named)]
    wall, cpu = seconds(lambda: first(each_once, window), 1)[0]
    print(f"machine code made or fetched, and the history read: {wall:.2f} s, {cpu:.2f} of CPU")
    for threads in (1, 2):
        evaluator = CompiledEvaluator(history, FAMILIES, rules, threads=threads)
        evaluator(each_once, window)
        taken = seconds(lambda: evaluator(genomes, window), options.rounds)  # noqa: B023 (called at once)
        tell(f"compiled, {threads} thread{'s' * (threads > 1)}", len(genomes) * frames, taken)
    for family in named:
        own = [genome for genome in genomes if genome.family == family.id]
        taken = seconds(lambda: first(own, window), options.rounds)  # noqa: B023 (likewise)
        tell(f"  {family.id}, 1 thread", len(own) * frames, taken)
    compare(history, genomes[: options.plain], window, first)


def compare(history: History, genomes: Sequence[Genome], window: Window, compiled: CompiledEvaluator) -> None:
    """Time plain calls, and compare what they give."""
    rules = prepare(load_settings(CONFIG, {}), clock=WallClock()).plan.rules(0)
    plain, courses = PlainEvaluator(history, FAMILIES, rules), list[WindowCourse]()
    taken = seconds(lambda: courses.extend(plain(genomes, window)), 1)
    tell("plain calls", len(genomes) * (window.days * 24 + 1), taken)
    if compiled.compiled(genomes, window) != courses:
        sys.exit("machine code gave other courses than plain calls")
    print(f"{len(genomes)} courses are equal to those of plain calls, bit by bit")


if __name__ == "__main__":
    main()
