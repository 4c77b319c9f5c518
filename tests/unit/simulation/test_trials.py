"""Trying genomes: a question is asked once; other windows, costs or formulas make it another."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.evolution.courses import DAYS, course, window
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.trial import Trial
from treasury_actors.evolution.model.vetoes import VetoPolicy
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.window_fitness import FitnessPolicy, Insufficient, Judged, WindowFitness
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import FamilyId
from treasury_actors.simulation.evidence.arms import Grounds
from treasury_actors.simulation.evidence.trials import Ground, Trials

POLICY = FitnessPolicy(vetoes=VetoPolicy(apy_ratio_max=1e9, sharpe_max=1e9))
WINDOWS = tuple(window(number) for number in range(8))
GENOMES = [Genome(family=FamilyId("trend"), genes=(number,)) for number in range(4)]


class Book:
    """A log of trials in memory."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Judged] = {}
        self.trials: list[Trial] = []
        self.looked: list[Window] = []

    def judged(self, key: str) -> Judged | None:
        return self.verdicts.get(key)

    def add(self, trials: Sequence[Trial]) -> None:
        self.trials += trials
        self.verdicts.update({trial.key: trial.judged for trial in trials})

    def describe(self, window_set: str, windows: Sequence[Window]) -> None:
        assert len(window_set) == 64

    def look(self, run: str, windows: Sequence[Window]) -> None:
        self.looked += windows


class Market:
    """An evaluator that counts what it was asked; a genome earns its first gene in bps a day."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, genomes: Sequence[Genome], at: Window) -> list[WindowCourse]:
        self.asked += [(genome.canonical, at.name) for genome in genomes]
        return [course(at, [genome.genes[0] * 1e-4] * DAYS) for genome in genomes]


def ground(market: Market, windows: tuple[Window, ...] = WINDOWS) -> Ground:
    return Ground(
        windows=windows,
        evaluate=market,
        lending={each: [0.0] * DAYS for each in windows},
        policy=POLICY,
        costs="base x 1",
        in_world=False,
    )


def test_what_was_tried_before_is_remembered_and_counted_as_asked() -> None:
    book, market = Book(), Market()
    trials = Trials(book, run="r", engine="e", seed=1)
    first = trials.judge(ground(market), [GENOMES[0], GENOMES[1], GENOMES[0]], arm="ga", purpose="fitness")
    assert len(market.asked) == 2 * 8
    assert first[0] == first[2]
    again = trials.judge(ground(market), GENOMES, arm="ga", purpose="fitness")
    assert len(market.asked) == 4 * 8
    assert again[:2] == first[:2]
    assert len(book.trials) == 3 + 4


def test_a_search_that_begins_again_asks_the_book_and_not_the_market() -> None:
    book, market = Book(), Market()
    Trials(book, run="r", engine="e", seed=1).judge(ground(market), GENOMES, arm="ga", purpose="fitness")
    asked = list(market.asked)
    Trials(book, run="r", engine="e", seed=1).judge(ground(market), GENOMES, arm="ga", purpose="fitness")
    assert market.asked == asked


@pytest.mark.parametrize("changed", ["windows", "data", "costs", "policy", "engine", "seed"])
def test_nothing_stale_is_taken_for_an_answer(changed: str) -> None:
    book, market = Book(), Market()
    here = ground(market)
    Trials(book, run="r", engine="e", seed=1).judge(here, GENOMES, arm="ga", purpose="fitness")
    before = len(market.asked)
    moved = tuple(replace(each, first_frame=each.first_frame + 24) for each in WINDOWS)
    other_data = tuple(replace(each, history="cd" * 32) for each in WINDOWS)
    there = {
        "windows": ground(market, moved),
        "data": ground(market, other_data),
        "costs": replace(here, costs="base x 2"),
        "policy": replace(here, policy=replace(POLICY, standard_errors=1.0)),
    }.get(changed, here)
    trials = Trials(
        book, run="r", engine="f" if changed == "engine" else "e", seed=2 if changed == "seed" else 1
    )
    trials.judge(there, GENOMES, arm="ga", purpose="fitness")
    assert len(market.asked) == 2 * before


def test_when_windows_rotate_survivors_are_evaluated_on_the_new_ones() -> None:
    market = Market()
    later = tuple(window(20 + number) for number in range(8))
    grounds = Grounds(
        fit=(ground(market), ground(market, later)),
        validation=ground(market, (window(90),)),
        stress=ground(market),
        lending_ppb=0,
        rotate_every=5,
    )
    assert [grounds.fit_of(number).window_set for number in (0, 4)] == [grounds.fit[0].window_set] * 2
    assert [grounds.fit_of(number).window_set for number in (5, 9, 30)] == [grounds.fit[1].window_set] * 3
    trials = Trials(Book(), run="r", engine="e", seed=1)
    for generation in (0, 4, 5, 6):
        trials.judge(grounds.fit_of(generation), GENOMES[:1], arm="ga", purpose="fitness")
    assert [name for _, name in market.asked] == [each.name for each in (*WINDOWS, *later)]


def test_a_genome_is_worth_the_same_bit_for_bit_whoever_asks() -> None:
    verdicts = [
        Trials(Book(), run=run, engine="e", seed=seed).judge(
            ground(Market()), [GENOMES[3]], arm="ga", purpose="fitness"
        )[0]
        for run, seed in (("r", 1), ("other", 2))
    ]
    assert isinstance(verdicts[0], WindowFitness)
    assert verdicts[0] == verdicts[1]


def test_too_few_windows_are_written_down_as_that() -> None:
    book = Book()
    trials = Trials(book, run="r", engine="e", seed=1)
    verdicts = trials.judge(ground(Market(), WINDOWS[:7]), GENOMES, arm="ga", purpose="fitness")
    assert verdicts == [Insufficient(windows=7, needed=8)] * 4
    assert [trial.judged for trial in book.trials] == verdicts


def test_a_look_at_a_test_window_is_written_down() -> None:
    book = Book()
    Trials(book, run="r", engine="e", seed=1).look([window(3)])
    assert book.looked == [window(3)]
