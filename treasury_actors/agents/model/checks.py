"""What a family, a genome and an answer must be, each as a check that names what is wrong."""

import re
from math import isfinite

from treasury_actors.agents.model.family import Family

WARMUP_H_MAX = 2_880
"""Longest warm-up, 120 days: so the slowest look-back is 720 h."""

FAMILY_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
TOLERANCE = 1e-9
"""What rounding may add to a sum of weights."""


def checked_targets(targets: list[float], count: int) -> list[float]:
    """
    Return target weights as they are; `KEEP`, the empty list, passes.

    Raises:
        ValueError: not `count` of them, one isn't a number or is negative, or they sum to more than 1.
    """
    if not targets:
        return targets
    if len(targets) != count:
        raise ValueError(f"{len(targets)} weights for {count} slots")
    for slot, weight in enumerate(targets):
        if not isfinite(weight):
            raise ValueError(f"weight of slot {slot} is {weight}; allowed 0 to 1")
        if weight < 0.0:
            raise ValueError(f"weight of slot {slot} is {weight}, below 0")
    total = sum(targets)
    if total > 1.0 + TOLERANCE:
        raise ValueError(f"weights sum to {total}, more than 1")
    return targets


def genome_problem(family: Family, genes: tuple[int, ...]) -> str | None:
    """Return what is wrong with the genes of a genome, naming gene and range; None if all is well."""
    if len(genes) != len(family.genes):
        return f"{family.id}: {len(genes)} genes, but the family has {len(family.genes)}"
    for gene, value in zip(family.genes, genes, strict=True):
        if type(value) is not int:  # a bool is no gene, nor is a float that happens to be whole
            return f"{family.id}: gene {gene.name} is {value!r}; allowed are whole numbers"
        if not gene.low <= value <= gene.high:
            return f"{family.id}: gene {gene.name} is {value}; allowed {gene.low} to {gene.high}"
    return None


def family_problem(family: Family) -> str | None:
    """Return what is wrong with a family as its file wrote it; None if all is well."""
    if not FAMILY_NAME.fullmatch(family.id):
        return f"name {family.id!r}: use 2 to 31 of a-z, 0-9 and _, a letter first"
    if not family.story:
        return "no story: say in the file's first string what it does"
    for gene in family.genes:
        if not 0 <= gene.low <= gene.high:
            return f"gene {gene.name}: range {gene.low} to {gene.high}; it must rise, from 0 at least"
        if gene.scale == "log" and gene.low == 0:
            return f"gene {gene.name}: range from 0 has no logarithm; start at 1, or use the linear scale"
    for genes in (tuple(gene.low for gene in family.genes), tuple(gene.high for gene in family.genes)):
        warmup_h = family.warmup_h(genes)
        if not 0 <= warmup_h <= WARMUP_H_MAX:
            return (
                f"slowest_span_h: genes {genes} need {warmup_h} h of warm-up, four times the look-back; "
                f"allowed 0 to {WARMUP_H_MAX}"
            )
    for number in family.state():
        if type(number) not in (int, float) or not isfinite(number):
            return f"state: {number!r} is the default of a field; allowed are finite numbers"
    return None
