"""
What an evidence run is made of, frozen before it starts: windows, fitness, gates, search, worlds.

The file is a house config with more sections; each has defaults, so any config of a house will do. Its
hash is over every resolved key. `preregister` writes that hash into the workspace before a run; a run that
has begun refuses to go on under another.
"""

import json
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.ensemble import EnsembleRules
from treasury_actors.evolution.model.search import SearchRules
from treasury_actors.evolution.model.vetoes import VetoPolicy
from treasury_actors.evolution.model.window_fitness import PPB, FitnessPolicy, TailHaircut
from treasury_actors.evolution.model.windows import EMBARGO_H_MIN, WindowRules
from treasury_actors.ids import VenueId
from treasury_actors.market.model.evidence_worlds import WORLD_VERSION, World
from treasury_actors.settings.file import Settings, check_settings
from treasury_actors.settings.rules import HouseRules

DEFAULT_CONFIG = Path(__file__).resolve().parents[3] / "configs" / "evidence.toml"
_FILE_BYTES_MAX = 1_000_000
WorldName: TypeAlias = Literal["positive", "null"]
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]


class _Section(BaseModel):
    """A table of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowSection(_Section):
    """Which spans of history a fitness is the mean over."""

    count: int = Field(default=8, ge=8, le=200)
    days: int = Field(default=60, ge=7, le=365)
    embargo_h: int = Field(default=EMBARGO_H_MIN, ge=EMBARGO_H_MIN, le=8_760)
    warmup_h: int = Field(default=2_880, ge=0, le=8_760)
    validation_days: int = Field(default=60, ge=7, le=365)
    test_days: int = Field(default=60, ge=7, le=365)
    fresh: int = Field(default=16, ge=1, le=200)
    rotate_every: int = Field(default=5, ge=1, le=1_000)


class FitnessSection(_Section):
    """How windows become one number."""

    formula: Literal["certainty_equivalent", "brief_repaired"] = "certainty_equivalent"
    standard_errors: float = Field(default=2.0, ge=0.0, le=5.0)
    risk_aversion: float = Field(default=4.0, ge=1.0, le=20.0)
    drawdown_free_ratio: Share = 0.15
    liquid_ratio_need: Share = 0.20
    tail_hazard_a_year: Share = 0.01
    tail_loss_ratio: Share = 0.25


class GateSection(_Section):
    """What no return makes up for."""

    drawdown_ratio_max: Share = 0.30
    liquid_ratio_min: Share = 0.20
    stable_ratio_min: Share = 0.0
    apy_ratio_max: float = Field(default=3.0, gt=0.0)
    sharpe_max: float = Field(default=10.0, gt=0.0)


class SearchSection(_Section):
    """How a search goes."""

    population: int = Field(default=50, ge=2, le=1_000)
    generations: int = Field(default=20, ge=1, le=1_000)
    elite_ratio: Share = 0.10
    tournament: int = Field(default=3, ge=1, le=20)
    crossover_ratio: Share = 0.70
    immigrant_ratio: Share = 0.10
    patience: int = Field(default=5, ge=1, le=1_000)
    ensemble: int = Field(default=5, ge=1, le=50)
    shortlist: int = Field(default=10, ge=1, le=100)
    distance_min: Share = 0.08
    edge_min_ratio: Share = 0.005


class WorldSection(_Section):
    """The generated worlds of `evidence`; `null` is the same with both edges at zero."""

    drift_a_year: float = Field(default=1.0, ge=0.0, le=10.0)
    regime_mean_d: float = Field(default=100.0, ge=1.0, le=1_000.0)
    peg_sd_bps: float = Field(default=10.0, ge=0.0, le=100.0)
    peg_half_life_h: float = Field(default=8.0, ge=1.0, le=1_000.0)
    oracle: str = "peg_reversion:9,8,500,5000,720"


class EvidenceSections(_Section):
    """The sections this file has beside those of a house."""

    windows: WindowSection = WindowSection()
    fitness: FitnessSection = FitnessSection()
    gates: GateSection = GateSection()
    search: SearchSection = SearchSection()
    world: WorldSection = WorldSection()


@dataclass(frozen=True, kw_only=True)
class EvidenceConfig:
    """A whole config of an evidence run: the house whose costs and limits hold, and the sections above."""

    house: Settings
    sections: EvidenceSections

    @property
    def content(self) -> dict[str, Any]:
        """Return every resolved key, as it is hashed and written into the workspace."""
        own: dict[str, Any] = self.sections.model_dump(mode="json")
        return {**own, "world_version": WORLD_VERSION, "house": self.trading_hash}

    @property
    def trading_hash(self) -> str:
        """SHA-256 of what of the house a genome meets when it trades alone: limits, planner, chain."""
        sections = {"risk", "planner", "chain"}
        text = json.dumps(self.house.model_dump(mode="json", include=sections), sort_keys=True)
        return sha256(text.encode()).hexdigest()

    @property
    def config_hash(self) -> str:
        """SHA-256 of every resolved key."""
        text = json.dumps(self.content, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()

    @property
    def rules(self) -> HouseRules:
        """Return the costs and limits every genome trades under."""
        return self.house.house_rules(0)

    @property
    def windows(self) -> WindowRules:
        """Return what the windows of a fitness are."""
        own = self.sections.windows
        return WindowRules(
            count_min=own.count,
            count_max=own.count,
            days=own.days,
            embargo_h=own.embargo_h,
            warmup_h=own.warmup_h,
        )

    def fitness(self, *, windows_min: int | None = None, with_tails: bool = True) -> FitnessPolicy:
        """Return how windows are judged; of fewer than K where nothing is ranked by it, as in validation."""
        own, gates = self.sections.fitness, self.sections.gates
        venues = ("aave-v3", "morpho", "fluid", "lido", "etherfi") if with_tails else ()
        return FitnessPolicy(
            windows_min=self.sections.windows.count if windows_min is None else windows_min,
            standard_errors=own.standard_errors,
            risk_aversion=own.risk_aversion,
            drawdown_free_ratio=own.drawdown_free_ratio,
            liquid_ratio_need=own.liquid_ratio_need,
            tails=tuple(
                TailHaircut(
                    venue=VenueId(venue), hazard_a_year=own.tail_hazard_a_year, loss_ratio=own.tail_loss_ratio
                )
                for venue in venues
            ),
            formula=own.formula,
            vetoes=VetoPolicy(
                drawdown_ratio_max=gates.drawdown_ratio_max,
                liquid_ratio_min=gates.liquid_ratio_min,
                stable_ratio_min=gates.stable_ratio_min,
                apy_ratio_max=gates.apy_ratio_max,
                sharpe_max=gates.sharpe_max,
            ),
        )

    @property
    def search(self) -> SearchRules:
        """Return how the genetic algorithm goes."""
        own = self.sections.search
        return SearchRules(
            population=own.population,
            generations=own.generations,
            elite_bps=round(own.elite_ratio * 10_000),
            tournament_size=own.tournament,
            crossover_bps=round(own.crossover_ratio * 10_000),
            immigrant_bps=round(own.immigrant_ratio * 10_000),
            patience=own.patience,
        )

    @property
    def ensemble(self) -> EnsembleRules:
        """Return whom a search's result funds."""
        own = self.sections.search
        return EnsembleRules(
            shortlist=own.shortlist,
            size=own.ensemble,
            distance_min=own.distance_min,
            edge_min_ppb=round(own.edge_min_ratio * PPB),
        )

    def world(self, name: WorldName) -> World:
        """Return a world; the null one has no edge."""
        own, edge = self.sections.world, name == "positive"
        return World(
            name=name,
            drift_a_year=own.drift_a_year if edge else 0.0,
            peg_sd_bps=own.peg_sd_bps if edge else 0.0,
            peg_half_life_h=own.peg_half_life_h,
            regime_mean_d=own.regime_mean_d,
        )


def load_evidence_config(path: Path) -> EvidenceConfig:
    """
    Read and check a config file.

    Raises:
        ConfigError: one line naming file, key, value and what is allowed.
    """
    try:
        raw = path.read_bytes()[: _FILE_BYTES_MAX + 1]
        content = tomllib.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    own = {name: content.pop(name) for name in EvidenceSections.model_fields if name in content}
    house = check_settings(content, str(path))
    try:
        sections = EvidenceSections.model_validate(own)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{path}: {key} = {problem['input']!r:.60}: {problem['msg']}") from None
    return EvidenceConfig(house=house, sections=sections)
