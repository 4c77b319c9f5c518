"""A trial: one genome evaluated once for one purpose. All of them count, the failed and the vetoed too."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, TypeAlias

from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_fitness import Judged

Purpose: TypeAlias = Literal["fitness", "validation", "stress", "fresh", "test"]
"""What for: only `fitness` and `validation` choose, so only they count as trials of a strategy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """
    What a result was computed from: two keys are equal when nothing that matters changed.

    Attributes:
        data_hash: of the market; `window_set`: which spans of it; `costs`: the cost model and its stress.
        fitness_version: of the formula and its policy; `engine`: of the code that traded.
        seed: of the search that asked.
    """

    genome: str
    data_hash: str
    window_set: str
    costs: str
    fitness_version: str
    engine: str
    seed: int

    @property
    def digest(self) -> str:
        """Return the sha256 of all of it, in hex."""
        parts = [
            self.genome,
            self.data_hash,
            self.window_set,
            self.costs,
            self.fitness_version,
            self.engine,
            self.seed,
        ]
        return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    One evaluation, as it is recorded.

    Attributes:
        run: the run it belongs to; `arm`: which way of searching asked, such as `ga`.
        key: the digest of what it was computed from.
    """

    run: str
    arm: str
    purpose: Purpose
    key: str
    genome: Genome
    window_set: str
    seed: int
    judged: Judged
