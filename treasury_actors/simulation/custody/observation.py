"""
`observe`: what an address holds and is worth, how much lies idle, how long it lasts. Pure.

What has no price is named and left out of the NAV: a NAV with holes says so. Everything is rounded down.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.chain.model.registry import Registry
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.custody.prices import Price
from treasury_actors.simulation.custody.reading import WalletReading

WALLET = "wallet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    One holding.

    Attributes:
        venue: where it works; `wallet` if it doesn't.
        amount: exact, in whole tokens; of an aToken in its underlying, interest included, rounded down.
        micro_usd: None if there is no price, and then `why_not` says why.
    """

    asset: AssetId
    venue: str
    amount: str
    micro_usd: int | None
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """
    What an address is worth.

    Attributes:
        nav_micro_usd: of all that has a price.
        reserve_micro_usd: of it, the reserve asset, lying idle or lent and deposited as such.
        idle_micro_usd: of it, the reserve asset that lies in the wallet.
    """

    positions: tuple[Position, ...]
    nav_micro_usd: int
    reserve_micro_usd: int
    idle_micro_usd: int

    @property
    def left_out(self) -> tuple[Position, ...]:
        """Return what is held and not counted."""
        return tuple(position for position in self.positions if position.micro_usd is None)

    @property
    def idle_ratio(self) -> float | None:
        """Return the share of the NAV that lies idle in the reserve asset; None without a NAV."""
        return self.idle_micro_usd / self.nav_micro_usd if self.nav_micro_usd else None

    def runway_months(self, burn_micro_usd: int) -> tuple[float, float]:
        """Return for how many months the NAV, and the reserve asset alone, pay a monthly burn above zero."""
        assert burn_micro_usd > 0, "a burn is above zero"
        return self.nav_micro_usd / burn_micro_usd, self.reserve_micro_usd / burn_micro_usd


def observe(
    reading: WalletReading, prices: Mapping[AssetId, Price], registry: Registry, universe: Universe
) -> Observation:
    """Return what an address holds, valued; assets in the registry's order, the native one last."""
    venues = {
        step.target: (step.venue, step.source)
        for step in universe.conversions
        if step.action in {"supply", "deposit", "stake"}
    }
    positions: list[Position] = []
    nav = reserve = idle = 0
    for asset, units in reading.holdings.items():
        if not units:
            continue
        price = prices[asset]
        venue, source = venues.get(asset, (WALLET, asset))
        value = None if price.micro_usd_per_unit is None else int(units * price.micro_usd_per_unit)
        positions.append(
            Position(
                asset=asset,
                venue=venue,
                amount=_amount(asset, units, price, registry, universe),
                micro_usd=value,
                why_not=price.why_not,
            )
        )
        nav += value or 0
        reserve += (value or 0) * (source == universe.reserve)
        idle += (value or 0) * (asset == universe.reserve)
    return Observation(
        positions=tuple(positions), nav_micro_usd=nav, reserve_micro_usd=reserve, idle_micro_usd=idle
    )


def _amount(asset: AssetId, units: int, price: Price, registry: Registry, universe: Universe) -> str:
    """Return a holding in whole tokens."""
    if asset == universe.gas:
        return universe.by_id[asset].format(units)
    decimals = registry.token(asset).decimals
    whole = int(units * price.share_price) if price.rate is not None else units
    return _whole_tokens(whole, decimals)


def _whole_tokens(units: int, decimals: int) -> str:
    """Return units as an exact decimal string."""
    whole, part = divmod(units, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)
