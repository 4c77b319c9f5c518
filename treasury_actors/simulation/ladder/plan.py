"""What a climb is made of, before anything is written: the season, the windows before it, rules, people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families as shipped_families
from treasury_actors.arena.model.demotion import DemotionRules
from treasury_actors.arena.model.promotion import Person
from treasury_actors.arena.model.rules import RiskRules
from treasury_actors.arena.model.stages import LADDER, Rung, check_ladder
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.windows import DAY_FRAMES, Span, TooShort, sample_windows
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.evidence_worlds import generate_world
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evidence.archive import load_archive
from treasury_actors.simulation.evidence.config import EvidenceConfig, WorldName
from treasury_actors.simulation.evidence.history import Archive, History, MakeEvaluator
from treasury_actors.simulation.ladder.examine import Examiner, Examines
from treasury_actors.simulation.ladder.people import ScriptedPerson
from treasury_actors.simulation.ladder.span import SeasonSpan
from treasury_actors.simulation.on_paper import on_paper
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.mandate import Stage

TREASURY_USD = 373_261
"""What the brief's treasury holds: its reserve, its arena and its proving grounds together."""

PAPER_AGENTS = 64
"""Agents on paper: the brief asks for fifty and more, all through the climb."""

DAYS = 400
_GAS_USD = 4_000
_ROUND_H = 168
_DAYS_MIN = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class ClimbPlan:
    """
    A climb, checked and ready.

    Attributes:
        world: its name, or the folder of market data.
        season: the frames both houses play; what lies before them is in `examiner`'s windows.
        people: who a script plays; none where people are people.
        trims: whether the script's operator demotes somebody, once.
        top: the highest stage anybody may come to here.
        listed: who may approve, as a proposal names them; `needed`: how many of them must.
    """

    world: str
    in_world: bool
    seed: int
    season: Season
    families: Mapping[FamilyId, Family]
    paper: HouseRules
    money: HouseRules
    examiner: Examines
    ladder: tuple[Rung, ...]
    demotion: DemotionRules
    people: tuple[ScriptedPerson, ...]
    listed: tuple[Person, ...]
    needed: int
    config_hash: str
    trims: bool = True
    top: Stage = "full"

    @property
    def history(self) -> History:
        """The season as a history, to trade it again by plain calls."""
        return History(season=self.season)


def world_plan(
    name: WorldName,
    config: EvidenceConfig,
    make: MakeEvaluator,
    *,
    seed: int,
    days: int = DAYS,
    paper_agents: int = PAPER_AGENTS,
    ladder: tuple[Rung, ...] = LADDER,
) -> ClimbPlan:
    """Return a climb in a labelled world: windows first, then the season, one path."""
    own = config.sections.windows
    before = own.count * own.days + -(-own.count * own.embargo_h // DAY_FRAMES) + 1
    season = generate_world(
        config.world(name), universe=MAINNET, seed=seed, days=before + days, warmup_h=own.warmup_h
    )
    archive = Archive(histories=(History(season=season),))
    found = _plan(
        archive,
        config,
        make,
        world=name,
        in_world=True,
        seed=seed,
        days=days,
        paper_agents=paper_agents,
        ladder=ladder,
    )
    if isinstance(found, TooShort):
        raise ConfigError(f"{name} world: INSUFFICIENT: {found.reason}")
    return found


def folder_plan(
    folder: Path,
    config: EvidenceConfig,
    make: MakeEvaluator,
    *,
    seed: int,
    days: int = DAYS,
    paper_agents: int = PAPER_AGENTS,
    ladder: tuple[Rung, ...] = LADDER,
) -> ClimbPlan | TooShort:
    """
    Return a climb through the last days of a data folder, or that there is too little before them.

    Raises:
        DataError: the data are wrong.
    """
    archive = load_archive(folder.resolve(), config.sections.windows.warmup_h)
    return _plan(
        archive,
        config,
        make,
        world=folder.name,
        in_world=False,
        seed=seed,
        days=days,
        paper_agents=paper_agents,
        ladder=ladder,
    )


def _plan(
    archive: Archive,
    config: EvidenceConfig,
    make: MakeEvaluator,
    *,
    world: str,
    in_world: bool,
    seed: int,
    days: int,
    paper_agents: int,
    ladder: tuple[Rung, ...],
) -> ClimbPlan | TooShort:
    """Cut windows and season from an archive; nothing of the season is in a window."""
    check_ladder(ladder)
    if days < _DAYS_MIN:
        raise ConfigError(f"--days {days}: a climb needs {_DAYS_MIN} days at least: 30 on paper come first")
    own, last = config.sections.windows, archive.histories[-1]
    frames = min(days * DAY_FRAMES + 1, last.season.frame_count)
    first = last.season.frame_count - frames
    spans = [
        Span(
            history=history.name,
            label=history.label,
            first_frame=0,
            end_frame=first - own.embargo_h if history is last else history.season.frame_count - 1,
            warmup_count=history.season.warmup_count,
        )
        for history in archive.histories
    ]
    windows = sample_windows(spans, config.windows, seed=seed)
    if isinstance(windows, TooShort):
        return windows
    families = shipped_families(MAINNET)
    people = tuple(ScriptedPerson(name=name, seed=seed) for name in ("alice", "bob", "carol"))
    season = SeasonSpan(last.season, first_frame=first, frames=frames, warmup_h=own.warmup_h)
    return ClimbPlan(
        world=world,
        in_world=in_world,
        seed=seed,
        season=season,
        families=families,
        paper=_paper_rules(config, seed, paper_agents),
        money=_money_rules(config, seed),
        examiner=Examiner(archive, windows, config, families, make, in_world=in_world),
        ladder=ladder,
        demotion=DemotionRules(),
        people=people,
        listed=tuple(person.listed for person in people),
        needed=2,
        config_hash=config.config_hash,
    )


def _paper_rules(config: EvidenceConfig, seed: int, agents: int) -> HouseRules:
    """Return the rules of the house on paper: its money is nobody's, its costs are those of the other."""
    return on_paper(config.house.house_rules(seed), agents)


def _money_rules(config: EvidenceConfig, seed: int) -> HouseRules:
    """Return the rules of the house with money: nobody is bred or allotted to there; gates decide."""
    rules = config.house.house_rules(seed)
    arena = replace(
        rules.arena,
        stage="proving",
        population=30,
        capital_usd=Decimal(TREASURY_USD),
        gas_usd=_GAS_USD,
        round_turns=_ROUND_H,
        allocates=False,
        breeds=False,
        climbs=True,
        risk=RiskRules(trade_usd_max=20_000, arena_turnover_usd_max=1_500_000),
    )
    return replace(rules, arena=arena, guard=GuardPolicy(stop_loss_ratio=0.10, drawdown_ratio_max=0.12))
