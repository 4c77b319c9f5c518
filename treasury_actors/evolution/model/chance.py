"""Chance that nothing remembers: every draw follows from its path, such as (seed, "birth", round, slot)."""

import json
from hashlib import sha256
from typing import TypeAlias

from numpy.random import PCG64, SeedSequence

SeedPath: TypeAlias = tuple[int | str, ...]

_RAW_BITS = 64
_UNIT_BITS = 53
_GAUSS_TERMS = 12


class Chance:
    """
    The draws of one path, in order; a restart that asks for the same path gets the same draws.

    Only the raw stream of PCG64 is used, which numpy promises never to change; its distributions may. The
    draws below are exact arithmetic on it, so they have the same bits on every machine.
    """

    __slots__ = ("_bits",)

    def __init__(self, path: SeedPath) -> None:
        # Hashed whole: Python's hash() changes by process, and (1, 23) must differ from (12, 3).
        digest = sha256(json.dumps(path, separators=(",", ":")).encode()).digest()
        self._bits = PCG64(SeedSequence(int.from_bytes(digest)))

    def unit(self) -> float:
        """Return a number in [0, 1)."""
        return (self._raw() >> (_RAW_BITS - _UNIT_BITS)) / (1 << _UNIT_BITS)

    def below(self, limit: int) -> int:
        """Return an integer in 0 .. `limit` - 1, each as likely as the other."""
        assert 0 < limit <= 1 << _RAW_BITS, "a limit is positive and fits the raw draw"
        fair = (1 << _RAW_BITS) // limit * limit
        raw = self._raw()
        while raw >= fair:
            raw = self._raw()
        return raw % limit

    def gauss(self) -> float:
        """Return a draw of mean 0 and deviation 1: the sum of twelve uniforms less six, never beyond 6."""
        total = 0.0
        for _ in range(_GAUSS_TERMS):
            total += self.unit()
        return total - _GAUSS_TERMS / 2

    def _raw(self) -> int:
        return int(self._bits.random_raw())
