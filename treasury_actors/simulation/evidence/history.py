"""A history: one long season that windows are cut from, with the features everyone may look back on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_course import Evaluate, WindowCourse
from treasury_actors.evolution.model.windows import DAY_FRAMES, Window
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import Label, MarketFrame, Season
from treasury_actors.market.model.universe import Universe

MakeEvaluator: TypeAlias = "Callable[[History, Mapping[FamilyId, Family]], Evaluate]"
"""How a history is traded: plainly, or by machine code; the same courses either way."""

STRESS_FACTOR = 2.0
"""What the cost stress multiplies every cost by."""


@dataclass(frozen=True, kw_only=True)
class History:
    """
    A season to cut windows from.

    Attributes:
        cost_factor: every fee, haircut, impact and gas times this; 1 is what the season says.
    """

    season: Season
    cost_factor: float = 1.0

    @property
    def name(self) -> str:
        """Return the hash of the data: what windows name their history by."""
        return self.season.data_hash

    @property
    def start_ns(self) -> int:
        """Return the time of its frame 0."""
        return self.season.frame(0).time_ns

    @property
    def label(self) -> Label:
        """What a result on it may be called."""
        return self.season.label

    @cached_property
    def universe(self) -> Universe:
        """The universe, its conversions as dear as `cost_factor` says."""
        return (
            self.season.universe
            if self.cost_factor == 1.0
            else dearer(self.season.universe, self.cost_factor)
        )

    @cached_property
    def features(self) -> Features:
        """
        Features over every frame, made once.

        They hold what is later, too; a view is bound to the number of frames its owner knows, so nobody can
        ask for it.
        """
        features = Features(self.season.universe)
        for frame in self.season.frames():
            features.append(frame)
        return features

    def frame(self, window: Window, index: int) -> MarketFrame:
        """Return a frame of a window, counted from its start as a season is."""
        frame = self.season.frame(window.first_frame + index)
        if self.cost_factor == 1.0:
            return replace(frame, index=index)
        depth_usd = tuple(depth / self.cost_factor for depth in frame.depth_usd)
        return replace(frame, index=index, depth_usd=depth_usd)

    def known(self, window: Window, index: int) -> int:
        """Return how many frames are known at a frame of a window: what a view is bound to."""
        return self.season.warmup_count + window.first_frame + index + 1

    def holds(self, window: Window) -> bool:
        """Say whether a window lies in it, warm-up aside."""
        return (
            window.history == self.name
            and window.first_frame >= 0
            and (window.last_frame < self.season.frame_count)
        )

    def daily_index(self, window: Window, asset: AssetId) -> tuple[float, ...]:
        """Return what one dollar of an asset has become at the start of a window and each day's end."""
        column = self.universe.column[asset]
        first = self.season.frame(window.first_frame).ticks[column]
        return tuple(
            self.season.frame(window.first_frame + day * DAY_FRAMES).ticks[column] / first
            for day in range(window.days + 1)
        )

    def daily_returns(self, window: Window, asset: AssetId) -> tuple[float, ...]:
        """Return what holding an asset gave on each day of a window, costs aside."""
        return returns_of(self.daily_index(window, asset))

    def stressed(self) -> "History":
        """Return the same market with every cost times `STRESS_FACTOR`."""
        return History(season=self.season, cost_factor=STRESS_FACTOR)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Histories with gaps between them, oldest first: windows of any may be tried together."""

    histories: tuple[History, ...]

    def of(self, window: Window) -> History:
        """Return the history a window lies in."""
        return next(history for history in self.histories if history.name == window.history)

    def lending(self, windows: Sequence[Window], asset: AssetId) -> dict[Window, tuple[float, ...]]:
        """Return what holding an asset gave on each day of each window."""
        return {window: self.of(window).daily_returns(window, asset) for window in windows}

    def stressed(self) -> "Archive":
        """Return the same markets at dearer costs."""
        return self._stressed

    @cached_property
    def _stressed(self) -> "Archive":
        return Archive(histories=tuple(history.stressed() for history in self.histories))

    def evaluator(self, make: MakeEvaluator, families: Mapping[FamilyId, Family]) -> Evaluate:
        """Return one evaluator for the windows of all; each history's is made when it is first needed."""
        made: dict[str, Evaluate] = {}

        def evaluate(genomes: Sequence[Genome], window: Window) -> list[WindowCourse]:
            if window.history not in made:
                made[window.history] = make(self.of(window), families)
            return made[window.history](genomes, window)

        return evaluate


def returns_of(index: Sequence[float]) -> tuple[float, ...]:
    """Return the changes of an index as fractions."""
    return tuple(after / before - 1.0 for before, after in pairwise(index))


def dearer(universe: Universe, factor: float) -> Universe:
    """Return a universe whose fees, haircuts and gas are `factor` times as high."""
    return replace(
        universe,
        conversions=tuple(
            replace(
                step,
                fee_bps=step.fee_bps * factor,
                haircut_bps=step.haircut_bps * factor,
                gas_units=round(step.gas_units * factor),
                data_gas_units=round(step.data_gas_units * factor),
            )
            for step in universe.conversions
        ),
    )
