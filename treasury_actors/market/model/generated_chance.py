"""
Chance for a generated season, the same to the bit on every machine.

What is relied on: numpy's promise that the raw stream of PCG64 seeded by a SeedSequence never changes,
exact integer arithmetic, and IEEE 754 + - x / and square root, which round correctly everywhere. No exp,
log, sin or pow and no numpy distribution is used: those differ in the last bit by CPU, libm and version.
Nor is the built-in `sum` of floats, which compensates from Python 3.12 on and did not before: see `total`.
"""

from collections.abc import Iterable
from math import sqrt

import numpy as np

LANES = 12
_LANE_BITS = 16
_LANE_MASK = 0xFFFF
_RAWS_A_NORMAL = 3
_GROWTH_SQUARINGS = 10


def hourly_draws(
    seed: int, stream: int, hours: int, *, normals: int, uniforms: int
) -> tuple[list[list[float]], list[list[float]]]:
    """
    Return `hours` rows of normal draws and `hours` rows of uniform draws in [0, 1).

    A row's raw numbers lie behind those of the row before it, so a longer season starts with the rows of a
    shorter one. A normal is the sum of twelve 16-bit uniforms less their mean (Irwin-Hall): mean 0,
    variance 1, bounded by 6, a whole multiple of 2**-17.

    Args:
        seed: the season's seed, >= 0.
        stream: a number of its own for every purpose, so that one never shifts another.
        hours: number of rows.
        normals: normal draws in a row.
        uniforms: uniform draws in a row.
    """
    width = normals * _RAWS_A_NORMAL + uniforms
    raw = np.random.PCG64(np.random.SeedSequence([seed, stream])).random_raw(hours * width)
    table = raw.reshape(hours, width)
    parts = table[:, : normals * _RAWS_A_NORMAL].reshape(hours, normals, _RAWS_A_NORMAL)
    sums = np.zeros((hours, normals), dtype=np.int64)
    for shift in range(0, 64, _LANE_BITS):
        lanes = (parts >> np.uint64(shift)) & np.uint64(_LANE_MASK)
        for raw_of_normal in range(_RAWS_A_NORMAL):
            sums += lanes[:, :, raw_of_normal].astype(np.int64)
    centred = sums * 2 - LANES * _LANE_MASK
    normal = centred.astype(np.float64) / float(2 << _LANE_BITS)
    uniform = (table[:, normals * _RAWS_A_NORMAL :] >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    return normal.tolist(), uniform.tolist()


def growth(power: float) -> float:
    """
    Return (1 + power/1024)**1024: e**power to about 0.05 x power**2 per cent, from products alone.

    `power` must lie above -1024; it is what turns a mean-reverting level into a positive factor.
    """
    factor = 1.0 + power / (1 << _GROWTH_SQUARINGS)
    for _ in range(_GROWTH_SQUARINGS):
        factor *= factor
    return factor


class Reverting:
    """
    A level that wanders around zero: x' = keep x + kick z, with standard deviation `sd` in the long run.

    `half_life_h` is how many hours a step takes to halve, from the linear rate ln 2 / half-life.
    """

    __slots__ = ("keep", "kick", "level")

    def __init__(self, sd: float, half_life_h: float) -> None:
        self.keep = 1.0 - decay(half_life_h)
        self.kick = sd * sqrt(1.0 - self.keep * self.keep)
        self.level = 0.0

    def step(self, normal: float) -> float:
        """Move one hour by one normal draw and return the new level."""
        self.level = self.keep * self.level + self.kick * normal
        return self.level


def decay(half_life_h: float) -> float:
    """Return the share of a distance closed in an hour: ln 2 / half-life, at most 1."""
    return min(1.0, 0.6931471805599453 / half_life_h)


def total(values: Iterable[float]) -> float:
    """Return the sum of `values`, added one after the other: the same bits in every version of Python."""
    added = 0.0
    for value in values:
        added += value
    return added
