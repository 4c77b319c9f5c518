"""What may be concluded, and what not."""

from dataclasses import replace

import pytest

from treasury_actors.agents.model.metrics.regression import Regression
from treasury_actors.reports.verdict import Evidence, Rival, judge

FIT = Regression(
    alpha_day_ratio=0.0002,
    alpha_se_ratio=0.00008,
    alpha_t=2.5,
    betas=(0.1, 0.1),
    beta_ts=(9.0, 9.0),
    days=730,
    lags=6,
)
BEST = Evidence(
    label="HYPOTHETICAL",
    days=730.0,
    seasons=2,
    books_hold=True,
    nav_micro_usd=600_000_000_000,
    gain_micro_usd=95_000_000_000,
    beta_micro_usd=1_000_000_000,
    rivals=tuple(Rival(title=title, nav_micro_usd=520_000_000_000) for title in ("lending", "random agents")),
    regression=FIT,
    dead_count=0,
    dead_pnl_micro_usd=0,
)


def _changed(**changes: object) -> Evidence:
    return replace(BEST, **changes)  # type: ignore[arg-type]


def test_only_a_long_better_and_significant_record_is_supported() -> None:
    verdict = judge(BEST)

    assert verdict.label == "SUPPORTED"
    assert verdict.next_steps


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"days": 364.0}, "too short"),
        ({"seasons": 1}, "One season"),
        ({"rivals": (Rival(title="lending", nav_micro_usd=600_000_000_000),)}, "lending"),
        ({"rivals": (Rival(title="random agents", nav_micro_usd=None),)}, "Not computed"),
        ({"regression": None}, "Too few days"),
        ({"regression": replace(FIT, alpha_t=2.0)}, "t = 2.0"),
        ({"regression": replace(FIT, alpha_t=None)}, "Too few"),
        ({"beta_micro_usd": 90_000_000_000}, "95% of the gain"),
        ({"beta_micro_usd": 99_000_000_000}, "More than all"),
    ],
)
def test_each_single_doubt_leaves_it_not_proven_and_says_why(changes: dict[str, object], word: str) -> None:
    verdict = judge(_changed(**changes))

    assert verdict.label == "NOT PROVEN"
    assert any(word in reason for reason in verdict.reasons), verdict.reasons


def test_a_generated_season_is_never_evidence() -> None:
    assert judge(_changed(label="GENERATED")).label == "NOT EVIDENCE"


def test_books_that_do_not_hold_are_never_evidence() -> None:
    assert judge(_changed(books_hold=False)).label == "NOT EVIDENCE"


def test_a_lived_year_needs_no_second_season() -> None:
    assert judge(_changed(label="LIVE", seasons=1)).label == "SUPPORTED"


def test_the_dead_are_mentioned_whatever_the_verdict() -> None:
    verdict = judge(_changed(dead_count=12, dead_pnl_micro_usd=-5_000_000_000))

    assert any("12 agents" in reason and "-$5,000" in reason for reason in verdict.reasons)
