"""
What a chain's answers at one block come to, column by column.

Formulas: a pool's virtual reserves are L / sqrt(P) and L x sqrt(P) (Uniswap v3 white paper, 6.2.1); a scaled
unit of an aToken is worth the reserve's index (Aave v3 `ReserveLogic`); the bits of a reserve's state are
those of its `ReserveConfiguration`. An answer that is missing or malformed makes its column unknown: nothing
is guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import Final

from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.places import PoolPlace
from treasury_actors.market.adapters.evm.questions import (
    WHOLE_SHARES,
    Questions,
    liquidity,
    round_of,
    slot0,
)
from treasury_actors.market.adapters.evm.views import View, Words, signed, word
from treasury_actors.market.model.frame_reading import Block, Quote
from treasury_actors.market.model.universe import Conversion
from treasury_actors.money import MICRO_USD, Asset

RAY: Final = 10**27
_Q192: Final = 2**192
_UNLIMITED = 2**128
_ROUND_WORDS, _RESERVE_WORDS = 5, 9
_ANSWER, _STARTED, _UPDATED = 1, 2, 3
_CONFIG, _RATE, _A_TOKEN = 0, 2, 8
_ACTIVE_BIT, _FROZEN_BIT, _PAUSED_BIT = 56, 57, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What each view answered at `block`; what a contract refused is not among `views`."""

    questions: Questions
    block: Block
    views: Mapping[View, Words]

    def oracle_ticks(self, asset: AssetId) -> int:
        """Return the oracle's price of an asset in ticks, rounded half up; 0 if it has none."""
        feed = self.questions.places.feeds.get(asset)
        if feed is None:
            return 0
        words = self._words(round_of(feed.address), _ROUND_WORDS)
        shift = self._asset(asset).tick_exponent - feed.decimals
        step: int = 10 ** abs(shift)
        answer = signed(words[_ANSWER]) if words else 0
        return max(0, answer * step if shift >= 0 else _nearest(answer, step))

    def quotes(self, asset: Asset) -> Iterator[Quote]:
        """Yield the oracle's price of what is no share, then those of its pools."""
        places = self.questions.places
        feed = places.feeds.get(asset.id)
        if feed is None:
            return
        words = self._words(round_of(feed.address), _ROUND_WORDS)
        updated_s = words[_UPDATED] if words else 0
        yield Quote(source="oracle", ticks=self.oracle_ticks(asset.id), time_s=updated_s)
        universe = self.questions.universe
        traded = AssetId(f"W{asset.id}") if asset.id == universe.gas else asset.id
        for pair, pool in places.pools.items():
            if traded in pair:
                yield Quote(
                    source="pool",
                    ticks=self._pool_ticks(pool, traded),
                    time_s=self.block.time_s,
                    against=pair[1] if pair[0] == traded else pair[0],
                )

    def share_price(self, asset: Asset) -> float:
        """Return what one share is worth in its underlying; 1.0 for what is no share, NaN if unknown."""
        if asset.underlying is None:
            return 1.0
        places = self.questions.places
        whole: int = 10 ** self._asset(asset.underlying).decimals
        share: int = 10**asset.decimals
        if asset.id in places.lent:
            index = self._first(self.questions.index(asset.underlying))
            return index * share / (RAY * whole) if index else nan
        if asset.id in places.vaults:
            assets = self._first(self.questions.converted(asset.id))
            return assets / (WHOLE_SHARES * whole) if assets else nan
        return nan

    def rate(self, asset: Asset) -> float:
        """Return what suppliers of a reserve earn now; a vault says no rate of its own: NaN."""
        if asset.underlying is None or asset.id not in self.questions.places.lent:
            return nan
        words = self._words(self.questions.reserve(asset.underlying), _RESERVE_WORDS)
        return words[_RATE] / RAY if words else nan

    def depth_usd(self, step: Conversion) -> float:
        """Return the virtual reserve of what is sold; what has no pool here can't be swapped: 0."""
        if step.action != "swap":
            return step.assumed_depth_usd
        pools = self.questions.places.pools
        pool = pools.get((step.source, step.target)) or pools.get((step.target, step.source))
        if pool is None:
            return 0.0
        root, in_range = self._first(slot0(pool)), self._first(liquidity(pool))
        if not root or in_range is None:
            return 0.0
        units = (in_range << 96) // root if step.source == pool.asset0 else in_range * root >> 96
        return self._usd(step.source, units)

    def capacity_usd(self, step: Conversion) -> float:
        """Return the most a conversion can turn over now; what is not on this chain, nothing."""
        places = self.questions.places
        if step in places.left_out:
            return 0.0
        if step.action in ("supply", "withdraw"):
            return self._lending_usd(step)
        if step.source in places.vaults:
            return self._redeemable_usd(step)
        if step.target in places.vaults:
            view = self.questions.vault(step.target, "maxDeposit(address)", self.questions.holder)
            units = self._first(view) or 0
            taken_usd = step.assumed_capacity_usd if units >= _UNLIMITED else self._usd(step.source, units)
            return min(step.assumed_capacity_usd, taken_usd)
        return step.assumed_capacity_usd

    def l1_base_fee_wei(self, oracle: str) -> int | None:
        """Return L1's base fee as an L2 knows it."""
        return self._first(View(to=oracle, signature="l1BaseFee()"))

    def sequencer_up_for_s(self) -> int | None:
        """Return how long the sequencer is up; None while it is down, doesn't say, or doesn't exist."""
        sequencer = self.questions.places.sequencer
        words = () if sequencer is None else self._words(round_of(sequencer), _ROUND_WORDS)
        if not words or words[_ANSWER] != 0 or words[_STARTED] == 0:
            return None
        return max(0, self.block.time_s - words[_STARTED])

    def _pool_ticks(self, pool: PoolPlace, asset: AssetId) -> int:
        """Return what a pool pays for one asset at the other's oracle price, in ticks; 0 if it can't say."""
        root = self._first(slot0(pool))
        if not root:
            return 0
        first, second = self._asset(pool.asset0), self._asset(pool.asset1)
        scale0, scale1 = _raw_scale(first), _raw_scale(second)
        if asset == first.id:
            return _nearest(root * root * self.oracle_ticks(second.id) * scale0, _Q192 * scale1)
        return _nearest(self.oracle_ticks(first.id) * scale1 * _Q192, root * root * scale0)

    def _lending_usd(self, step: Conversion) -> float:
        """Return what a reserve takes, or what lies idle in it; nothing while it is paused."""
        share, underlying = (
            (step.target, step.source) if step.action == "supply" else (step.source, step.target)
        )
        words = self._words(self.questions.reserve(underlying), _RESERVE_WORDS)
        if not words or words[_A_TOKEN] != word(self.questions.places.tokens[share]):
            return 0.0
        config = words[_CONFIG]
        if not config >> _ACTIVE_BIT & 1 or config >> _PAUSED_BIT & 1:
            return 0.0
        if step.action == "supply":
            return 0.0 if config >> _FROZEN_BIT & 1 else step.assumed_capacity_usd
        return self._usd(underlying, self._first(self.questions.cash(share, underlying)) or 0)

    def _redeemable_usd(self, step: Conversion) -> float:
        """Return what lies idle in a vault, or, if more, what it would pay the holder."""
        assets = self._first(self.questions.vault(step.source, "totalAssets()")) or 0
        idle = self._first(self.questions.cash(step.source, step.target)) or 0
        ours = self.questions.vault(step.source, "maxWithdraw(address)", self.questions.holder)
        return self._usd(step.target, min(assets, max(idle, self._first(ours) or 0)))

    def _usd(self, asset: AssetId, units: int) -> float:
        usd: float = self._asset(asset).value_micro_usd(units, self.oracle_ticks(asset)) / MICRO_USD
        return usd

    def _asset(self, asset: AssetId) -> Asset:
        return self.questions.universe.by_id[asset]

    def _first(self, view: View) -> int | None:
        words = self._words(view, 1)
        return words[0] if words else None

    def _words(self, view: View, least: int) -> Words:
        """Return an answer of at least so many words, or none."""
        words = self.views.get(view, ())
        return words if len(words) >= least else ()


def _raw_scale(asset: Asset) -> int:
    """Return raw units of an asset times ticks a dollar: what prices of raw units are compared by."""
    scale: int = 10 ** (asset.decimals + asset.tick_exponent)
    return scale


def _nearest(number: int, whole: int) -> int:
    """Return number / whole, rounded half up."""
    return (2 * number + whole) // (2 * whole)
