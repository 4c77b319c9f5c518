"""
The probability that choosing the best of a backtest chose noise: PBO, and what it is when all is noise.

Combinatorially symmetric cross-validation, Bailey, Borwein, Lopez de Prado and Zhu (2017): of S blocks of
time, every half is once what the choice is made on, the other half what it is tested on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_256
from itertools import combinations
from math import fsum, sqrt
from typing import TypeAlias

from treasury_actors.agents.model.metrics.series import (
    DAYS_A_YEAR,
    deviation,
    mean,
    refuse_unequal,
    refuse_unusable,
)
from treasury_actors.agents.model.metrics.sharpe import VOLATILITY_FLOOR_RATIO

BLOCKS = 10
BLOCKS_MAX = 16
"""12,870 halves; two more blocks are four times the work and tell no more."""
BLOCK_PERIODS_MIN = 10
_WORD_BYTES = 8

_Sums: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class NullOverfitting:
    """
    What the PBO of trials without skill looks like: its mean and deviation over resampled histories.

    One history tells little: with 50 trials of 180 days it is 0.48 +- 0.16, so 0.3 is no evidence of skill.
    """

    mean: float
    sd: float
    draws: int


def overfitting_probability(
    columns: Sequence[Sequence[float]],
    *,
    blocks: int = BLOCKS,
    periods_a_year: float = DAYS_A_YEAR,
    floor_ratio: float = VOLATILITY_FLOOR_RATIO,
) -> float | None:
    """
    Return the share of halves whose best trial is in the lower half of all trials outside: PBO.

    A trial's score is mean / max(deviation, floor), its Sharpe ratio unless it hardly moves. The best in
    sample (the first of equals) has rank r of N outside, equals sharing their ranks; w = r / (N + 1),
    lambda = ln(w / (1 - w)), and what counts is lambda <= 0.

    Args:
        columns: the returns of each trial over the same periods, in order of time.
        blocks: how many blocks, even; their lengths differ by one period at most.
        floor_ratio: the volatility a year that a trial is given at least.

    None for fewer than two trials, and for blocks of fewer than ten periods.

    Raises:
        ValueError: the number of blocks is odd or not 2 .. 16, lengths differ, or a number is none.
    """
    assert floor_ratio > 0.0, "without a floor a trial that does not move has no score"
    refuse_unequal(*columns)
    refuse_unusable(*columns)
    if blocks % 2 or not 2 <= blocks <= BLOCKS_MAX:  # noqa: PLR2004  two halves
        raise ValueError(f"{blocks} blocks: take an even number from 2 to {BLOCKS_MAX}")
    trials = len(columns)
    if trials < 2 or len(columns[0]) // blocks < BLOCK_PERIODS_MIN:  # noqa: PLR2004  no choice among one
        return None
    floor = floor_ratio / sqrt(periods_a_year)
    by_trial = [_scores(column, blocks, floor) for column in columns]
    halves = len(by_trial[0])
    overfit = 0
    for half in range(halves):
        inside = [scores[half] for scores in by_trial]
        # The complement of a combination stands as far from the end as it stands from the start.
        outside = [scores[halves - 1 - half] for scores in by_trial]
        chosen = outside[inside.index(max(inside))]
        beaten = sum(score < chosen for score in outside)
        equal = outside.count(chosen)
        overfit += 2 * beaten + equal <= trials  # w <= 1/2, with rank = beaten + (equal + 1) / 2
    return overfit / halves


def null_overfitting(
    columns: Sequence[Sequence[float]],
    *,
    draws: int = 100,
    seed: int = 0,
    blocks: int = BLOCKS,
    periods_a_year: float = DAYS_A_YEAR,
    floor_ratio: float = VOLATILITY_FLOOR_RATIO,
) -> NullOverfitting | None:
    """
    Return the PBO these trials would have without any skill, over `draws` resampled histories.

    Each trial's own mean is taken off it, then whole periods are drawn with replacement: volatility, tails
    and the correlation between trials stay, skill and memory go. Equal arguments give equal results.

    None where the PBO is None.

    Raises:
        ValueError: as for the PBO, and for fewer than two draws.
    """
    if draws < 2:  # noqa: PLR2004  a deviation needs two
        raise ValueError(f"{draws} draws have no deviation")
    refuse_unequal(*columns)
    refuse_unusable(*columns)
    centred = [_centred(column) for column in columns]
    found = []
    for draw in range(draws):
        rows = _rows(len(columns[0]) if columns else 0, f"{seed}|{draw}")
        probability = overfitting_probability(
            [[column[row] for row in rows] for column in centred],
            blocks=blocks,
            periods_a_year=periods_a_year,
            floor_ratio=floor_ratio,
        )
        if probability is None:
            return None
        found.append(probability)
    return NullOverfitting(mean=mean(found), sd=deviation(found), draws=draws)


def _scores(column: Sequence[float], blocks: int, floor: float) -> list[float]:
    """Return a trial's score on every half, halves in the order of `combinations`."""
    size = len(column)
    centre = mean(column)  # squares are summed about it, so that a small deviation survives
    sums: list[_Sums] = []
    lengths = []
    for block in range(blocks):
        part = [value - centre for value in column[size * block // blocks : size * (block + 1) // blocks]]
        sums.append((fsum(part), fsum(value * value for value in part)))
        lengths.append(len(part))
    scores = []
    for half in combinations(range(blocks), blocks // 2):
        count = total = squares = 0.0
        for block in half:
            count += lengths[block]
            total += sums[block][0]
            squares += sums[block][1]
        variance = max(0.0, squares - total * total / count) / (count - 1.0)
        scores.append((centre + total / count) / max(sqrt(variance), floor))
    return scores


def _centred(column: Sequence[float]) -> list[float]:
    """Return a trial's returns about their mean."""
    centre = mean(column) if column else 0.0
    return [value - centre for value in column]


def _rows(count: int, path: str) -> list[int]:
    """Return `count` of 0 .. `count` - 1 drawn with replacement, the same for the same path."""
    # Numpy's streams would do; a hash needs no package, and its bits are the same everywhere.
    noise = shake_256(path.encode()).digest(_WORD_BYTES * count)
    return [
        int.from_bytes(noise[start : start + _WORD_BYTES], "big") % count
        for start in range(0, _WORD_BYTES * count, _WORD_BYTES)
    ]
