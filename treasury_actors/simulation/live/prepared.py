"""From a config whose frames come from a chain to a plan: the warm-up before it, the label, the manifest."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.settings.file import Settings
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.live.season import PlannedSeason
from treasury_actors.simulation.plan import Prepared, prepare, simulated_plan

DAY_H = 24
ChainLabel = Literal["PAPER", "LIVE"]


def prepare_on_chain(
    settings: Settings, *, label: ChainLabel, clock: Clock, strategy: Path | None = None
) -> tuple[Prepared, GrowingSeason]:
    """
    Load the warm-up and say what the run is; its own frames are still to come.

    The warm-up is the `warmup_h` hours before the config's `start`, of a data folder if one is named, else of
    the generated world that a local chain of the same config moves with. Between its end and the first frame
    hours may be missing; a strategy sees the two side by side.

    Raises:
        ConfigError, DataError: before anything is written.
    """
    if settings.chain.network == "none":
        raise ConfigError('chain.network = "none": season.source = "chain" needs one to read; name it')
    warm_up_of = _before(settings)
    loaded = prepare(warm_up_of, clock=clock, strategy=strategy)
    warm_up = _last(loaded, settings.season.warmup_h)
    growing = GrowingSeason(
        loaded.season.universe,
        label=label,
        source=f"frames of the chain {settings.chain.network}; warm-up: {loaded.season.source}",
        notes=loaded.season.notes,
        warm_up=warm_up,
    )
    strategy_hash = sha256(strategy.read_bytes()).hexdigest() if strategy else ""
    config_hash = sha256(f"{settings.config_hash}/{strategy_hash}".encode()).hexdigest()
    now = datetime.fromtimestamp(clock.now_ns() / 1e9, tz=UTC)
    manifest = replace(
        loaded.manifest,
        run_id=f"{label.lower()}-{now:%Y%m%dT%H%M%S}-s{settings.season.seed}",
        label=label,
        config_hash=config_hash,
        data_hash=growing.beginning_hash,
        config=settings.model_dump(mode="json"),
    )

    def rules(seed: int) -> HouseRules:
        return replace(settings.house_rules(seed), supervision=SupervisionPolicy.live())

    plan = replace(loaded.plan, rules=rules, config_hash=config_hash)
    season = PlannedSeason(growing, frames=settings.season.days * DAY_H)
    simulated = simulated_plan(settings, plan)
    return Prepared(plan=plan, season=season, manifest=manifest, simulated=simulated), growing


def _before(settings: Settings) -> Settings:
    """Return the same config over the data that the warm-up is taken from."""
    section = settings.season
    if not section.folder:
        return settings.model_copy(update={"season": section.model_copy(update={"source": "generated"})})
    if section.warmup_h < DAY_H:
        raise ConfigError(f"season.warmup_h = {section.warmup_h}: allowed with a folder: {DAY_H} and more")
    assert section.start is not None, "a folder has a start"
    # A folder ends where the live season begins: its last day is played by nobody, and warms up too.
    yesterday = section.start.fromordinal(section.start.toordinal() - 1)
    update = {"source": "folder", "days": 1, "start": yesterday, "warmup_h": section.warmup_h - DAY_H}
    return settings.model_copy(update={"season": section.model_copy(update=update)})


def _last(loaded: Prepared, hours: int) -> list[MarketFrame]:
    """Return the hours before the live season begins, oldest first."""
    season = loaded.season
    if loaded.plan.recipe.folder is None:
        return [season.frame(index) for index in range(-season.warmup_count, 0)]
    return list(season.frames())[-hours:]
