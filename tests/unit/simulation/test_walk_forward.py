"""The walk-forward: folds that never see their test, one curve, figures that are undefined where they are."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from treasury_actors.clock import DAY_NS
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.windows import DAY_FRAMES, TooShort, sample_windows
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import START_NS, generate_season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.evidence.config import EvidenceConfig, load_evidence_config
from treasury_actors.simulation.evidence.fixed_arms import WBTC, WETH
from treasury_actors.simulation.evidence.folds import make_folds
from treasury_actors.simulation.evidence.history import Archive, History
from treasury_actors.simulation.evidence.walk_forward import BENCHMARKS, concatenate, verdict_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def config() -> EvidenceConfig:
    shipped = load_evidence_config(ROOT / "configs" / "evidence.toml")
    windows = shipped.sections.windows.model_copy(
        update={"days": 7, "validation_days": 7, "test_days": 10, "warmup_h": 240}
    )
    return replace(shipped, sections=shipped.sections.model_copy(update={"windows": windows}))


@pytest.fixture(scope="module")
def archive() -> Archive:
    """Two histories with a gap: 130 days, and later 45 more without a warm-up of their own."""
    return Archive(
        histories=(
            History(season=generate_season(universe=MAINNET, seed=1, days=130, warmup_h=240)),
            History(
                season=generate_season(
                    universe=MAINNET, seed=2, days=45, warmup_h=0, start_ns=START_NS + 200 * DAY_NS
                )
            ),
        )
    )


def test_a_fold_learns_from_what_lies_before_its_validation_and_that_before_its_test(
    archive: Archive, config: EvidenceConfig
) -> None:
    folds = make_folds(archive, config, start_ns=None, end_ns=None)
    order = {history.name: place for place, history in enumerate(archive.histories)}
    for fold in folds:
        if fold.validation.history == fold.test.history:
            assert fold.validation.last_frame + 48 <= fold.test.first_frame
        else:
            assert order[fold.validation.history] < order[fold.test.history]
        windows = sample_windows(fold.spans, config.windows)
        if isinstance(windows, TooShort):
            continue
        for window in windows:
            assert (order[window.history], window.last_frame + 48) <= (
                order[fold.validation.history],
                fold.validation.first_frame,
            )


def test_tests_lie_end_to_end_pause_at_a_gap_and_the_last_may_be_short(
    archive: Archive, config: EvidenceConfig
) -> None:
    folds = make_folds(archive, config, start_ns=None, end_ns=None)
    for history in archive.histories:
        tests = [fold.test for fold in folds if fold.test.history == history.name]
        for before, after in pairwise(tests):
            assert before.last_frame == after.first_frame
            assert before.days == 10
        assert 1 <= tests[-1].days <= 10
        assert tests[-1].last_frame <= history.season.frame_count - 1 < tests[-1].last_frame + DAY_FRAMES


def test_bounds_cut_what_is_tested_and_nothing_else(archive: Archive, config: EvidenceConfig) -> None:
    start, end = START_NS + 90 * DAY_NS, START_NS + 115 * DAY_NS
    folds = make_folds(archive, config, start_ns=start, end_ns=end)
    assert [fold.test.first_frame for fold in folds] == [90 * 24, 100 * 24, 110 * 24]
    assert [fold.test.days for fold in folds] == [10, 10, 5]
    assert min(span.first_frame for span in folds[0].spans) == 0
    with pytest.raises(ConfigError, match="no day to test on; the data have 2001"):
        make_folds(archive, config, start_ns=START_NS + 400 * DAY_NS, end_ns=None)


def test_early_folds_have_too_little_before_them(archive: Archive, config: EvidenceConfig) -> None:
    folds = make_folds(archive, config, start_ns=None, end_ns=None)
    verdicts = [sample_windows(fold.spans, config.windows) for fold in folds]
    assert isinstance(verdicts[0], TooShort)
    assert isinstance(verdicts[-1], tuple)


def fold(start: str, mine: list[float], lent: list[float], ether: list[float]) -> dict[str, Any]:
    daily = {arm: list(lent) for arm in BENCHMARKS} | {"ga": mine}
    bitcoin = [value * value * 10 for value in ether]
    return {
        "start": start,
        "days": len(mine),
        "daily": daily,
        "factors": {WETH: ether, WBTC: bitcoin},
    }


def test_the_curve_is_the_product_of_all_days_and_alpha_is_what_the_market_is_not() -> None:
    ether = [0.03 if day % 3 else -0.05 for day in range(60)]
    lent = [0.0001] * 60
    mine = [0.0001 + 0.0002 + 0.5 * (value - 0.0001) for value in ether]
    figures = concatenate(
        [fold("a", mine[:40], lent[:40], ether[:40]), fold("b", mine[40:], lent[40:], ether[40:])], sharpes=[]
    )
    assert figures["days"] == 60
    grown = 1.0
    for value in mine:
        grown *= 1.0 + value
    assert figures["return"] == pytest.approx(grown - 1.0)
    assert figures["curve"][-1][2] == pytest.approx(grown)
    assert figures["curve"][-1][:2] == ("b", 60)
    assert figures["apy"] is None
    assert figures["dsr"] is None
    assert figures["over_lending_a_fold"]["low"] is not None
    assert figures["benchmarks"]["lending"] == pytest.approx(1.0001**60 - 1.0)


def test_nothing_tested_is_insufficient_and_every_figure_undefined() -> None:
    figures = concatenate([{"insufficient": "90 days hold 1 window"}], sharpes=[])
    assert figures["days"] == 0
    assert figures["return"] is None
    assert figures["alpha"] is None
    assert figures["beta"] == {"eth": None, "btc": None}
    assert verdict_of(figures, ["90 days hold 1 window"]) == "INSUFFICIENT: 90 days hold 1 window"


@pytest.mark.parametrize(
    ("t", "dsr", "begins"),
    [(2.5, 0.97, "SUPPORTED"), (2.5, 0.9, "NOT PROVEN"), (1.5, 1.0, "NOT PROVEN"), (2.5, None, "NOT PROVEN")],
)
def test_a_verdict_asks_for_alpha_and_for_the_luck_of_many_trials(
    t: float, dsr: float | None, begins: str
) -> None:
    told = verdict_of({"days": 600, "alpha": 0.03, "alpha_t": t, "dsr": dsr}, [])
    assert told.startswith(f"{begins}: alpha +3.0% a year")


def test_an_arm_that_funded_nobody_earned_nothing() -> None:
    figures = concatenate([fold("a", [0.0] * 30, [0.0001] * 30, [0.01, -0.01] * 15)], sharpes=[0.1])
    assert figures["return"] == 0.0
    assert figures["vol"] == 0.0
    assert figures["max_drawdown"] == 0.0
    assert AssetId("WETH") == WETH
