"""Whatever is held and wanted: a plan stays within the holdings, sells before it buys, keeps what is fine."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.desk import ANN, USDC, frame
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.order import Order
from treasury_actors.trading.model.planner import PlannerPolicy, plan, plan_legs, usd_values

TRADED = [asset.id for asset in MAINNET.assets if asset.id not in {MAINNET.reserve, MAINNET.gas}]
NAMES = [str(asset) for asset in TRADED]
POLICY = PlannerPolicy()


@st.composite
def weights(draw: st.DrawFn) -> dict[AssetId, float]:
    """Return target weights that sum to at most one."""
    shares = draw(st.dictionaries(st.sampled_from(TRADED), st.integers(0, 10), max_size=6))
    rest = draw(st.integers(0, 10))
    whole = max(1, sum(shares.values()) + rest)
    return {asset: share / whole for asset, share in shares.items()}


@st.composite
def holdings(draw: st.DrawFn) -> dict[AssetId, int]:
    """Return units worth from dust to a million dollars of some assets."""
    market = frame(0)
    cents = draw(st.dictionaries(st.sampled_from([USDC, *TRADED]), st.integers(0, 10**8), max_size=7))
    return {
        asset: MAINNET.by_id[asset].units_for_micro_usd(amount * 10**4, market.ticks[MAINNET.column[asset]])
        for asset, amount in cents.items()
    }


FRAMES = st.builds(
    lambda stale, depth_usd, capacity_usd: frame(
        0, stale=sorted(stale), depth_usd=depth_usd, capacity_usd=capacity_usd
    ),
    st.sets(st.sampled_from([*NAMES, "USDC"]), max_size=2),
    st.sampled_from([inf, 1e8, 1e5, 0.0]),
    st.sampled_from([inf, 1e4, 0.0]),
)


def planned(
    market: MarketFrame, units: dict[AssetId, int], targets: dict[AssetId, float], due_units: int = 0
) -> list[Order]:
    return plan(
        universe=MAINNET,
        frame=market,
        agent=ANN,
        units=units,
        targets=targets,
        due_units=due_units,
        policy=POLICY,
    )


def ends(order: Order) -> tuple[AssetId, AssetId]:
    """Return what an order turns into what."""
    first, last = MAINNET.conversion_by_id[order.path[0]], MAINNET.conversion_by_id[order.path[-1]]
    return first.source, last.target


@given(FRAMES, holdings(), weights(), st.integers(0, 10**12))
def test_orders_never_exceed_holdings(
    market: MarketFrame, units: dict[AssetId, int], targets: dict[AssetId, float], due_units: int
) -> None:
    orders = planned(market, units, targets, due_units)

    spent: dict[AssetId, int] = {}
    for order in orders:
        source, _ = ends(order)
        assert order.units > 0
        spent[source] = spent.get(source, 0) + order.units
    for source, total in spent.items():
        if source != USDC:
            assert total <= units[source]
    sold = sum(  # at most: before fees
        MAINNET.by_id[source].value_micro_usd(order.units, market.ticks[MAINNET.column[source]])
        for order in orders
        for source, target in [ends(order)]
        if target == USDC
    )
    assert spent.get(USDC, 0) <= max(0, units.get(USDC, 0) + sold - due_units)


@given(FRAMES, holdings(), weights(), st.integers(0, 10**12))
def test_sales_stand_before_purchases_and_numbers_have_no_gap(
    market: MarketFrame, units: dict[AssetId, int], targets: dict[AssetId, float], due_units: int
) -> None:
    orders = planned(market, units, targets, due_units)
    kinds = [ends(order) for order in orders]
    buys = [index for index, (source, _) in enumerate(kinds) if source == USDC]
    sells = [index for index, (_, target) in enumerate(kinds) if target == USDC]

    assert not buys or not sells or max(sells) < min(buys)
    assert [order.number for order in orders] == list(range(len(orders)))
    assert len({order.order_id for order in orders}) == len(orders)


@given(FRAMES, holdings(), weights())
def test_nothing_is_planned_at_a_stale_price_nor_at_a_loss_above_the_limit(
    market: MarketFrame, units: dict[AssetId, int], targets: dict[AssetId, float]
) -> None:
    for order in planned(market, units, targets):
        for step in (MAINNET.conversion_by_id[name] for name in order.path):
            assert market.fresh[MAINNET.column[step.source]]
            assert market.fresh[MAINNET.column[step.target]]
            assert market.depth_usd[MAINNET.conversion_column[step.id]] > 0.0


@given(holdings(), st.floats(0.02, 1.0))
def test_what_is_held_as_wanted_is_left_alone(units: dict[AssetId, int], cash_ratio: float) -> None:
    market = frame(0)
    values = usd_values(MAINNET, {**units, USDC: 10**6}, market)
    values[USDC] = max(1.0, sum(values.values()) * cash_ratio)
    nav_usd = sum(values.values())
    targets = {asset: value / nav_usd for asset, value in values.items() if asset != USDC}

    assert plan_legs(MAINNET, values, targets, 0.0, POLICY) == []


@given(
    st.lists(st.sampled_from(TRADED), min_size=1, max_size=4, unique=True),
    st.integers(0, 10**9),
    st.floats(0.3, 0.9),
)
def test_capital_that_is_due_is_sold_for_until_there_is_cash_for_it(
    assets: list[AssetId], cash_units: int, due_ratio: float
) -> None:
    """Targets are what is held: the agent wants no change, and yet sells."""
    market = frame(0)
    units = {
        asset: MAINNET.by_id[asset].units_for_micro_usd(10**10, market.ticks[MAINNET.column[asset]])
        for asset in assets
    }
    units[USDC] = cash_units
    values = usd_values(MAINNET, units, market)
    nav_usd = sum(values.values())
    due_units = int(nav_usd * due_ratio * 1e6)
    targets = {asset: value / nav_usd for asset, value in values.items() if asset != USDC}

    orders = planned(market, units, targets, due_units)

    assert all(order.reduce_only for order in orders)
    sold_usd = sum(
        MAINNET.by_id[source].value_micro_usd(order.units, market.ticks[MAINNET.column[source]]) / 1e6
        for order in orders
        for source, _ in [ends(order)]
    )
    assert sold_usd + cash_units / 1e6 >= 0.99 * due_units / 1e6
