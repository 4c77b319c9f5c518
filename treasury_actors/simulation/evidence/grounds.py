"""From a history to the grounds of one search: windows, validation after them, the same at dearer costs."""

from collections.abc import Mapping, Sequence

from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_fitness import FitnessPolicy, Insufficient, Vetoed, judge
from treasury_actors.evolution.model.windows import Span, TooShort, Window, check_disjoint, sample_windows
from treasury_actors.ids import FamilyId
from treasury_actors.simulation.evidence.arms import Grounds
from treasury_actors.simulation.evidence.config import EvidenceConfig
from treasury_actors.simulation.evidence.fixed_arms import LENT, fixed_arms
from treasury_actors.simulation.evidence.history import STRESS_FACTOR, Archive, MakeEvaluator
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.evidence.trials import Ground

_LENDING = Genome(family=FamilyId("lending"), genes=())


def make_grounds(
    archive: Archive,
    spans: Sequence[Span],
    validation: Window,
    config: EvidenceConfig,
    *,
    families: Mapping[FamilyId, Family],
    make: MakeEvaluator,
    seed: int,
    in_world: bool,
) -> Grounds | TooShort:
    """
    Return where a search is made.

    Args:
        spans: what windows of a fitness may be taken from: all that lies before `validation` and its embargo.
    """
    own, rules = config.sections.windows, config.windows
    rotations = -(-config.search.generations // own.rotate_every)
    sets: list[tuple[Window, ...]] = []
    for rotation in range(rotations):
        windows = sample_windows(spans, rules, seed=seed, rotation=rotation)
        if isinstance(windows, TooShort):
            return windows
        check_disjoint((*windows, validation), embargo_h=own.embargo_h)
        sets.append(windows)
    if all(windows == sets[0] for windows in sets):
        sets = sets[:1]
    evaluate = archive.evaluator(make, families)
    evaluate_dear = archive.stressed().evaluator(make, families)
    policy = config.fitness()

    def ground(windows: Sequence[Window], formula: FitnessPolicy, *, dear: bool = False) -> Ground:
        return Ground(
            windows=tuple(windows),
            evaluate=evaluate_dear if dear else evaluate,
            lending=archive.lending(windows, LENT),
            policy=formula,
            costs=f"{config.trading_hash[:12]} x {STRESS_FACTOR if dear else 1.0:g}",
            in_world=in_world,
        )

    fit = tuple(ground(windows, policy) for windows in sets)
    return Grounds(
        fit=fit,
        validation=ground([validation], config.fitness(windows_min=1)),
        stress=ground(sets[-1], policy, dear=True),
        lending_ppb=_lending_ppb(archive, config, fit[-1]),
        rotate_every=own.rotate_every,
    )


def _lending_ppb(archive: Archive, config: EvidenceConfig, ground: Ground) -> int:
    """Return the fitness of plain lending on a ground, at plain costs."""
    arms = {family.id: family for family in fixed_arms()}
    courses = [
        PlainEvaluator(archive.of(window), arms, config.rules)([_LENDING], window)[0]
        for window in ground.windows
    ]
    verdict = judge(courses, ground.lending, ground.policy, in_world=ground.in_world)
    if isinstance(verdict, Insufficient):
        return 0  # then nobody is ranked, and nothing is held against it
    return verdict.measured.value_ppb if isinstance(verdict, Vetoed) else verdict.value_ppb
