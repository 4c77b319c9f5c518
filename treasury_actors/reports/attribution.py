"""
Where the gain of a season came from, in micro-dollars that sum to it exactly.

The gain is NAV at the end, plus withdrawals, minus deposits and what was carried in. Its parts:

- `swap_fees`, `impact`: what the fills of the season say, each at its own frame's prices; `impact` holds
  haircuts too. `gas`: the exact gas burnt, at the gas asset's price of that frame. All three are <= 0.
- `yield`: what share tokens grew by while they were held, as `sources` counts it. What lending, vaults and
  staking paid.
- `beta`: for ETH and for BTC: the mean dollar exposure of the season (holdings before each frame's fills,
  share tokens included, the gas money too) x the asset's return from the first frame to the last. It is
  what merely being there, without any timing, would have earned.
- `price`: the rest. The price change of stablecoins and of assets outside both factors, what timing earned
  or lost against the mean exposure, and every remainder of rounding.

The first three and `yield` are sums of what happened; the split of price gains into `beta` and `price` is a
definition, not a proof of skill.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.reports.factors import Factor, factors_of
from treasury_actors.reports.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorBeta:
    """
    What one factor explains.

    Attributes:
        mean_exposure_micro_usd: mean over all frames.
        return_ratio: of the asset, from the first frame with a price to the last.
        beta_micro_usd: exposure x return.
    """

    name: str
    mean_exposure_micro_usd: int
    return_ratio: float
    beta_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The gain of a season and its parts; the module says what each is."""

    gain_micro_usd: int
    beta_micro_usd: int
    yield_micro_usd: int
    price_micro_usd: int
    fee_micro_usd: int
    impact_micro_usd: int
    gas_micro_usd: int
    factors: tuple[FactorBeta, ...]

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Name and micro-dollars of every part; they sum to the gain."""
        return (
            ("beta", self.beta_micro_usd),
            ("yield", self.yield_micro_usd),
            ("price", self.price_micro_usd),
            ("swap fees", self.fee_micro_usd),
            ("impact", self.impact_micro_usd),
            ("gas", self.gas_micro_usd),
        )


def attribute(history: History, season: Season) -> Attribution:
    """Split the gain of a season; the parts sum to it to the micro-dollar."""
    exposures = [_Exposure(factor) for factor in factors_of(season.universe)]
    changes = iter(history.holdings)
    upcoming = next(changes, None)
    held: Mapping[AssetId, int] = {}
    before = season.frame(0)
    for index in range(1, history.last_frame + 1):
        while upcoming is not None and upcoming[0] < index:
            held = upcoming[1]
            upcoming = next(changes, None)
        frame = season.frame(index)
        for exposure in exposures:
            exposure.see(season, held, before, frame)
        before = frame
    costs = history.costs
    betas = tuple(exposure.beta() for exposure in exposures)
    beta = sum(factor.beta_micro_usd for factor in betas)
    earned = sum(line.micro_usd for line in history.sources if line.source == "yield")
    return Attribution(
        gain_micro_usd=history.gain_micro_usd,
        beta_micro_usd=beta,
        yield_micro_usd=earned,
        price_micro_usd=history.gain_micro_usd - beta - earned + costs.total_micro_usd,
        fee_micro_usd=-costs.fee_micro_usd,
        impact_micro_usd=-costs.impact_micro_usd,
        gas_micro_usd=-costs.gas_micro_usd,
        factors=betas,
    )


class _Exposure:
    """Gathers what is needed for one factor's beta."""

    def __init__(self, factor: Factor) -> None:
        self._factor = factor
        self._exposures: list[float] = []
        self._first_ticks = self._last_ticks = 0

    def see(
        self, season: Season, held: Mapping[AssetId, int], before: MarketFrame, frame: MarketFrame
    ) -> None:
        """Take in one frame: the exposure it began with, and the price of the asset."""
        universe = season.universe
        self._exposures.append(
            float(
                sum(
                    universe.by_id[asset].value_micro_usd(units, before.ticks[universe.column[asset]])
                    for asset, units in held.items()
                    if asset in self._factor.assets
                )
            )
        )
        column = universe.column[self._factor.price_asset]
        self._first_ticks = self._first_ticks or before.ticks[column]
        self._last_ticks = frame.ticks[column]

    def beta(self) -> FactorBeta:
        """Return mean exposure x return."""
        mean = fsum(self._exposures) / len(self._exposures) if self._exposures else 0.0
        gained = self._last_ticks / self._first_ticks - 1.0 if self._first_ticks and self._last_ticks else 0.0
        return FactorBeta(
            name=self._factor.name,
            mean_exposure_micro_usd=round(mean),
            return_ratio=gained,
            beta_micro_usd=round(mean * gained),
        )


def aggregate_impact_micro_usd(history: History, season: Season) -> int:
    """
    Return what price impact would have cost beyond what was paid, had orders shared their pool's depth.

    Orders meet a frame's depth one by one, so that no agent depends on another between rounds. Here all
    fills of one conversion in one frame meet it together, as one sale: V^2 / (d + V) instead of the sum of
    v^2 / (d + v) of a constant-product pool. Rounded to the nearest micro-dollar.
    """
    universe = season.universe
    together: dict[tuple[int, ConversionId], list[int]] = {}
    for fill in history.fills:
        key = (fill.frame, fill.filled.conversion)
        together.setdefault(key, []).append(fill.filled.value_micro_usd)
    extra = []
    for (index, conversion), values in together.items():
        depth = season.frame(index).depth_usd[universe.conversion_column[conversion]] * 1e6
        if len(values) > 1 and depth > 0.0:
            extra.append(_impact(float(sum(values)), depth) - fsum(_impact(float(v), depth) for v in values))
    return round(fsum(extra))


def _impact(value: float, depth: float) -> float:
    """Return what a constant-product pool of this depth takes of a value; nothing where depth is infinite."""
    return value * (value / (depth + value))
