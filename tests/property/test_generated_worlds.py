"""What holds of every generated season, whatever its seed and length."""

from hypothesis import given, settings
from hypothesis import strategies as st

from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.generated_chance import growth, hourly_draws
from treasury_actors.market.model.generated_rates import POOLS, supply_rate
from treasury_actors.market.model.shipped import MAINNET

SEEDS = st.integers(min_value=0, max_value=2**63)


@settings(max_examples=12, deadline=None)
@given(seed=SEEDS, days=st.integers(1, 6), more=st.integers(1, 6), warmup_h=st.integers(0, 60))
def test_a_shorter_season_is_the_beginning_of_a_longer_one(
    seed: int, days: int, more: int, warmup_h: int
) -> None:
    short = generate_season(universe=MAINNET, seed=seed, days=days, warmup_h=warmup_h)
    long = generate_season(universe=MAINNET, seed=seed, days=days + more, warmup_h=warmup_h)

    assert long.frame_count > short.frame_count
    for index in range(-warmup_h, short.frame_count):
        assert repr(short.frame(index)) == repr(long.frame(index))  # NaN is not equal to itself


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, warmup_h=st.integers(0, 30))
def test_every_frame_can_be_traded_on(seed: int, warmup_h: int) -> None:
    season = generate_season(universe=MAINNET, seed=seed, days=8, warmup_h=warmup_h)

    for frame in season.frames():
        assert min(frame.ticks) > 0
        assert all(frame.fresh)
        assert min(frame.depth_usd) > 0.0
        assert min(frame.capacity_usd) > 0.0
        assert frame.l1_gas_gwei > 0.0


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, stream=st.integers(1, 500), hours=st.integers(1, 40), more=st.integers(0, 40))
def test_draws_of_an_hour_do_not_depend_on_how_many_hours_follow(
    seed: int, stream: int, hours: int, more: int
) -> None:
    few = hourly_draws(seed, stream, hours, normals=2, uniforms=3)
    many = hourly_draws(seed, stream, hours + more, normals=2, uniforms=3)

    assert few == (many[0][:hours], many[1][:hours])
    assert all(abs(draw) < 6.0 for row in few[0] for draw in row)
    assert all(0.0 <= draw < 1.0 for row in few[1] for draw in row)


@given(low=st.floats(-6.0, 6.0), step=st.floats(1e-6, 3.0))
def test_growth_is_positive_and_rises(low: float, step: float) -> None:
    assert 0.0 < growth(low) < growth(low + step)


@given(
    token=st.sampled_from(["aUSDC", "aUSDT", "aWETH"]), use=st.floats(0.0, 0.99), slope=st.floats(0.0, 0.3)
)
def test_the_supply_rate_rises_with_utilisation(token: str, use: float, slope: float) -> None:
    pool = POOLS[AssetId(token)]

    assert 0.0 <= supply_rate(pool, use, slope) <= supply_rate(pool, use + 0.01, slope)
    assert supply_rate(pool, 1.0, slope) <= slope + pool.steep
