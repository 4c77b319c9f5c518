"""By which rungs a living run climbs, who approves, and on what its candidates are examined."""

from dataclasses import dataclass, field
from pathlib import Path

from treasury_actors.arena.model.demotion import DemotionRules
from treasury_actors.arena.model.promotion import Person
from treasury_actors.arena.model.stages import LADDER, Rung, check_ladder
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.frame import Label
from treasury_actors.settings.file import Settings
from treasury_actors.simulation.evidence.config import DEFAULT_CONFIG, load_evidence_config
from treasury_actors.simulation.ladder.examining import ExamineJob
from treasury_actors.simulation.ladder.people import ScriptedPerson
from treasury_actors.trading.model.mandate import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimbTerms:
    """
    What a run that climbs goes by, beside its own rules.

    Attributes:
        listed: who may approve, each with the key that proves it; `needed`: how many different ones must.
        scripted: people a script plays; only where the run is GENERATED.
        top: the highest stage anybody may come to.
    """

    job: ExamineJob
    listed: tuple[Person, ...]
    needed: int
    ladder: tuple[Rung, ...] = LADDER
    demotion: DemotionRules = field(default_factory=DemotionRules)
    scripted: tuple[ScriptedPerson, ...] = ()
    top: Stage = "full"

    def check(self, label: Label) -> None:
        """Raise ConfigError if a run that is not GENERATED would go by GENERATED windows, or by a script."""
        if label == "GENERATED":
            return
        if self.job.in_world:
            raise ConfigError(f"GENERATED windows are no evidence for a run that is {label}")
        if self.scripted:
            raise ConfigError(f"a script approves nothing in a run that is {label}")


def terms_of(settings: Settings, strategy: Path | None = None, *, is_live: bool = False) -> ClimbTerms | None:
    """
    Return the terms of a config, or None if its stage does not climb.

    Windows come from `simulation.history`, or else from the folder the season or its warm-up is from. There
    is no key by which GENERATED windows would count. With real money nobody comes above the config's own
    stage: what is above has a readiness of its own to show.

    Raises:
        ConfigError: it could not climb: nobody to come up, nobody to approve, or money dealt otherwise too.
    """
    stage, people = settings.stage, settings.approvals
    if not stage.climbs:
        return None
    for key, is_wrong, allowed in (
        ("stage.allocates", stage.allocates, "false where a stage climbs: gates decide, and people"),
        ("stage.breeds", stage.breeds, "false where a stage climbs: who comes up was bred on paper"),
        ("simulation.agents", not settings.simulation.agents, "1 and more: somebody has to come up"),
        ("approvals.people", len(people.listed) < people.needed, f"{people.needed} people and more"),
    ):
        if is_wrong:
            raise ConfigError(f"stage.climbs = true: {key}: allowed is {allowed}")
    check_ladder(LADDER)
    history = settings.simulation.history or settings.season.folder
    job = ExamineJob(
        source=Path(history) if history else None,
        config=load_evidence_config(DEFAULT_CONFIG),
        seed=settings.season.seed,
        strategy=strategy,
    )
    top: Stage = stage.name if is_live else "full"
    return ClimbTerms(job=job, listed=people.listed, needed=people.needed, top=top)
