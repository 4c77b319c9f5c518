"""What a report must say beside figures that rest on historical data: assumptions, and what was missing."""

from math import isinf

from treasury_actors.market.model.season import SeasonColumns
from treasury_actors.market.model.tracks import Hours
from treasury_actors.market.model.universe import Universe
from treasury_actors.market.model.utc import utc_text

_RECIPES = (
    (
        "Prices of WETH, WBTC and LINK are exchange closes in USDT; USDT is USDC's last daily close over the "
        "price of USDC in the pool, and its own daily close before the pool's price is known."
    ),
    "aUSDC earns the daily average supply rate, hour by hour, from the day after it was measured.",
    (
        "aUSDT and aWETH follow their index, steakUSDC and fUSDC their share price: daily snapshots; between "
        "two of them they grow at the rate known at the first (of the 7 days before, for the vaults)."
    ),
)


def notes_on(columns: SeasonColumns, universe: Universe, hours: Hours, warmup_count: int) -> tuple[str, ...]:
    """Return the notes on a season, one sentence each, in a fixed order."""
    return (*_RECIPES, *_assumed(universe, columns), *_missing(columns, universe, hours, warmup_count))


def _assumed(universe: Universe, columns: SeasonColumns) -> list[str]:
    """Name the haircuts, depths and capacities that no data gave."""
    steps = universe.conversions
    haircuts = [f"{step.source} {step.haircut_bps:g} bps" for step in steps if step.haircut_bps]
    depths = [
        f"{step.id} ${step.assumed_depth_usd / 1e6:g}M"
        for step, depth in zip(steps, columns.depth_usd, strict=True)
        if not isinf(step.assumed_depth_usd) and set(depth) == {step.assumed_depth_usd}
    ]
    capacities = [
        f"{step.id} ${step.assumed_capacity_usd / 1e6:g}M"
        for step, capacity in zip(steps, columns.capacity_usd, strict=True)
        if not isinf(step.assumed_capacity_usd) and set(capacity) == {step.assumed_capacity_usd}
    ]
    told = (
        (
            "Priced at the protocol rate, without the market's discount; a sale pays an assumed haircut",
            haircuts,
        ),
        ("Assumed depth", depths),
        ("Assumed limit an hour", capacities),
    )
    return [f"{what}: {', '.join(which)}." for what, which in told if which]


def _missing(columns: SeasonColumns, universe: Universe, hours: Hours, warmup_count: int) -> list[str]:
    """Name the assets that had no price, or a stale one, in the season or its warm-up."""
    notes, times_ns = [], hours.times_ns()
    for asset, ticks, fresh in zip(universe.assets, columns.ticks, columns.fresh, strict=True):
        known = next((hour for hour, price in enumerate(ticks) if price), None)
        if known is None:
            notes.append(f"{asset.id} has no price in this season and is never traded.")
            continue
        if known:
            notes.append(f"{asset.id} has no price before {utc_text(times_ns[known])}.")
        begin = max(known, warmup_count)
        stale_count = fresh[begin:].count(False)
        if stale_count:
            notes.append(f"{asset.id} was stale in {stale_count} of {hours.count - begin} hours.")
    return notes
