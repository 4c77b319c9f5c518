"""Genomes: integers in stated units, and the operators that make one from others."""

from dataclasses import dataclass
from hashlib import sha256
from math import exp, log

from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.evolution.model.chance import Chance, SeedPath
from treasury_actors.ids import FamilyId, GenomeId

MUTATION_SIGMA = 0.15
"""Standard deviation of a mutation, as a part of a gene's range (log range for spans of time)."""
MUTATION_SHARE_BPS = 2_000
"""How many genes a mutation touches; at least one."""
_BPS = 10_000
_ID_HEX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Genome:
    """A strategy's parameters: a family and one integer for each of its genes, in order."""

    family: FamilyId
    genes: tuple[int, ...]

    @property
    def canonical(self) -> str:
        """Return the one text of this genome: `trend:24,480,3000`."""
        return f"{self.family}:{','.join(map(str, self.genes))}"

    @property
    def id(self) -> GenomeId:
        """Return the first 16 hex digits of the sha256 of the canonical text."""
        return GenomeId(sha256(self.canonical.encode()).hexdigest()[:_ID_HEX])

    def belongs_to(self, family: Family) -> bool:
        """Say whether this is a genome of `family` with every gene in its range."""
        if self.family != family.id or len(self.genes) != len(family.genes):
            return False
        pairs = zip(family.genes, self.genes, strict=True)
        return all(gene.low <= value <= gene.high for gene, value in pairs)


def random_genome(family: Family, path: SeedPath) -> Genome:
    """Return a genome drawn evenly over the range of each gene (over its logarithm for spans of time)."""
    chance = Chance((*path, "random"))
    genes = []
    for gene in family.genes:
        if gene.scale == "log":
            genes.append(_from_unit(gene, chance.unit()))
        else:
            genes.append(gene.low + chance.below(gene.high - gene.low + 1))
    return Genome(family=family.id, genes=tuple(genes))


def mutate(genome: Genome, family: Family, path: SeedPath) -> Genome:
    """
    Return a genome with a fifth of its genes moved, at least one; each by at least one unit.

    A moved gene takes a Gaussian step in its image in [0, 1] and is clipped to its range; a mask flips one
    bit. Only a family without genes to move gives the same genome back.
    """
    assert genome.belongs_to(family), f"{genome.canonical} is no genome of {family.id}"
    movable = [i for i, gene in enumerate(family.genes) if gene.low < gene.high]
    if not movable:
        return genome
    chance = Chance((*path, "mutate"))
    picked = [i for i in movable if chance.below(_BPS) < MUTATION_SHARE_BPS]
    genes = list(genome.genes)
    for i in picked or [movable[chance.below(len(movable))]]:
        genes[i] = _moved(family.genes[i], genes[i], chance)
    return Genome(family=family.id, genes=tuple(genes))


def crossover(a: Genome, b: Genome, family: Family, path: SeedPath) -> Genome:
    """
    Return a child of two genomes of one family.

    A block of neighbouring genes comes from `b` and the rest from `a`, because genes that stand together
    work together; then every second gene on average is a blend, anywhere between its parents' values. A
    mask takes each bit from either parent.
    """
    assert a.belongs_to(family), f"{a.canonical} is no genome of {family.id}"
    assert b.belongs_to(family), f"{b.canonical} is no genome of {family.id}"
    count = len(family.genes)
    if count == 0:
        return a
    chance = Chance((*path, "crossover"))
    start, length = chance.below(count), 1 + chance.below(count)
    genes = []
    for i, gene in enumerate(family.genes):
        block = (i - start) % count < length
        inherited = b.genes[i] if block else a.genes[i]
        blended = _blended(gene, a.genes[i], b.genes[i], chance)
        genes.append(blended if chance.below(2) else inherited)
    return Genome(family=family.id, genes=tuple(genes))


def _moved(gene: Gene, value: int, chance: Chance) -> int:
    """Return another value of a gene, near this one."""
    if gene.scale == "mask":
        return _flipped(gene, value, chance)
    step = MUTATION_SIGMA * chance.gauss()
    moved = _from_unit(gene, _to_unit(gene, value) + step)
    if moved != value:
        return moved
    up = value < gene.high and (step >= 0.0 or value == gene.low)
    return value + 1 if up else value - 1


def _flipped(gene: Gene, mask: int, chance: Chance) -> int:
    """Flip one bit: a random one, or the next that leaves the mask in its range."""
    bits = gene.high.bit_length()
    first = chance.below(bits)
    for offset in range(bits):
        flipped = mask ^ (1 << (first + offset) % bits)
        if gene.low <= flipped <= gene.high:
            return flipped
    return gene.low if mask != gene.low else gene.high


def _blended(gene: Gene, a: int, b: int, chance: Chance) -> int:
    """Return a value between two of a gene."""
    share = chance.unit()
    if gene.scale == "mask":
        bits = chance.below(1 << gene.high.bit_length())
        mixed = (a & bits) | (b & ~bits)
        return mixed if gene.low <= mixed <= gene.high else a
    low, high = _to_unit(gene, a), _to_unit(gene, b)
    return _from_unit(gene, low + share * (high - low))


def _to_unit(gene: Gene, value: int) -> float:
    """Return where a value lies in the range of its gene: 0 lowest, 1 highest."""
    if gene.low == gene.high:
        return 0.0
    if gene.scale == "log":
        shift = _shift(gene)
        return log((value + shift) / (gene.low + shift)) / log((gene.high + shift) / (gene.low + shift))
    return (value - gene.low) / (gene.high - gene.low)


def _from_unit(gene: Gene, place: float) -> int:
    """Return the value nearest to a place in the range of a gene; places outside are clipped."""
    if gene.scale == "log":
        shift = _shift(gene)
        low = gene.low + shift
        value = round(low * exp(place * log((gene.high + shift) / low))) - shift
    else:
        value = gene.low + round(place * (gene.high - gene.low))
    return min(max(value, gene.low), gene.high)


def _shift(gene: Gene) -> int:
    """Return what is added so that the lowest value of a log gene has a logarithm."""
    return max(0, 1 - gene.low)
