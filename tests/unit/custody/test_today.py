"""What the arena would do today: only on what is known, and adding up to what there is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.agents.model.family import Gene
from treasury_actors.agents.registry import SHIPPED
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.custody.today import Knowledge, _middle, wishes_today

SEASON = generate_season(universe=MAINNET, seed=5, days=40, warmup_h=0)
USDC = AssetId("USDC")


def known(hours: int, *, fresh: bool = True) -> Knowledge:
    features = Features(MAINNET)
    for frame in list(SEASON.frames())[:hours]:
        features.append(frame if fresh else replace(frame, fresh=(False,) * len(frame.fresh)))
    return Knowledge(features=features, hours=hours, time_s=0, source="a test")


@pytest.fixture(scope="module")
def long() -> Knowledge:
    return known(900)


def test_with_enough_history_everybody_decides_and_the_weights_are_one(long: Knowledge) -> None:
    today = wishes_today(long, MAINNET)

    assert today.deciding == len(today.wishes) == len(SHIPPED)
    assert sum(weight for _, weight in today.allocation) == pytest.approx(1.0, abs=1e-12)
    assert all(weight >= -1e-12 for _, weight in today.allocation)
    assert today.allocation[0][0] == USDC, "what stays in the reserve stands first"


def test_who_needs_a_longer_past_says_how_long_and_gets_no_part() -> None:
    today = wishes_today(known(100), MAINNET)
    mute = {str(wish.family): wish.why_not for wish in today.wishes if wish.why_not}

    assert mute["trend"] == "needs 868 h of history, has 100"
    assert "lending_rotation" not in mute
    assert today.deciding == len(today.wishes) - len(mute)
    assert all(not wish.targets for wish in today.wishes if wish.why_not)


def test_nobody_buys_at_a_price_that_is_not_fresh() -> None:
    today = wishes_today(known(900, fresh=False), MAINNET)

    assert [wish.family for wish in today.wishes if not wish.why_not] == ["idle_cash"]
    assert today.allocation == ((USDC, 1.0),)


def test_the_same_knowledge_gives_the_same_wishes(long: Knowledge) -> None:
    assert wishes_today(long, MAINNET) == wishes_today(long, MAINNET)


@given(
    low=st.integers(0, 10_000), span=st.integers(0, 10_000), scale=st.sampled_from(["linear", "log", "mask"])
)
def test_the_middle_of_a_gene_lies_in_its_range(low: int, span: int, scale: str) -> None:
    gene = Gene(name="x_h", unit="h", low=low, high=low + span, scale=scale)  # type: ignore[arg-type]

    assert low <= _middle(gene) <= low + span
