"""How to make a season again, elsewhere or later: small, picklable, the same frames every time."""

from dataclasses import dataclass, replace
from pathlib import Path

from treasury_actors.market.adapters.csv_folder import load_season
from treasury_actors.market.adapters.generated import START_NS, generate_season
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.shipped import MAINNET

DAY_NS = 24 * 3_600 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonRecipe:
    """
    What decides every frame of a season.

    Attributes:
        seed: names a generated world; a folder's data do not depend on it.
        folder: where the data are; None for a generated season.
        start_ns: time of frame 0; None for the usual start of a generated season.
    """

    seed: int
    days: int
    warmup_h: int
    folder: Path | None = None
    start_ns: int | None = None

    def build(self) -> Season:
        """
        Make the season.

        Raises:
            DataError, ConfigError: the folder's data are wrong or don't cover it.
        """
        if self.folder is None:
            return generate_season(
                universe=MAINNET,
                seed=self.seed,
                days=self.days,
                warmup_h=self.warmup_h,
                start_ns=START_NS if self.start_ns is None else self.start_ns,
            )
        assert self.start_ns is not None, "a season from a folder has a start"
        return load_season(
            self.folder, universe=MAINNET, start=self.start_ns, days=self.days, warmup_h=self.warmup_h
        )

    def next(self) -> "SeasonRecipe":
        """Return the recipe of the generated season after this one: another world, later in time."""
        assert self.folder is None, "data from a folder have no next season"
        start_ns = START_NS if self.start_ns is None else self.start_ns
        return replace(self, seed=self.seed + 1, start_ns=start_ns + self.days * DAY_NS)
