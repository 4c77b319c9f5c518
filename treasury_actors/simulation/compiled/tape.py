"""A history as machine code reads it: made once, played in any stretch of it by any number of genomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.compiled.layout import frame_type, pools_type
from treasury_actors.simulation.evidence.history import History
from treasury_actors.trading.model.costs import ChainProfile

_SCALE = np.dtype([("tick_exponent", "i8")])
_LARGEST_WEI = 2**62
_LARGEST_SUM = 2**53


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tape:
    """
    Every frame of a history, warm-up first, and the features of all of them.

    A strategy's look-ups end at the frame it decides at, so features that hold later ones tell it nothing.

    Attributes:
        universe: what the columns follow, with its costs.
        frames, pools: one record a row; row `warmup_count` is frame 0.
        ints: ticks, freshness, sums of ticks, and of unknown rates, by asset and row.
        floats: rates, sums of returns, of their squares, and of rates, by asset and row.
        is_exact: whether machine code can hold every number; if not, plain calls evaluate.
    """

    universe: Universe
    warmup_count: int
    frames: npt.NDArray[Any]
    pools: npt.NDArray[Any]
    ints: npt.NDArray[np.int64]
    floats: npt.NDArray[np.float64]
    first_known: npt.NDArray[np.int64]
    scales: npt.NDArray[Any]
    is_exact: bool


def read_tape(history: History, chain: ChainProfile) -> Tape:
    """Read a whole history; `chain` says what gas costs."""
    universe, features, known = history.universe, history.features, list(history.season.frames())
    ints = _table(
        features, np.int64, (features.ticks, features.fresh, features.tick_sums, features.rate_gaps)
    )
    floats = _table(
        features,
        np.float64,
        (features.rates, features.return_sums, features.square_sums, features.rate_sums),
    )
    frames = np.zeros(len(known), frame_type(universe))
    frames["ticks"] = [frame.ticks for frame in known]
    frames["fresh"] = [frame.fresh for frame in known]
    pools, is_exact = _pools(universe, known, chain)
    pools["depth_usd"] /= history.cost_factor
    return Tape(
        universe=universe,
        warmup_count=history.season.warmup_count,
        frames=frames,
        pools=pools,
        ints=ints,
        floats=floats,
        first_known=np.array(features.first_known, np.int64),
        scales=np.array([(asset.tick_exponent,) for asset in universe.assets], _SCALE),
        is_exact=is_exact and int(ints[2].max()) < _LARGEST_SUM,
    )


def _table(
    features: Features, kind: type[np.generic], series: Sequence[Sequence[Sequence[float]]]
) -> npt.NDArray[Any]:
    """Return series of features as one table: series by asset by row, one row more than frames."""
    table = np.zeros((len(series), len(features.ticks), features.length + 1), kind)
    for place, columns in enumerate(series):
        for column, numbers in enumerate(columns):
            table[place, column, : len(numbers)] = numbers
    return table


def _pools(
    universe: Universe, known: list[MarketFrame], chain: ChainProfile
) -> tuple[npt.NDArray[Any], bool]:
    """Return the records of pools, and whether every gas fee fits."""
    pools = np.zeros(len(known), pools_type(universe))
    pools["depth_usd"] = [frame.depth_usd for frame in known]
    pools["capacity_usd"] = [frame.capacity_usd for frame in known]
    alike: dict[tuple[int, int], list[int]] = {}
    for column, step in enumerate(universe.conversions):
        kind = step.gas_units, step.data_gas_units
        if kind not in alike:  # unknown gas is that of a warm-up frame, where nobody trades
            alike[kind] = [
                0 if isnan(frame.l1_gas_gwei) else chain.gas_wei(step, frame.l1_gas_gwei) for frame in known
            ]
        if max(alike[kind]) >= _LARGEST_WEI:
            return pools, False
        pools["gas_wei"][:, column] = alike[kind]
    return pools, True
