"""Whom a search funds: up to five distinct genomes that pass validation and dearer costs, not one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, log
from typing import TypeAlias

from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_fitness import Insufficient, Judged, Vetoed, WindowFitness
from treasury_actors.ids import FamilyId

JudgeMany: TypeAlias = Callable[[Sequence[Genome]], Sequence[Judged]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleRules:
    """
    How many are looked at and funded.

    Attributes:
        distance_min: mean difference of two genomes' genes, each as a part of its range; nearer ones are one.
        edge_min_ppb: who is above plain lending by more claims an edge, and must keep it at dearer costs;
            who is within it lends in all but name; who is below it by more is worse than lending.
    """

    shortlist: int = 10
    size: int = 5
    distance_min: float = 0.08
    edge_min_ppb: int = 5_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """The funded, best first, and everyone on the shortlist who is not, with the reason."""

    members: tuple[Genome, ...]
    dropped: tuple[tuple[Genome, str], ...]


def distance(a: Genome, b: Genome, families: Mapping[FamilyId, Family]) -> float:
    """Return how far two genomes are from each other: 0 the same, 1 of different families or opposite."""
    if a.family != b.family:
        return 1.0
    genes = families[a.family].genes
    if not genes:
        return 0.0
    gaps = [_gap(gene, x, y) for gene, x, y in zip(genes, a.genes, b.genes, strict=True)]
    return fsum(gaps) / len(gaps)


def distinct_best(
    ranked: Sequence[tuple[Genome, WindowFitness]], families: Mapping[FamilyId, Family], rules: EnsembleRules
) -> list[Genome]:
    """Return the best of a ranking that are not near a better one."""
    found: list[Genome] = []
    for genome, _ in ranked:
        if len(found) == rules.shortlist:
            break
        if all(distance(genome, better, families) > rules.distance_min for better in found):
            found.append(genome)
    return found


def choose_ensemble(
    ranked: Sequence[tuple[Genome, WindowFitness]],
    families: Mapping[FamilyId, Family],
    rules: EnsembleRules,
    *,
    validate: JudgeMany,
    stress: JudgeMany,
    lending_ppb: int,
) -> Ensemble:
    """
    Return whom to fund.

    Args:
        ranked: best first.
        validate: judges on days that no fitness has seen; a veto there drops a genome.
        stress: judges on the fitness windows at dearer costs.
        lending_ppb: the fitness of plain lending on the same windows at plain costs.
    """
    values = {genome: fitness.value_ppb for genome, fitness in ranked}
    shortlist = distinct_best(ranked, families, rules)
    members: list[Genome] = []
    dropped: list[tuple[Genome, str]] = []
    verdicts = zip(shortlist, validate(shortlist), stress(shortlist), strict=True)
    for genome, validated, stressed in verdicts:
        edge_ppb = values[genome] - lending_ppb
        reason = _why_not(validated, stressed, edge_ppb=edge_ppb, lending_ppb=lending_ppb, rules=rules)
        if reason:
            dropped.append((genome, reason))
        elif len(members) == rules.size:
            dropped.append((genome, "outranked"))
        else:
            members.append(genome)
    return Ensemble(members=tuple(members), dropped=tuple(dropped))


def _why_not(
    validated: Judged, stressed: Judged, *, edge_ppb: int, lending_ppb: int, rules: EnsembleRules
) -> str:
    """Return why a genome is not funded; empty if it may be."""
    for what, verdict in (("validation", validated), ("cost stress", stressed)):
        if isinstance(verdict, Insufficient):
            return f"{what}: {verdict.windows} windows of {verdict.needed}"
        if isinstance(verdict, Vetoed):
            return f"{what}: {verdict.reasons[0]}"
    assert isinstance(stressed, WindowFitness), "neither vetoed nor insufficient"
    if edge_ppb < -rules.edge_min_ppb:
        return f"worse than plain lending by {-edge_ppb / 1e9:.2%} a year"
    if edge_ppb > rules.edge_min_ppb and stressed.value_ppb <= lending_ppb:
        return f"cost stress: {stressed.value_ppb / 1e9:.2%} a year, plain lending {lending_ppb / 1e9:.2%}"
    return ""


def _gap(gene: Gene, a: int, b: int) -> float:
    """Return how far two values of a gene lie apart, as a part of its range."""
    if gene.low == gene.high:
        return 0.0
    if gene.scale == "mask":
        return (a ^ b).bit_count() / gene.high.bit_length()
    if gene.scale == "log":
        shift = max(0, 1 - gene.low)
        return abs(log((a + shift) / (b + shift))) / log((gene.high + shift) / (gene.low + shift))
    return abs(a - b) / (gene.high - gene.low)
