"""The rungs of the ladder: how much money each has, in how many mandates, who may come up. Pure."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import pairwise

from treasury_actors.arena.model.graduation import GateRules
from treasury_actors.errors import ConfigError
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.model.mandate import Stage

DAYS_OF_PAPER = 30
"""Days forward an agent trades on paper before money: frames that came after its genome was born."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """
    One stage with its pool account `pool:<stage>`.

    Attributes:
        pool_usd: the most the stage may ever have; no money on the first rung.
        mandate_usd: what each who comes up is given; from the pool, by one entry each.
        places: the most agents at once; `places_full`: so many mandates use up the whole pool.
        gate: what is asked of those who leave it for the next; None on the last.
    """

    stage: Stage
    pool_usd: int
    mandate_usd: int
    places: int
    places_full: int
    gate: GateRules | None

    @property
    def pool_micro_usd(self) -> int:
        """The most the stage may ever have, in micro-dollars."""
        micro_usd: int = self.pool_usd * MICRO_USD
        return micro_usd

    @property
    def mandate_micro_usd(self) -> int:
        """What a mandate opens with, in micro-dollars."""
        micro_usd: int = self.mandate_usd * MICRO_USD
        return micro_usd


PAPER_GATE = GateRules(
    days_min=DAYS_OF_PAPER,
    nav_days_min=20,
    drawdown_ratio_max=0.15,
    share_max_percent=100,
    windows_min=8,
    beats_lending=True,
    survives_stress=True,
    trades_min=10,
)
PROVING_GATE = GateRules(drawdown_p95_factor=1.5, tracking=True)
MAIN_GATE = GateRules(
    days_min=90,
    nav_days_min=80,
    share_max_percent=100,
    posterior_min=0.80,
    psr_min=0.95,
    dsr_min=0.95,
    tracking=True,
)

LADDER = (
    Rung(stage="sim", pool_usd=0, mandate_usd=0, places=1_000, places_full=50, gate=PAPER_GATE),
    Rung(stage="proving", pool_usd=10_000, mandate_usd=1_000, places=10, places_full=10, gate=PROVING_GATE),
    Rung(stage="main", pool_usd=50_000, mandate_usd=10_000, places=5, places_full=5, gate=MAIN_GATE),
    Rung(stage="full", pool_usd=200_000, mandate_usd=20_000, places=15, places_full=10, gate=None),
)
"""$0 -> 10 x $1,000 -> 5 x $10,000 -> $200,000 for 10 to 15, where beyond ten a mandate is smaller."""


def check_ladder(ladder: tuple[Rung, ...]) -> None:
    """
    Refuse a ladder whose pools can't pay their mandates, or whose risk does not rise rung by rung.

    Raises:
        ConfigError: naming the stage.
    """
    for rung in ladder:
        asked = rung.mandate_usd * rung.places_full
        if asked > rung.pool_usd:
            raise ConfigError(
                f"stage {rung.stage}: a pool of ${rung.pool_usd:,} is smaller than its {rung.places_full}"
                f" mandates of ${rung.mandate_usd:,}"
            )
    for below, above in pairwise(ladder):
        if above.pool_usd <= below.pool_usd or below.gate is None:
            raise ConfigError(f"stage {above.stage}: a rung has more money than the one below, and a gate")


def rung_of(ladder: tuple[Rung, ...], stage: Stage) -> Rung:
    """Return the rung of a stage."""
    return next(rung for rung in ladder if rung.stage == stage)


def above(ladder: tuple[Rung, ...], stage: Stage) -> Rung | None:
    """Return the rung above a stage, or None on the last."""
    stages = [rung.stage for rung in ladder]
    place = stages.index(stage) + 1
    return ladder[place] if place < len(ladder) else None


def is_above(ladder: tuple[Rung, ...], stage: Stage, top: Stage) -> bool:
    """Say whether a stage is higher than another."""
    stages = [rung.stage for rung in ladder]
    return stages.index(stage) > stages.index(top)


def gates_hash(ladder: tuple[Rung, ...]) -> str:
    """Return the SHA-256 of every rung and gate: a run that began with one goes on with no other."""
    text = json.dumps([asdict(rung) for rung in ladder], sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
