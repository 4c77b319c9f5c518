"""
`observe`: what an address holds and is worth, how much lies idle, how long it lasts. Pure.

Valued by the same frame and the same rounding as the house values its agents. What has no price that can be
believed is named and left out of the NAV: a NAV with holes says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.chain.model.registry import Registry
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame_checks import FrameLimits, FrameReason, LiveFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import Asset
from treasury_actors.simulation.custody.reading import WalletReading

WALLET = "wallet"
OBSERVE_LIMITS = FrameLimits(heartbeat_s=24 * 3_600, price_margin_s=3_600)
"""A value may be a day old, the heartbeat of the slowest feeds; a trade may not (`FrameLimits`)."""

_LEFT_OUT = frozenset({FrameReason.NO_PRICE, FrameReason.STALE_PRICE, FrameReason.FROM_FUTURE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """
    One holding.

    Attributes:
        venue: where it works; `wallet` if it doesn't.
        amount: exact, in whole tokens, as the token says it.
        micro_usd: rounded down; None if there is no price, and then `why_not` says why.
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
        doubts: what is odd about prices that were counted, one line each.
    """

    positions: tuple[Position, ...]
    nav_micro_usd: int
    reserve_micro_usd: int
    idle_micro_usd: int
    doubts: tuple[str, ...]

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
    reading: WalletReading,
    live: LiveFrame,
    absent: tuple[AssetId, ...],
    registry: Registry,
    universe: Universe,
) -> Observation:
    """
    Return what an address holds, valued; assets in the registry's order, the native one last.

    Args:
        live: the market at the wallet's block, judged by `OBSERVE_LIMITS`.
        absent: assets that nothing on the chain prices.
    """
    venues = {
        step.target: (step.venue, step.source)
        for step in universe.conversions
        if step.action in {"supply", "deposit", "stake"}
    }
    reasons = why_not(live, absent, registry, universe)
    positions: list[Position] = []
    nav = reserve = idle = 0
    for asset, units in reading.holdings.items():
        if not units:
            continue
        venue, source = venues.get(asset, (WALLET, asset))
        reason = reasons.get(asset, "")
        value = None if reason else _micro_usd(universe, live, asset, units)
        amount = _format(asset, reading.balances[asset], registry, universe)
        positions.append(Position(asset=asset, venue=venue, amount=amount, micro_usd=value, why_not=reason))
        nav += value or 0
        reserve += (value or 0) * (source == universe.reserve)
        idle += (value or 0) * (asset == universe.reserve)
    held = [position.asset for position in positions]
    return Observation(
        positions=tuple(positions),
        nav_micro_usd=nav,
        reserve_micro_usd=reserve,
        idle_micro_usd=idle,
        doubts=tuple(
            f"{found.asset or 'everything'}: {found.reason}: {found.detail}"
            for found in live.findings
            if found.reason not in _LEFT_OUT and (found.asset is None or found.asset in held)
        ),
    )


def why_not(
    live: LiveFrame, absent: tuple[AssetId, ...], registry: Registry, universe: Universe
) -> Mapping[AssetId, str]:
    """Return the assets whose price can't be counted, and why; a share falls with its underlying."""
    found = {token.asset: "not in the universe" for token in registry.tokens}
    for asset in universe.assets:
        found.pop(asset.id, None)
        if asset.underlying is None and asset.id in absent:
            found[asset.id] = f"no feed of it is pinned on {registry.chain_name}"
    for finding in live.findings:
        if finding.reason is FrameReason.SEQUENCER_DOWN:
            found |= {asset.id: f"the chain's sequencer: {finding.detail}" for asset in universe.assets}
        elif finding.asset is not None and finding.reason in _LEFT_OUT:
            found.setdefault(finding.asset, f"{finding.reason}: {finding.detail}")
    for asset in universe.assets:
        if asset.underlying in found:
            found.setdefault(asset.id, f"its underlying: {found[asset.underlying]}")
        elif not live.frame.ticks[universe.column[asset.id]]:
            found.setdefault(asset.id, "nothing here says what it is worth")
    return found


def _micro_usd(universe: Universe, live: LiveFrame, asset: AssetId, units: int) -> int:
    return universe.by_id[asset].value_micro_usd(units, live.frame.ticks[universe.column[asset]])


def _format(asset: AssetId, units: int, registry: Registry, universe: Universe) -> str:
    """Return units in whole tokens."""
    if asset in universe.by_id:
        return universe.by_id[asset].format(units)
    decimals = registry.token(asset).decimals
    return Asset(id=asset, decimals=decimals, tick_exponent=0).format(units)
