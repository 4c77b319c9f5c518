"""What every shipped family promises for every genome, over odd markets: 400 hours, gaps, late listings."""

from functools import cache
from math import isfinite

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.agents.markets import ask, live_through, odd_market, view_of
from treasury_actors.agents.model.checks import checked_targets, family_problem, genome_problem
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.agents.registry import SHIPPED
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET

LENGTH = 400
SEEDS = st.integers(0, 5)
FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=60, deadline=None)
EVERY_FAMILY = pytest.mark.parametrize("family", SHIPPED, ids=lambda family: family.id)

Lived = list[tuple[tuple[float, ...], list[float]]]


@cache
def odd_features(seed: int) -> Features:
    return odd_market(seed, LENGTH)


@cache
def longer_features(seed: int, future: int) -> Features:
    return odd_market(1_000 + future, 60, after=odd_market(seed, LENGTH))


def genomes(family: Family) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*(st.integers(gene.low, gene.high) for gene in family.genes))


def written(lived: Lived) -> bytes:
    """Return every bit of what was lived."""
    return "\n".join(f"{[x.hex() for x in (*state, *targets)]}" for state, targets in lived).encode()


@st.composite
def odd_weights(draw: st.DrawFn, slots: int) -> tuple[float, ...]:
    """Draw what a portfolio may hold: any share of each slot, at most all in all."""
    parts = draw(st.lists(st.sampled_from([0.0, 0.0, 0.003, 0.05, 0.3, 1.0]), min_size=slots, max_size=slots))
    whole = max(1.0, sum(parts))
    return tuple(part / whole for part in parts)


@EVERY_FAMILY
def test_a_family_is_whole(family: Family) -> None:
    assert family_problem(family) is None
    lows = tuple(gene.low for gene in family.genes)
    assert genome_problem(family, lows) is None


@EVERY_FAMILY
@MANY
@given(data=st.data(), seed=SEEDS, end=st.integers(1, LENGTH))
def test_weights_are_valid_whatever_is_held(family: Family, data: st.DataObject, seed: int, end: int) -> None:
    features = odd_features(seed)
    genes = data.draw(genomes(family))
    held = data.draw(odd_weights(len(family.assets(MAINNET))))
    view = view_of(family, features, 0, held, end)
    state, targets = family.decide(family.state(), view, family.genome(*genes))
    assert checked_targets(targets, view.count) == targets
    assert all(isfinite(number) for number in state), "the journal can't hold a state that isn't finite"
    for slot, target in enumerate(targets):
        if not view.tradable(slot):
            assert target == pytest.approx(held[slot], abs=1e-12), "what can't be traded stays as it is"


@EVERY_FAMILY
@FEW
@given(data=st.data(), seed=SEEDS, future=st.integers(0, 2))
def test_the_future_changes_nothing_before_it(
    family: Family, data: st.DataObject, seed: int, future: int
) -> None:
    genes = data.draw(genomes(family))
    before = live_through(family, genes, odd_features(seed), warmup=0, until=LENGTH)
    after = live_through(family, genes, longer_features(seed, future), warmup=0, until=LENGTH)
    assert written(before) == written(after)


@EVERY_FAMILY
@FEW
@given(data=st.data(), seed=SEEDS)
def test_a_second_run_gives_the_same_bytes(family: Family, data: st.DataObject, seed: int) -> None:
    genes = data.draw(genomes(family))
    first = live_through(family, genes, odd_features(seed), warmup=0, until=LENGTH)
    for state, targets in first:
        assert all(type(number) is float for number in (*state, *targets)), "compiled code knows one type"
        checked_targets(targets, len(family.assets(MAINNET)))
    again = live_through(family, genes, odd_market(seed, LENGTH), warmup=0, until=LENGTH)
    assert written(first) == written(again)


@EVERY_FAMILY
@MANY
@given(data=st.data(), length=st.integers(1, 30))
def test_a_market_of_which_nothing_is_known_is_left_alone(
    family: Family, data: st.DataObject, length: int
) -> None:
    features = _unknown(length)
    genes = data.draw(genomes(family))
    held = data.draw(odd_weights(len(family.assets(MAINNET))))
    assert ask(family, genes, features, held) == KEEP


@pytest.mark.parametrize("family", [f for f in SHIPPED if f.id != "idle_cash"], ids=lambda family: family.id)
def test_a_family_trades_in_some_market(family: Family) -> None:
    quick = tuple(min(gene.high, max(gene.low, (2 * gene.low + gene.high) // 3)) for gene in family.genes)
    quick = tuple(
        min(gene.high, max(gene.low, 24)) if gene.unit == "h" else value
        for gene, value in zip(family.genes, quick, strict=True)
    )
    lives = [live_through(family, quick, odd_features(seed), warmup=0, until=LENGTH) for seed in range(4)]
    assert any(targets for lived in lives for _, targets in lived)


def test_a_strategy_that_peeks_is_caught() -> None:
    """The positive control: the test of the future can fail."""

    def peek(state: tuple[float, ...], view: View, genome: tuple[int, ...]) -> tuple[object, list[float]]:
        newest = view._features.ticks[MAINNET.column[view_assets[0]]][-1]
        return state, [newest % 100 / 100.0] + [0.0] * (view.count - 1)

    honest = next(family for family in SHIPPED if family.id == "threshold_rebalance")
    view_assets = honest.assets(MAINNET)
    peeking = Family(
        id=honest.id,
        story=honest.story,
        genes=(),
        genome=tuple,
        state=tuple,
        assets=honest.assets,
        slowest_span_h=lambda _: 0,
        decide=peek,
    )
    before = live_through(peeking, (), odd_features(0), warmup=0, until=LENGTH)
    after = live_through(peeking, (), longer_features(0, 0), warmup=0, until=LENGTH)
    assert written(before) != written(after)


@cache
def _unknown(length: int) -> Features:
    """Return features of frames in which no price and no rate is known."""
    features = Features(MAINNET)
    columns, conversions = len(MAINNET.assets), len(MAINNET.conversions)
    for index in range(length):
        features.append(
            MarketFrame(
                index=index,
                time_ns=index,
                ticks=(0,) * columns,
                fresh=(False,) * columns,
                rates=(float("nan"),) * columns,
                share_prices=(1.0,) * columns,
                depth_usd=(0.0,) * conversions,
                capacity_usd=(0.0,) * conversions,
                l1_gas_gwei=1.0,
                tbill_rate=float("nan"),
            )
        )
    return features
