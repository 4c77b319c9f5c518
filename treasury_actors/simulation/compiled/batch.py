"""From genomes to records and back: the houses that machine code plays. Imports numba: import it late."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.agents.strategies.idle_cash import FAMILY as IDLE
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.compiled.layout import (
    FILL,
    HOUSE,
    Market,
    Record,
    fits,
    halves,
    life_type,
    make_table,
    table_type,
    whole,
)
from treasury_actors.simulation.compiled.step import make_step
from treasury_actors.simulation.compiled.tape import Tape
from treasury_actors.simulation.compiled.turns import play
from treasury_actors.simulation.evaluate import Candidate, Treasury
from treasury_actors.simulation.lifeline import Fill

_NEVER = -(10**9)
"""A turn that was before every other."""
_CHUNKS_A_THREAD = 4
step_of = cache(make_step)
"""A family's step, made once a process; None where there is none."""


def playable(tape: Tape, family: Family) -> bool:
    """Say whether machine code can hold this tape, and the family has a step."""
    universe = tape.universe
    return tape.is_exact and fits(universe) and step_of(family, len(family.assets(universe))) is not None


class Batch:
    """
    Houses as records, to be played once.

    Args:
        houses: the candidates of each, who share its capital and gas as `evaluate_population` has it.
        first: the frame at which every house opens, on `first_frame` of the tape.
        frame_count: how many frames are played.
        log_size: how many fills of each life are kept; a house with more is left to plain calls.

    Attributes:
        lives: one record a life, house after house.
        days: NAV at frames 0, 24, 48, …, one row a life.
    """

    def __init__(
        self,
        tape: Tape,
        houses: Sequence[Sequence[Candidate]],
        rules: HouseRules,
        *,
        first: MarketFrame,
        first_frame: int,
        frame_count: int,
        log_size: int = 0,
    ) -> None:
        universe = tape.universe
        candidates = [candidate for house in houses for candidate in house]
        self._tape = tape
        self._rows = tape.warmup_count + first_frame, tape.warmup_count + first_frame + frame_count
        self._table = np.array([make_table(universe, rules)], table_type(universe))
        self._houses = np.zeros(len(houses), HOUSE)
        self.lives = np.zeros(len(candidates), life_type(universe))
        self.days = np.zeros((len(candidates), -(-frame_count // DAY_FRAMES)), np.int64)
        self._logs = np.zeros((len(candidates), log_size), FILL)
        opened: dict[int, tuple[npt.NDArray[Any], int]] = {}
        place = 0
        for record, house in zip(self._houses, houses, strict=True):
            if len(house) not in opened:
                opened[len(house)] = _opened(universe, rules, first, len(house))
            record["first"], record["end"] = place, place + len(house)
            self._open(record, house, *opened[len(house)])
            place += len(house)

    def play(self, threads: int) -> None:
        """Play every house to the end; they don't meet, so the threads change nothing."""
        tape = self._tape
        market = Market(
            frames=tape.frames,
            pools=tape.pools,
            ints=tape.ints,
            floats=tape.floats,
            first_known=tape.first_known,
            scales=tape.scales,
        )
        size = max(1, -(-len(self._houses) // (threads * _CHUNKS_A_THREAD)))
        chunks = [self._houses[at : at + size] for at in range(0, len(self._houses), size)]
        with ThreadPoolExecutor(threads) as pool:
            for done in [
                pool.submit(play, self._table, market, self._rows, chunk, self.lives, self.days, self._logs)
                for chunk in chunks
            ]:
                done.result()

    @property
    def failed(self) -> list[int]:
        """The places of the houses that plain calls must play after all."""
        return [int(place) for place in np.flatnonzero(self._houses["failed"])]

    def fills(self, number: int) -> list[tuple[Fill, ...]]:
        """Return the fills of the lives of a house; empty unless they were kept."""
        house, conversions = self._houses[number], self._tape.universe.conversions
        return [
            tuple(_fill(entry, conversions) for entry in self._logs[place][: self.lives["fill_count"][place]])
            for place in range(house["first"], house["end"])
        ]

    def units(self, number: int) -> list[tuple[tuple[AssetId, int], ...]]:
        """Return what the lives of a house own at the end, by asset name."""
        house, universe = self._houses[number], self._tape.universe
        names = sorted(universe.column)
        return [
            tuple((name, units) for name in names if (units := whole(life["units"][universe.column[name]])))
            for life in self.lives[house["first"] : house["end"]]
        ]

    def _open(
        self, record: Record, house: Sequence[Candidate], opened: npt.NDArray[Any], gas_wei: int
    ) -> None:
        """Give the lives of one house what they start with, and what each decides by."""
        universe, lives = self._tape.universe, self.lives[record["first"] : record["end"]]
        record["gas_wei"] = halves(gas_wei)
        lives[:] = opened
        names = [f"{family.id}-{number:04d}" for number, (family, _) in enumerate(house, start=1)]
        lives["ranked"] = sorted(range(len(house)), key=names.__getitem__)
        for life, (family, genes) in zip(lives, house, strict=True):
            columns = _columns(family, universe)
            step, state = step_of(family, len(columns)), family.state()
            assert step is not None, "only families that have a step are played"
            life["step"], life["slots"] = step.address, len(columns)
            life["columns"][: len(columns)] = columns
            life["state"][: len(state)] = state
            life["genes"][: len(genes)] = genes


def _columns(family: Family, universe: Universe) -> list[int]:
    """Return the columns of a family's slots."""
    return [universe.column[asset] for asset in family.assets(universe)]


def _opened(
    universe: Universe, rules: HouseRules, frame: MarketFrame, count: int
) -> tuple[npt.NDArray[Any], int]:
    """Return the lives of a house of so many before they know what to decide by, and its gas in wei."""
    treasury = Treasury(frame, [(IDLE, ())] * count, rules, universe, traced=False)
    lives, reserve = np.zeros(count, life_type(universe)), universe.column[universe.reserve]
    for record, life in zip(lives, treasury.lives, strict=True):
        units = life.account.units.get(universe.reserve, 0)
        if units:
            record["units"][reserve], record["order"][0], record["held_count"] = halves(units), reserve, 1
        record["turnover_max"] = life.limits.turnover_micro_usd_max
        record["gas_budget"] = halves(life.limits.gas_wei_max)
        record["nav"] = record["capital"] = life.nav_micro_usd
    lives["index"] = lives["peak"] = 1.0
    lives["turnover_turn"] = _NEVER
    lives["liquid_ratio_min"] = lives["stable_ratio_min"] = 1.0
    lives["death_frame"] = -1
    return lives, treasury.gas.wei


def _fill(entry: Record, conversions: Sequence[Conversion]) -> Fill:
    """Return a fill that was kept."""
    return Fill(
        frame=int(entry["frame"]),
        conversion=conversions[entry["conversion"]].id,
        given_units=whole(entry["given_units"]),
        taken_units=whole(entry["taken_units"]),
        value_micro_usd=int(entry["value_micro_usd"]),
        fee_micro_usd=int(entry["fee_micro_usd"]),
        impact_micro_usd=int(entry["impact_micro_usd"]),
        gas_micro_usd=int(entry["gas_micro_usd"]),
        partial=bool(entry["partial"]),
        last=bool(entry["last"]),
    )
