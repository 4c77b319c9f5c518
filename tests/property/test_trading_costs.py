"""No conversion gives more than its value, and what it costs is accounted for to the micro-dollar."""

from dataclasses import replace
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.desk import frame
from treasury_actors.ids import AssetId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.model.costs import quote
from treasury_actors.trading.model.settlement import charge_gas
from treasury_actors.trading.model.valuation import exit_nav_micro_usd, nav_micro_usd

CONVERSIONS = st.sampled_from(MAINNET.conversions)
UNITS = st.one_of(st.integers(0, 10**9), st.integers(0, 10**30))
TICKS = st.one_of(st.just(0), st.integers(1, 10**16))
USD = st.one_of(st.just(0.0), st.just(inf), st.floats(0.0, 1e12))
BPS = st.one_of(st.just(0.0), st.floats(0.0, 10_000.0))


@given(CONVERSIONS, UNITS, TICKS, TICKS, USD, USD, BPS, BPS)
def test_value_in_is_value_out_plus_fee_plus_impact(  # noqa: PLR0917 (hypothesis gives them by place)
    conversion: Conversion,
    units: int,
    source_ticks: int,
    target_ticks: int,
    depth_usd: float,
    capacity_usd: float,
    fee_bps: float,
    haircut_bps: float,
) -> None:
    step = replace(conversion, fee_bps=fee_bps, haircut_bps=haircut_bps)
    market = frame(0, depth_usd=depth_usd, capacity_usd=capacity_usd)
    ticks = list(market.ticks)
    ticks[MAINNET.column[step.source]] = source_ticks
    ticks[MAINNET.column[step.target]] = target_ticks
    market = replace(market, ticks=tuple(ticks))
    source, target = MAINNET.by_id[step.source], MAINNET.by_id[step.target]

    bought = quote(MAINNET, step, units, market)

    if bought is None:
        return
    taken_micro_usd = target.value_micro_usd(bought.taken_units, target_ticks)
    assert bought.value_micro_usd == source.value_micro_usd(bought.given_units, source_ticks)
    assert bought.value_micro_usd == taken_micro_usd + bought.fee_micro_usd + bought.impact_micro_usd
    assert bought.fee_micro_usd >= 0
    assert bought.impact_micro_usd >= 0
    assert bought.taken_units > 0
    assert 0 < bought.given_units <= units
    assert bought.partial or bought.given_units == units
    assert bought.value_micro_usd <= max(capacity_usd * 1e6, 0.0)


@given(st.integers(0, 10**20), st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 10**12))
def test_gas_is_charged_up_and_never_more_than_the_purse(
    gas_wei: int, purse: int, gas_ticks: int, reserve_ticks: int
) -> None:
    market = frame(0)
    ticks = list(market.ticks)
    ticks[MAINNET.column[MAINNET.gas]] = gas_ticks
    ticks[MAINNET.column[MAINNET.reserve]] = reserve_ticks
    charge = charge_gas(MAINNET, gas_wei, purse, replace(market, ticks=tuple(ticks)))

    assert 0 <= charge.paid_units <= purse
    scale = 10 ** (18 + 7 - 6)
    assert charge.micro_usd * scale >= gas_wei * gas_ticks > (charge.micro_usd - 1) * scale or gas_wei == 0
    reserve = MAINNET.by_id[MAINNET.reserve]
    paid_micro_usd = reserve.value_micro_usd(charge.paid_units, reserve_ticks)
    assert charge.paid_units == purse or paid_micro_usd >= charge.micro_usd


HOLDINGS = st.dictionaries(st.sampled_from([asset.id for asset in MAINNET.assets]), st.integers(0, 10**24))


@given(HOLDINGS, USD, USD)
def test_a_sale_never_brings_more_than_the_value(
    holdings: dict[AssetId, int], depth_usd: float, capacity_usd: float
) -> None:
    market = frame(0, depth_usd=depth_usd, capacity_usd=capacity_usd)
    owned = [(asset.id, holdings[asset.id]) for asset in MAINNET.assets if asset.id in holdings]

    assert 0 <= exit_nav_micro_usd(MAINNET, owned, market) <= nav_micro_usd(MAINNET, owned, market)


@given(st.integers(2**53, 2**70))
def test_where_floats_are_coarser_than_a_micro_dollar_nothing_is_gained(units: int) -> None:
    """A supply costs no fee and has no impact: its float arithmetic alone could round up."""
    supply = next(step for step in MAINNET.conversions if step.action == "supply")
    bought = quote(MAINNET, supply, units, frame(0))

    assert bought is not None
    assert bought.taken_units <= bought.given_units == units
    assert bought.fee_micro_usd >= 0
    assert bought.impact_micro_usd >= 0
