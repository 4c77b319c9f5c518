"""Genomes and windows for tests of the evaluators."""

from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.genome import Genome, random_genome
from treasury_actors.evolution.model.windows import Window
from treasury_actors.simulation.evidence.history import History


def genomes_of(family: Family, count: int, *, seed: int = 5) -> list[Genome]:
    """Return random genomes of a family, always the same."""
    return [random_genome(family, (seed, "evaluated", number)) for number in range(count)]


def window_of(history: History, *, first_frame: int, days: int) -> Window:
    """Return a window of a history."""
    return Window(history=history.name, label=history.label, first_frame=first_frame, days=days)
