"""
A strategy's sample genomes, lived through a season, and the fingerprint of every bit of it.

Run as a module it prints the fingerprint: `python -m treasury_actors.simulation.strategy_trace FILE SEED DAYS
WARMUP_H`. The check starts two such processes with different hash seeds and compares.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from math import isqrt
from pathlib import Path

from treasury_actors.agents.adapters.strategy_file import load_strategy
from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.agents.registry import families
from treasury_actors.evolution.model.genome import random_genome
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import check_settings
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evaluate import evaluate_population
from treasury_actors.simulation.lifeline import Lifeline
from treasury_actors.simulation.recipe import SeasonRecipe

GENOMES = 3
CAPITAL_USD = 10_000
_ATTEMPTS_MAX = 200


def default_rules() -> HouseRules:
    """Return the rules of a config file that says nothing."""
    return check_settings({}, "defaults").house_rules(0)


def load(path: Path) -> Family:
    """Return the family of a user's file; raise ConfigError if there is none."""
    return load_strategy(path, families(MAINNET).keys())


def sample_genomes(family: Family, warmup_h: int) -> list[tuple[int, ...]]:
    """Return a few different genomes that can warm up in so many hours: the middle one, then random ones."""
    drawn = (random_genome(family, ("strategy check", at)).genes for at in range(_ATTEMPTS_MAX))
    found: list[tuple[int, ...]] = []
    for genes in (tuple(map(_middle, family.genes)), *drawn):
        if genes not in found and family.warmup_h(genes) <= warmup_h:
            found.append(genes)
            if len(found) == GENOMES:
                break
    return found


def live(
    family: Family,
    genomes: Sequence[tuple[int, ...]],
    season: Season,
    rules: HouseRules,
    *,
    capital_usd: int = CAPITAL_USD,
    foresight: bool = False,
    lag_frames: int = 0,
) -> tuple[Lifeline, ...]:
    """Return the lives of genomes that have `capital_usd` each, every decision kept."""
    arena = replace(rules.arena, population=len(genomes), capital_usd=capital_usd * len(genomes))
    population = evaluate_population(
        season,
        [(family, genes) for genes in genomes],
        replace(rules, arena=arena),
        traced=True,
        foresight=foresight,
        lag_frames=lag_frames,
    )
    return population.lifelines


def first_difference(one: Sequence[Lifeline], other: Sequence[Lifeline], until: int) -> str | None:
    """Return, in words, the first thing up to frame `until` that is not the same to the bit; or None."""
    for mine, theirs in zip(one, other, strict=True):
        pairs = zip(_said(mine, until), _said(theirs, until), strict=False)
        for (frame, what, words), (_, _, other_words) in pairs:
            if words != other_words:
                return f"{what} at frame {frame}, genome {list(mine.genes)}"
        if len(list(_said(mine, until))) != len(list(_said(theirs, until))):
            return f"what came last before frame {until}, genome {list(mine.genes)}"
    return None


def fingerprint(lives: Sequence[Lifeline]) -> str:
    """Return the sha256 of every decision, order, fill and refusal, and of what is owned at the end."""
    digest = sha256()
    for life in lives:
        for said in _said(life, sys.maxsize):
            digest.update(repr(said).encode())
        digest.update(repr(life.units).encode())
    return digest.hexdigest()


def _said(life: Lifeline, until: int) -> Iterator[tuple[int, str, str]]:
    """Yield (frame, what it is, every bit of it) of a life up to a frame; a float's repr has all its bits."""
    for decision in life.decisions:
        if decision.frame <= until:
            yield decision.frame, "the decision", repr(tuple(decision))
    for fill in life.fills:
        if fill.frame <= until:
            yield fill.frame, "the fill", repr(tuple(fill))
    for refused in life.refused:
        if refused.order.turn <= until:
            yield refused.order.turn, "the refusal", repr(tuple(refused))
    if life.death is not None and life.death.frame <= until:
        yield life.death.frame, "the end", repr(tuple(life.death))


def _middle(gene: Gene) -> int:
    """Return a value in the middle of a gene's range, of its logarithm for a span of time."""
    if gene.scale == "log":
        return isqrt(gene.low * gene.high)
    return (gene.low + gene.high) // 2


def main(arguments: list[str]) -> int:
    """Write the fingerprint of the strategy file in `arguments` to standard output."""
    path, seed, days, warmup_h = arguments
    family = load(Path(path))
    season = SeasonRecipe(seed=int(seed), days=int(days), warmup_h=int(warmup_h)).build()
    lives = live(family, sample_genomes(family, season.warmup_count), season, default_rules())
    sys.stdout.write(fingerprint(lives) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
