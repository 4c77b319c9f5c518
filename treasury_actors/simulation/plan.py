"""From settings to a plan: the recipe of the season, the families, the manifest. Nothing is started here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from treasury_actors.agents.adapters.strategy_file import load_strategy
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId, FamilyId
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import Settings
from treasury_actors.simulation.benchmarks import first_genomes
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.manifest import Manifest
from treasury_actors.simulation.on_paper import plan_on_paper
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.run import RunPlan
from treasury_actors.simulation.sabotage import Sabotage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """
    Everything a run needs before it touches a folder: checked, loaded, hashed.

    Attributes:
        simulated: what the house on paper beside it plays; None for no such house.
    """

    plan: RunPlan
    season: Season
    manifest: Manifest
    simulated: RunPlan | None = None


def recipe_of(settings: Settings) -> SeasonRecipe:
    """Return the recipe of the config's season; raise ConfigError for one that comes from a chain."""
    section = settings.season
    if section.source == "chain":
        raise ConfigError('season.source = "chain": its frames are still to come; allowed with `run` alone')
    return SeasonRecipe(
        seed=section.seed,
        days=section.days,
        warmup_h=section.warmup_h,
        folder=Path(section.folder) if section.source == "folder" else None,
        start_ns=settings.start_ns,
    )


def families_with(strategy: Path | None) -> dict[FamilyId, Family]:
    """Return the shipped families and the user's own, in name order."""
    known = families(MAINNET)
    if strategy is not None:
        family = load_strategy(strategy, known.keys())
        known[family.id] = family
    return dict(sorted(known.items()))


def _chosen(known: dict[FamilyId, Family], names: tuple[str, ...]) -> dict[FamilyId, Family]:
    """Return the families a stage is played by: all of them, unless it names some."""
    strangers = [name for name in names if name not in known]
    if strangers:
        raise ConfigError(f"stage.families: no family {strangers[0]!r}; known are {', '.join(known)}")
    return {family: known[family] for family in known if not names or family in names}


def prepare(
    settings: Settings, *, clock: Clock, strategy: Path | None = None, sabotage: Sabotage | None = None
) -> Prepared:
    """
    Load the season and say what the run is.

    Raises:
        ConfigError, DataError: before anything is written.
    """
    known = _chosen(families_with(strategy), settings.stage.families)
    check_sabotage(sabotage, known, settings.arena.agents)
    recipe = recipe_of(settings)
    season = recipe.build()
    first_genomes(known, settings.house_rules(recipe.seed), season.warmup_count)
    strategy_hash = sha256(strategy.read_bytes()).hexdigest() if strategy else ""
    config_hash = sha256(f"{settings.config_hash}/{strategy_hash}".encode()).hexdigest()
    now = datetime.fromtimestamp(clock.now_ns() / 1e9, tz=UTC)
    manifest = Manifest(
        run_id=f"{season.label.lower()}-{now:%Y%m%dT%H%M%S}-s{recipe.seed}",
        label=season.label,
        seed=recipe.seed,
        config_hash=config_hash,
        data_hash=season.data_hash,
        code_hash=code_hash(strategy),
        config=settings.model_dump(mode="json"),
        strategy=str(strategy) if strategy else "",
        created=now.isoformat(timespec="seconds"),
    )
    plan = RunPlan(
        recipe=recipe,
        rules=settings.house_rules,
        families=known,
        config_hash=config_hash,
        wrap_agent=sabotage.wrap if sabotage else None,
    )
    return Prepared(plan=plan, season=season, manifest=manifest, simulated=simulated_plan(settings, plan))


def simulated_plan(settings: Settings, plan: RunPlan) -> RunPlan | None:
    """Return what the simulated agents of a config play beside a run of this plan; None without any."""
    agents = settings.simulation.agents
    return plan_on_paper(plan, agents) if agents else None


def check_sabotage(sabotage: Sabotage | None, known: Mapping[FamilyId, Family], agents: int) -> None:
    """Refuse to sabotage an agent that can't exist."""
    if sabotage is None:
        return
    named = (sabotage.crash, sabotage.kill[0] if sabotage.kill else None)
    for agent in named:
        if agent is None:
            continue
        family, _, number = agent.rpartition("-")
        if family not in known or not number.isdecimal():
            example = AgentId(f"{min(known)}-0001")
            raise ConfigError(
                f"agent {agent!r}: no such agent; names are FAMILY-NUMBER such as {example}, the first"
                f" {agents} numbers go round {', '.join(sorted(known))}"
            )
