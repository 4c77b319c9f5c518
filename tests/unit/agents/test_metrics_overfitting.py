"""Luck: of short records, of many trials, of choosing the best."""

from itertools import combinations
from math import log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from treasury_actors.agents.model.metrics.cscv import null_overfitting, overfitting_probability
from treasury_actors.agents.model.metrics.overfitting import (
    SharpeMoments,
    deflated_sharpe,
    expected_max_sharpe,
    minimum_track_record,
    periods_needed,
    probabilistic_sharpe,
    sharpe_moments,
)
from treasury_actors.agents.model.metrics.trials import effective_trials, mean_correlation, trial_clusters

Floats = NDArray[np.float64]


def draws(rows: int, columns: int, seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((rows, columns)) * 0.02


def listed(table: Floats) -> list[list[float]]:
    """Return the columns of a table."""
    return [[float(value) for value in column] for column in table.T]


def pbo_of_the_paper(table: Floats, blocks: int) -> float:
    """Return the PBO step by step, as the paper has it, with plain Sharpe ratios."""
    rows, trials = table.shape
    parts = [table[rows * b // blocks : rows * (b + 1) // blocks] for b in range(blocks)]
    logits = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[b] for b in chosen])
        outside = np.concatenate([parts[b] for b in range(blocks) if b not in chosen])
        best = int(np.argmax(inside.mean(0) / inside.std(0, ddof=1)))
        scores = outside.mean(0) / outside.std(0, ddof=1)
        rank = int((scores < scores[best]).sum()) + 1
        share = rank / (trials + 1)
        logits.append(log(share / (1.0 - share)))
    return float(np.mean([logit <= 0.0 for logit in logits]))


@pytest.mark.parametrize(("annual", "days"), [(0.5, 3952), (1.0, 990), (1.5, 441), (2.0, 249), (3.0, 112)])
def test_how_long_a_normal_record_must_be_to_show_any_skill(annual: float, days: int) -> None:
    """Two days more than the rule of thumb, 365 (1.645 / SR)^2."""
    needed = periods_needed(SharpeMoments(periods=0, sharpe=annual / sqrt(365)))

    assert needed is not None
    assert round(needed) == days
    assert needed == pytest.approx(1.0 + 1.6448536269514722**2 * (365 / annual**2 + 0.5), rel=1e-14)


def test_no_length_is_enough_for_a_sharpe_that_is_not_above_the_benchmark() -> None:
    moments = SharpeMoments(periods=100, sharpe=0.1)

    assert periods_needed(moments, benchmark=0.1) is None
    assert periods_needed(moments, benchmark=0.2) is None
    assert periods_needed(SharpeMoments(periods=100, sharpe=1e-200)) is None, "more than a float holds"
    for confidence in (0.5, 1.0, float("nan")):
        with pytest.raises(ValueError, match="a confidence of"):
            periods_needed(moments, confidence=confidence)


def test_probabilities_of_what_does_not_move_or_is_too_short_are_none() -> None:
    for excess in ([], [0.01, 0.02], [0.01] * 50):
        assert sharpe_moments(excess) is None
        assert probabilistic_sharpe(excess) is None
        assert minimum_track_record(excess) is None
        assert deflated_sharpe(excess, [0.1, 0.2]) is None


def test_a_variance_that_is_not_positive_gives_no_probability() -> None:
    """Skew of 3 at a Sharpe ratio of 1 a period: the expansion behind the formula has broken down."""
    moments = SharpeMoments(periods=100, sharpe=1.0, skew=3.0, kurtosis=5.0)

    assert moments.variance is None
    assert periods_needed(moments) is None


def test_small_probabilities_keep_their_digits() -> None:
    falling = [-0.002 + 0.002 * (-1) ** day for day in range(400)]
    found = probabilistic_sharpe(falling)

    assert found is not None
    assert 0.0 < found < 1e-80


def test_more_trials_ask_for_more() -> None:
    bars = [expected_max_sharpe(trials=n, deviation_of_trials=1.0) for n in (1, 1.5, 2, 50, 1000, 1e15, 1e30)]

    assert bars[0] == 0.0
    assert bars == sorted(bars)
    assert bars[3] == pytest.approx(2.28, abs=0.005)
    assert bars[4] == pytest.approx(3.26, abs=0.005)
    assert expected_max_sharpe(trials=1000, deviation_of_trials=0.0) == 0.0
    for trials, spread in ((0.9, 1.0), (10.0, -1.0), (float("nan"), 1.0)):
        with pytest.raises(ValueError, match=r"trials|nan"):
            expected_max_sharpe(trials=trials, deviation_of_trials=spread)


def test_the_deflated_ratio_falls_with_the_trials_that_were_made() -> None:
    excess = listed(draws(365, 1, 3) + 0.002)[0]
    ratios = [float(x) for x in np.random.default_rng(4).standard_normal(50) * 0.05]
    alone, few, many = (deflated_sharpe(excess, ratios, trials=trials) for trials in (1, 50, 5000))

    assert alone == probabilistic_sharpe(excess)
    assert few == deflated_sharpe(excess, ratios)
    assert alone is not None
    assert few is not None
    assert many is not None
    assert alone > few > many
    assert deflated_sharpe(excess, []) is None
    assert deflated_sharpe(excess, [0.1]) == alone
    with pytest.raises(ValueError, match="nan"):
        deflated_sharpe(excess, [0.1, float("nan")])


@pytest.mark.parametrize(("rows", "columns", "blocks"), [(180, 12, 10), (183, 7, 10), (60, 5, 6), (40, 2, 4)])
def test_the_overfitting_probability_is_that_of_the_paper(rows: int, columns: int, blocks: int) -> None:
    for seed in range(3):
        table = draws(rows, columns, seed)
        found = overfitting_probability(listed(table), blocks=blocks)
        assert found == pytest.approx(pbo_of_the_paper(table, blocks), abs=1e-15)


def test_real_skill_survives_and_mirrored_luck_does_not() -> None:
    table = draws(180, 20, 5)
    skilled = table.copy()
    skilled[:, 3] += 0.02
    mirrored = np.concatenate([table, -table])  # the second half undoes the first, column by column

    assert overfitting_probability(listed(skilled)) == 0.0
    assert overfitting_probability(listed(mirrored), blocks=2) == 1.0


def test_choosing_among_equals_is_no_choice() -> None:
    column = listed(draws(180, 1, 6))[0]

    assert overfitting_probability([column] * 5) == 1.0
    assert overfitting_probability([[0.0001] * 180, [0.0002] * 180]) == 0.0, "steady and better, always"


def test_too_little_to_split_has_no_overfitting_probability() -> None:
    assert overfitting_probability([]) is None
    assert overfitting_probability(listed(draws(180, 1, 1))) is None
    assert overfitting_probability(listed(draws(99, 5, 1))) is None
    assert null_overfitting([]) is None
    assert null_overfitting(listed(draws(99, 5, 1))) is None
    for blocks in (0, 5, 18):
        with pytest.raises(ValueError, match="blocks"):
            overfitting_probability(listed(draws(180, 5, 1)), blocks=blocks)
    with pytest.raises(ValueError, match="one number of each"):
        overfitting_probability([[0.1] * 100, [0.1] * 99])
    with pytest.raises(ValueError, match="draws"):
        null_overfitting(listed(draws(180, 5, 1)), draws=1)


def test_the_null_is_what_was_measured_for_noise_and_ignores_the_skill_put_in() -> None:
    """Noise of 180 days and 50 trials: 0.48 +- 0.16 over fresh histories."""
    table = draws(180, 50, 7)
    skilled = table.copy()
    skilled[:, 3] += 0.02
    found = null_overfitting(listed(skilled), draws=40)

    assert found is not None
    assert found.mean == pytest.approx(0.48, abs=0.1)
    assert found.sd == pytest.approx(0.16, abs=0.05)
    assert overfitting_probability(listed(skilled)) == 0.0


def test_the_null_is_the_same_for_the_same_seed() -> None:
    columns = listed(draws(60, 5, 8))
    first, again, other = (null_overfitting(columns, draws=9, blocks=6, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_copies_of_one_idea_are_one_trial() -> None:
    ideas = draws(180, 4, 9)
    copies = np.concatenate([ideas + draws(180, 4, 10 + copy) * 0.1 for copy in range(5)], axis=1)

    assert trial_clusters(listed(copies)) == 4
    assert trial_clusters(listed(draws(180, 30, 20))) == 30
    assert trial_clusters(listed(ideas[:, :1]) * 7) == 1
    assert effective_trials(listed(ideas[:, :1]) * 7) == pytest.approx(1.0)


def test_effective_trials_are_the_larger_of_two_counts() -> None:
    half = draws(400, 1, 30) + draws(400, 20, 31)
    rho = mean_correlation(listed(half))

    assert rho is not None
    assert rho == pytest.approx(0.5, abs=0.05)
    assert effective_trials(listed(half), correlation_min=0.1) == pytest.approx(20 * (1 - rho) + rho)
    assert effective_trials(listed(half), correlation_min=1.0) == 20.0


def test_the_mean_correlation_is_that_of_all_pairs() -> None:
    table = draws(100, 8, 40) + 0.5 * draws(100, 1, 41)
    pairs = np.array(np.corrcoef(table.T))[np.triu_indices(8, 1)]

    assert mean_correlation(listed(table)) == pytest.approx(float(pairs.mean()), rel=1e-12)
    assert mean_correlation(listed(table)[:1]) is None


def test_trials_that_do_not_move_count_as_one_together() -> None:
    moving, still = listed(draws(100, 3, 50)), [[0.0001] * 100, [0.0] * 100]

    assert trial_clusters(moving + still) == 4
    assert effective_trials(still) == 1.0
    assert effective_trials(moving + still) == pytest.approx(4.0, abs=0.2)
    assert effective_trials([]) is None
    with pytest.raises(ValueError, match="correlation"):
        trial_clusters(moving, correlation_min=0.0)
