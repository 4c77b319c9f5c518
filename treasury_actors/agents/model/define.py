"""The short way to write a family: genes are read off the genome's annotations, assets are named."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from treasury_actors.agents.model.family import Decide, Family, Gene
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.market.model.universe import Universe


@dataclass(frozen=True, slots=True)
class Between:
    """The range of a gene, both ends allowed: `mean_h: Annotated[int, Between(24, 720)]`."""

    low: int
    high: int


class Memoryless(NamedTuple):
    """The state of a strategy that remembers nothing."""


def define(
    file: str,
    *,
    story: str | None,
    genome: type[tuple[int, ...]],
    decide: Decide,
    assets: tuple[str, ...] | Callable[[Universe], tuple[AssetId, ...]],
    state: type[tuple[float, ...]] = Memoryless,
    slowest_span_h: Callable[[Any], int] | None = None,
) -> Family:
    """
    Return the family of a strategy file; its id is the file's name.

    `file` is the module's `__file__` and `story` its `__doc__`. `assets` are names in the order of the
    slots, or a function that picks them from a universe. Without `slowest_span_h` the longest gene in
    hours counts as the longest look-back, which warms up rather too long than too short.

    Raises:
        ConfigError: a gene has no `Between`, or its name doesn't end in a known unit.
    """
    genes = _genes_of(genome)
    return Family(
        id=FamilyId(Path(file).stem),
        story=cleandoc(story or ""),
        genes=genes,
        genome=genome,
        state=state,
        assets=assets if callable(assets) else _named(assets),
        slowest_span_h=slowest_span_h or _longest_gene_h(genes),
        decide=decide,
    )


def _genes_of(genome: type[tuple[int, ...]]) -> tuple[Gene, ...]:
    """Return the genes that the fields of a genome are annotated with."""
    genes = []
    for name, hint in get_type_hints(genome, include_extras=True).items():
        bounds = next((extra for extra in get_args(hint)[1:] if isinstance(extra, Between)), None)
        if bounds is None:
            raise ConfigError(f"gene {name}: give its range, as in `{name}: Annotated[int, Between(1, 9)]`")
        genes.append(_gene(name, bounds))
    return tuple(genes)


def _gene(name: str, bounds: Between) -> Gene:
    """Return one gene; the end of its name gives the unit, the unit how mutation moves it."""
    low, high = bounds.low, bounds.high
    match name.rpartition("_")[2]:
        case "h":  # a span from zero has no logarithm
            return Gene(name=name, unit="h", low=low, high=high, scale="log" if low > 0 else "linear")
        case "mask":
            return Gene(name=name, unit="mask", low=low, high=high, scale="mask")
        case "bps" | "ppm" | "count" as unit:
            return Gene(name=name, unit=unit, low=low, high=high)
        case _:
            raise ConfigError(f"gene {name}: end its name in its unit: _h, _bps, _ppm, _count or _mask")


def _named(names: tuple[str, ...]) -> Callable[[Universe], tuple[AssetId, ...]]:
    """Return a function that gives the named assets of a universe, and refuses one that lacks any."""

    def assets(universe: Universe) -> tuple[AssetId, ...]:
        for name in names:
            if name not in universe.by_id:
                known = ", ".join(asset.id for asset in universe.assets)
                raise ConfigError(f"asset {name}: not in the universe {universe.name}; it has {known}")
        return tuple(AssetId(name) for name in names)

    return assets


def _longest_gene_h(genes: tuple[Gene, ...]) -> Callable[[Any], int]:
    """Return a function that gives the largest gene in hours of a genome, 0 without any."""
    spans = tuple(gene.name for gene in genes if gene.unit == "h")

    def slowest_span_h(genome: Any) -> int:  # noqa: ANN401 (any family's genome)
        return max((int(getattr(genome, name)) for name in spans), default=0)

    return slowest_span_h
