"""
What a genome is worth in a world of given parameters: how the worlds of `evidence` were set, others tried.

    python benchmarks/evidence.py --peg-sd-bps 10 --drift 1 peg_reversion:9,8,500,5000,720
    python benchmarks/evidence.py --drift 2.2 --days 180 trend:72,60,30,1500,1500,5000,0,24

Prints, for each genome, the mean certainty equivalent of a window, its spread, and what would be left of the
mean of eight such windows after two standard errors. Its seeds are its own: no experiment uses them.
"""

import argparse
import sys
from math import sqrt
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from treasury_actors.agents.model.metrics.series import deviation, mean
from treasury_actors.agents.registry import families
from treasury_actors.evolution.model.window_fitness import certainty_equivalent
from treasury_actors.evolution.model.windows import DAY_FRAMES, Window
from treasury_actors.market.model.evidence_worlds import World, generate_world
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.compiled.evaluator import CompiledEvaluator
from treasury_actors.simulation.evidence.config import DEFAULT_CONFIG, load_evidence_config
from treasury_actors.simulation.evidence.experiment import parse_genome
from treasury_actors.simulation.evidence.history import History

FIRST_SEED = 900_001
WINDOWS = 8
K = 8


def main() -> None:
    """Print one line a genome."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("genomes", nargs="+", metavar="FAMILY:GENES")
    parser.add_argument("--drift", type=float, default=0.0, help="gain of WETH a year in the up regime")
    parser.add_argument("--peg-sd-bps", type=float, default=0.0, help="spread of USDT around its peg")
    parser.add_argument("--days", type=int, default=60, help="length of a window")
    parser.add_argument("--seeds", type=int, default=6, help="paths of eight windows each")
    options = parser.parse_args()
    known, config = families(MAINNET), load_evidence_config(DEFAULT_CONFIG)
    policy = config.fitness(with_tails=False)
    genomes = [parse_genome(text, known) for text in options.genomes]
    world = World(name="tried", drift_a_year=options.drift, peg_sd_bps=options.peg_sd_bps)
    values: list[list[float]] = [[] for _ in genomes]
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        stride = options.days + 2
        season = generate_world(
            world, universe=MAINNET, seed=seed, days=WINDOWS * stride, warmup_h=config.windows.warmup_h
        )
        history = History(season=season)
        evaluate = CompiledEvaluator(history, known, config.rules)
        for number in range(WINDOWS):
            window = Window(
                history=history.name,
                label=history.label,
                first_frame=number * stride * DAY_FRAMES,
                days=options.days,
            )
            for place, course in enumerate(evaluate(genomes, window)):
                values[place].append(certainty_equivalent(course, policy))
    for genome, found in zip(genomes, values, strict=True):
        centre, spread = mean(found), deviation(found)
        print(
            f"{genome.canonical:<44} mean {centre:+.2%} +- {spread / sqrt(len(found)):.2%}"
            f"  sd of a window {spread:.1%}  mean - 2 se at K = {K}: {centre - 2 * spread / sqrt(K):+.2%}"
        )


if __name__ == "__main__":
    main()
