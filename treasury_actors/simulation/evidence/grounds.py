"""From a history to the grounds of one search: windows, validation after them, the same at dearer costs."""

from collections.abc import Mapping, Sequence

from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_fitness import FitnessPolicy, Insufficient, Vetoed, judge
from treasury_actors.evolution.model.windows import (
    DAY_FRAMES,
    TooShort,
    Window,
    check_disjoint,
    sample_windows,
)
from treasury_actors.ids import FamilyId
from treasury_actors.simulation.evidence.arms import Grounds, MakeEvaluator
from treasury_actors.simulation.evidence.config import EvidenceConfig
from treasury_actors.simulation.evidence.fixed_arms import LENT, fixed_arms
from treasury_actors.simulation.evidence.history import STRESS_FACTOR, History
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.evidence.trials import Ground

_LENDING = Genome(family=FamilyId("lending"), genes=())


def make_grounds(
    history: History,
    config: EvidenceConfig,
    families: Mapping[FamilyId, Family],
    make: MakeEvaluator,
    *,
    first_frame: int,
    end_frame: int,
    seed: int,
    in_world: bool,
) -> Grounds | TooShort:
    """
    Return where a search is made on the frames from `first_frame` to `end_frame` and nothing else.

    Validation takes the last days, the windows of the fitness all that lies before it and its embargo.
    """
    own, rules = config.sections.windows, config.windows
    validation = Window(
        history=history.name,
        label=history.label,
        first_frame=end_frame - own.validation_days * DAY_FRAMES,
        days=own.validation_days,
    )
    rotations = -(-config.search.generations // own.rotate_every)
    sets: list[tuple[Window, ...]] = []
    for rotation in range(rotations):
        windows = sample_windows(
            history=history.name,
            label=history.label,
            first_frame=first_frame,
            end_frame=validation.first_frame - own.embargo_h,
            warmup_count=history.season.warmup_count,
            rules=rules,
            seed=seed,
            rotation=rotation,
        )
        if isinstance(windows, TooShort):
            return windows
        check_disjoint((*windows, validation), embargo_h=own.embargo_h)
        sets.append(windows)
    if all(windows == sets[0] for windows in sets):
        sets = sets[:1]
    stressed = history.stressed()
    evaluate = make(history, families)
    policy = config.fitness()

    def ground(windows: Sequence[Window], formula: FitnessPolicy, *, dear: bool = False) -> Ground:
        return Ground(
            windows=tuple(windows),
            evaluate=make(stressed, families) if dear else evaluate,
            lending={window: history.daily_returns(window, LENT) for window in windows},
            policy=formula,
            costs=f"{config.house.config_hash[:12]} x {STRESS_FACTOR if dear else 1.0:g}",
            in_world=in_world,
        )

    fit = tuple(ground(windows, policy) for windows in sets)
    return Grounds(
        fit=fit,
        validation=ground([validation], config.fitness(windows_min=1)),
        stress=ground(sets[-1], policy, dear=True),
        lending_ppb=_lending_ppb(history, config, fit[-1]),
        rotate_every=own.rotate_every,
    )


def _lending_ppb(history: History, config: EvidenceConfig, ground: Ground) -> int:
    """Return the fitness of plain lending on a ground, at plain costs."""
    arms = {family.id: family for family in fixed_arms()}
    plain = PlainEvaluator(history, arms, config.rules)
    courses = [plain([_LENDING], window)[0] for window in ground.windows]
    verdict = judge(courses, ground.lending, ground.policy, in_world=ground.in_world)
    assert not isinstance(verdict, Insufficient), "a ground has its windows"
    return verdict.measured.value_ppb if isinstance(verdict, Vetoed) else verdict.value_ppb
