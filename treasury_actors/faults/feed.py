"""The market as a seed has it: a prepared season with holes, spikes, falls and empty pools."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Final

from treasury_actors.faults.kinds import Fault
from treasury_actors.faults.plan import Plan
from treasury_actors.ids import ConversionId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import Label, MarketFrame, Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Universe

_DAYS, _WARMUP_H = 3, 1_200
_FIRST_SEED: Final = 20_260
_DOLLARS: Final = ("USDC", "USDT", "aUSDC", "aUSDT", "steakUSDC", "fUSDC")
_SPIKES: Final = ((1, 2), (1, 10), (2, 1), (10, 1))
_FALLS: Final = ((9, 10), (6, 10), (2, 5))
_THIN_USD: Final = (0.0, 0.5, 200.0)
_GAS_FACTORS: Final = (1e2, 1e4, 1e6)


@cache
def season_of(world: int) -> Season:
    """Return one of the prepared seasons; the same one to all who ask."""
    return generate_season(universe=MAINNET, seed=_FIRST_SEED + world, days=_DAYS, warmup_h=_WARMUP_H)


def features_until(season: "FaultySeason", turn: int, known: Features | None = None) -> Features:
    """
    Return what a house knows after frame `turn` (-1: the warm-up alone), as a start rebuilds it.

    Args:
        known: what an earlier process of the same seed knew, at that frame or a later one.
    """
    first = _warmed(season.world) if known is None else known
    length = min(first.length, season.warmup_count + turn + 1)
    features = _copied(first, length)
    for index in range(length - season.warmup_count, turn + 1):
        features.append(season.frame(index))
    return features


def _copied(first: Features, length: int) -> Features:
    """Return a copy of the first `length` frames; a prepared season knows every price from the first."""
    copied = Features(first.universe)
    copied.length = length
    copied.first_known = list(first.first_known)
    for name in ("ticks", "fresh", "rates"):
        setattr(copied, name, [column[:length] for column in getattr(first, name)])
    for name in ("tick_sums", "return_sums", "square_sums", "rate_sums", "rate_gaps"):
        setattr(copied, name, [column[: length + 1] for column in getattr(first, name)])
    return copied


@cache
def _frames_of(world: int) -> tuple[MarketFrame, ...]:
    """Return the frames of a prepared season from frame 0 on."""
    season = season_of(world)
    return tuple(season.frame(index) for index in range(season.frame_count))


@cache
def _warmed(world: int) -> Features:
    season = season_of(world)
    features = Features(season.universe)
    for index in range(-season.warmup_count, 0):
        features.append(season.frame(index))
    return features


class FaultySeason:
    """A `Season` whose frames are those of a prepared one, with the market faults of a plan in them."""

    label: Label = "GENERATED"

    def __init__(self, plan: Plan) -> None:
        season = season_of(plan.world)
        self.world = plan.world
        self.universe: Universe = season.universe
        self.source = f"{season.source}, with faults"
        self.notes = season.notes
        self.frame_count = plan.turns + 1
        self.warmup_count = season.warmup_count
        self._faults = faults = [fault for fault in plan.faults if fault.kind in _MARKET_KINDS]
        self.data_hash = sha256(f"{season.data_hash}/{faults}".encode()).hexdigest()
        self._season = season
        self._base = _frames_of(plan.world)
        self._gaps = _of(faults, "feed-gap")
        self._stale = _of(faults, "feed-stale")
        self._spikes = _of(faults, "feed-spike")
        self._falls = _of(faults, "price-fall")
        self._thin = _of(faults, "thin-pools")
        self._gas = _of(faults, "gas-spike")
        self._frames: dict[int, MarketFrame] = {}

    def frame(self, index: int) -> MarketFrame:
        """Return one frame."""
        if index < 0:
            return self._season.frame(index)
        frame = self._frames.get(index)
        if frame is None:
            frame = self._frames[index] = self._with_faults(self._base[index])
        return frame

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame, warm-up first, in order."""
        return map(self.frame, range(-self.warmup_count, self.frame_count))

    def stale_asset(self, index: int, conversion: str) -> str | None:
        """Return an asset of a conversion whose price is old at a frame, or None."""
        step = self.universe.conversion_by_id[ConversionId(conversion)]
        for asset in (step.source, step.target):
            if self._is_stale(self.universe.column[asset], index):
                return asset
        return None

    def _with_faults(self, frame: MarketFrame) -> MarketFrame:
        """Return a frame as this seed has it."""
        index = frame.index
        if not self._faults:
            return frame
        ticks = [self._ticks(column, index) for column in range(len(frame.ticks))]
        fresh = [not self._is_stale(column, index) for column in range(len(frame.ticks))]
        depth, capacity, gas = frame.depth_usd, frame.capacity_usd, frame.l1_gas_gwei
        for fault in self._thin:
            if fault.covers(index):
                usd = _THIN_USD[fault.number % len(_THIN_USD)]
                depth = tuple(min(depth_usd, usd) for depth_usd in depth)
                capacity = tuple(min(capacity_usd, usd) for capacity_usd in capacity)
        for fault in self._gas:
            if fault.covers(index):
                gas *= _GAS_FACTORS[fault.number % len(_GAS_FACTORS)]
        return replace(
            frame,
            ticks=tuple(ticks),
            fresh=tuple(fresh),
            depth_usd=depth,
            capacity_usd=capacity,
            l1_gas_gwei=gas,
        )

    def _ticks(self, column: int, index: int) -> int:
        """Return a price; a stale one is the last that was fresh."""
        while index > 0 and self._is_stale(column, index):
            index -= 1
        ticks = self._base[index].ticks[column]
        for fault in self._falls:
            if index >= fault.turn and self.universe.assets[column].id not in _DOLLARS:
                up, down = _FALLS[fault.number % len(_FALLS)]
                ticks = max(1, ticks * up // down)
        for fault in self._spikes:
            if fault.covers(index) and fault.slot % len(self.universe.assets) == column:
                up, down = _SPIKES[fault.number % len(_SPIKES)]
                ticks = max(1, ticks * up // down)
        return ticks

    def _is_stale(self, column: int, index: int) -> bool:
        """Say whether a price is old at a frame."""
        assets = len(self.universe.assets)
        return any(fault.covers(index) for fault in self._gaps) or any(
            fault.covers(index) and fault.slot % assets == column for fault in self._stale
        )


_MARKET_KINDS: Final = ("feed-gap", "feed-stale", "feed-spike", "price-fall", "thin-pools", "gas-spike")


def _of(faults: Sequence[Fault], kind: str) -> list[Fault]:
    return [fault for fault in faults if fault.kind == kind]
