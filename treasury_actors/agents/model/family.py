"""A strategy family: one pure scalar function, the genes it is bred by, and the assets it declares."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from treasury_actors.agents.model.view import View
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.market.model.universe import Universe

State: TypeAlias = tuple[float, ...]
"""What a strategy remembers between frames: a few numbers, journalled as they are."""

Decide: TypeAlias = Callable[[Any, View, Any], tuple[Any, list[float]]]
"""`decide(state, view, genome) -> (state, target weights)`; `KEEP` leaves everything as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gene:
    """
    One parameter of a genome: an integer in a stated unit.

    Attributes:
        unit: `h`, `bps`, `ppm`, `count` or `mask`; the name ends in it, e.g. `fast_h`.
        low: smallest value allowed, inclusive.
        high: largest value allowed, inclusive.
        scale: how mutation moves it: `log` for spans of time, `linear` otherwise; `mask` flips bits.
    """

    name: str
    unit: Literal["h", "bps", "ppm", "count", "mask"]
    low: int
    high: int
    scale: Literal["linear", "log", "mask"] = "linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """
    What one strategy file offers. The file's name is the family's id.

    Attributes:
        genome: a NamedTuple class of ints whose fields are the names of `genes`, in order.
        state: a NamedTuple class of floats or ints with defaults: the state a newborn agent has.
        assets: which assets of a universe it declares: the slots of its view, in order.
        slowest_span_h: the longest look-back a genome uses; warm-up is four times that.
    """

    id: FamilyId
    story: str
    genes: tuple[Gene, ...]
    genome: Callable[..., Any]
    state: Callable[..., Any]
    assets: Callable[[Universe], tuple[AssetId, ...]]
    slowest_span_h: Callable[[Any], int]
    decide: Decide

    def warmup_h(self, genome: tuple[int, ...]) -> int:
        """Return the hours of history a genome needs before its first decision."""
        return 4 * self.slowest_span_h(self.genome(*genome))
