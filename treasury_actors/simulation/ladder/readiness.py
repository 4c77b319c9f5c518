"""
Whether a stage may begin: the brief's measures of success, each tried or read now, each with its command.

A check that can't be made is a failed one. Nothing here is believed because somebody wrote it into a config.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from treasury_actors.arena.model.ladder import gate_text
from treasury_actors.arena.model.promotion_checks import check_people
from treasury_actors.arena.model.stages import LADDER, Rung, above, check_ladder, gates_hash, rung_of
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError, TreasuryError
from treasury_actors.ids import AgentId
from treasury_actors.journal.event import Recorded
from treasury_actors.journal.reader import open_readonly
from treasury_actors.ledger.model import RESERVE, pool
from treasury_actors.money import MICRO_USD
from treasury_actors.settings.file import Settings
from treasury_actors.settings.stakes import stakes_of
from treasury_actors.simulation.backtest import run_backtest
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.evidence.commands import run_name
from treasury_actors.simulation.evidence.config import DEFAULT_CONFIG, load_evidence_config
from treasury_actors.simulation.evidence.trials_log import TrialsLog
from treasury_actors.simulation.evidence.worlds import accept, summarise
from treasury_actors.simulation.ladder.audit import Audit
from treasury_actors.simulation.live.evidence import check_evidence
from treasury_actors.simulation.plan import Prepared, prepare
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.simulation.sabotage import Sabotage
from treasury_actors.trading.model.order import OrderAccepted

TRIAL_DAYS = 8
SPEED_SEASON_DAYS, SPEED_SEASON_S = 180, 300.0
"""The brief: fifty agents and 180 days in less than five minutes."""

SEEDS = 20
_KILLED_AT = 30
_SIMULATED = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One measure: what was found, and the command that shows it again."""

    name: str
    passed: bool
    figure: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """
    Where proof is looked for.

    Attributes:
        config: the file that is asked about; `workspace`: the log of trials.
        below: the run folder of the stage below, if there is one.
        scratch: an empty folder for the seasons tried now.
    """

    config: Path
    settings: Settings
    workspace: Path
    below: Path | None
    scratch: Path


async def readiness(grounds: Grounds, *, clock: Clock) -> dict[str, Any]:
    """Return every check of a config's stage, and the plan of the next: the JSON contract."""
    stage = grounds.settings.stage.name
    checks = [
        *await _trial(grounds, clock),
        _gates(),
        _evolution(grounds, "positive"),
        _evolution(grounds, "null"),
    ]
    if stage != "sim":
        checks += [_money(grounds), _people(grounds), _rehearsal(grounds)]
    if stage in {"main", "full"}:
        checks.append(_below(grounds, rung_of(LADDER, stage)))
    return {
        "stage": stage,
        "passed": all(check.passed for check in checks),
        "checks": [
            {"name": each.name, "passed": each.passed, "figure": each.figure, "command": each.command}
            for each in checks
        ],
        "plan": _plan(grounds),
        "config_hash": grounds.settings.config_hash,
        "code_hash": code_hash(None),
        "gates_hash": gates_hash(LADDER),
    }


async def _trial(grounds: Grounds, clock: Clock) -> list[Check]:
    """Play a short season through the real actors twice, once with a crash; check what both left."""
    config = grounds.config
    whole = f"python run.py backtest {config}"
    settings = _short(grounds.settings)
    plain = prepare(settings, clock=clock)
    marks: list[float] = [clock.monotonic_s()]
    first = await _journal_of(plain, grounds.scratch / "plain", clock, marks)
    whole_s, turns_s = clock.monotonic_s() - marks[0], marks[-1] - marks[1]
    victim = AgentId(f"{min(plain.plan.families)}-0001")
    shot = prepare(settings, clock=clock, sabotage=Sabotage(kill=(victim, _KILLED_AT)))
    second = await _journal_of(shot, grounds.scratch / "crashed", clock, [])
    audit = Audit().read(first)
    crashes = sum(each.type.startswith("arena.agent_crashed") for each in second)
    hurt = _differences(first, second, victim)
    scaled = whole_s - turns_s + turns_s * SPEED_SEASON_DAYS / TRIAL_DAYS
    return [
        Check(
            name="conservation_at_every_entry",
            passed=audit.ok and audit.entries > 0,
            figure=f"{audit.entries} entries, {len(audit.problems)} problems",
            command="python run.py journal replay RUN",
        ),
        Check(
            name="one_crash_stays_one",
            passed=crashes == 1 and not hurt,
            figure=f"{crashes} crash, {len(hurt)} siblings ordered otherwise before the next round",
            command=f"{whole} --kill-agent {victim}@{_KILLED_AT}",
        ),
        Check(
            name="a_season_takes_minutes",
            passed=scaled < SPEED_SEASON_S,
            figure=f"{scaled:.0f} s for {SPEED_SEASON_DAYS} days and {settings.arena.agents} agents",
            command=f"{whole} --days {SPEED_SEASON_DAYS}",
        ),
    ]


def _short(settings: Settings) -> Settings:
    """Return the config with a short generated season on simulated venues: rules and limits stay."""
    season = settings.season.model_copy(
        update={"source": "generated", "days": TRIAL_DAYS, "folder": "", "start": None}
    )
    chain = settings.chain.model_copy(update={"network": _SIMULATED})
    return settings.model_copy(update={"season": season, "chain": chain})


async def _journal_of(prepared: Prepared, folder: Path, clock: Clock, marks: list[float]) -> list[Recorded]:
    """Play a season; return its journal. That a replay gives what was lived is checked; turns are timed."""

    def progress(*_: int) -> None:
        marks.append(clock.monotonic_s())

    await run_backtest(prepared, folder, clock=clock, progress=progress)
    with open_readonly(folder / JOURNAL_NAME) as journal:
        return list(journal.read())


def _differences(first: Sequence[Recorded], second: Sequence[Recorded], victim: AgentId) -> list[str]:
    """Return whose orders of the first round differ between two journals, the victim aside."""
    mine, theirs = _orders(first), _orders(second)
    agents = sorted({*mine, *theirs} - {victim})
    return [agent for agent in agents if mine.get(agent) != theirs.get(agent)]


def _orders(records: Sequence[Recorded]) -> Mapping[str, list[str]]:
    """Return each agent's accepted orders before the first round after the opening."""
    found: dict[str, list[str]] = {}
    for recorded in records:
        if recorded.type.startswith("arena.round_held"):
            break
        if recorded.type.startswith("trading.order_accepted") and isinstance(recorded.event, OrderAccepted):
            order = recorded.event.order
            found.setdefault(order.agent, []).append(f"{order.order_id} {order.units} {order.path}")
    return found


def _gates() -> Check:
    """Check that every pool pays its mandates, and name the gates."""
    try:
        check_ladder(LADDER)
        told = ""
    except ConfigError as error:
        told = f": {error}"
    return Check(
        name="gates_are_whole",
        passed=not told,
        figure=f"{len(LADDER)} stages, gates {gates_hash(LADDER)[:12]}{told}",
        command="python run.py ladder --world positive --seed 7",
    )


def _evolution(grounds: Grounds, world: str) -> Check:
    """Look for finished seeds of a world, of this code and config, in the log of trials."""
    name = f"evolution_in_the_{world}_world"
    command = f"python run.py evidence --world {world} --seeds {SEEDS}"
    config = load_evidence_config(DEFAULT_CONFIG)
    about = {"world": world, "config": config.config_hash, "engine": code_hash(None)}
    if not grounds.workspace.is_dir():
        return Check(name=name, passed=False, figure="no log of trials", command=command)
    with TrialsLog(grounds.workspace) as log:
        results = [log.tally.result(run_name("evidence", about), seed) for seed in range(SEEDS)]
    done = [result for result in results if result is not None]
    if len(done) < SEEDS:
        figure = f"{len(done)} of {SEEDS} seeds with this code and config"
        return Check(name=name, passed=False, figure=figure, command=command)
    summary = summarise(world, done, config_hash=config.config_hash, label="GENERATED")
    met = accept(world, summary)
    figure = ", ".join(f"{what}: {'yes' if is_met else 'NO'}" for what, is_met in met.items())
    if summary["champion"]:
        dsr, pbo = (summary["champion"][name] for name in ("dsr", "pbo"))
        figure += f"; champion: DSR {_or_none(dsr)}, PBO {_or_none(pbo)}"
    return Check(name=name, passed=all(met.values()), figure=figure, command=command)


def _or_none(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _money(grounds: Grounds) -> Check:
    """Check that the stage's pool is not more than its rung's, and pays the mandates of its config."""
    settings, rung = grounds.settings, rung_of(LADDER, grounds.settings.stage.name)
    asked, agents = settings.arena.capital_usd, settings.arena.agents
    fits = asked <= rung.pool_usd and agents <= rung.places
    pays = asked >= agents * min(rung.mandate_usd, rung.pool_usd // rung.places)
    return Check(
        name="the_pool_pays_its_mandates",
        passed=fits and pays,
        figure=f"${asked} for {agents}; the rung has ${rung.pool_usd} and {rung.places} places",
        command=f"python run.py show-config {grounds.config}",
    )


def _people(grounds: Grounds) -> Check:
    """Check that enough different people can approve the next rise."""
    section = grounds.settings.approvals
    problem = check_people(section.listed, section.needed)
    figure = f"{len(section.people)} listed, {section.needed} needed"
    return Check(
        name="people_can_approve",
        passed=problem is None,
        figure=figure if problem is None else f"{figure}: {problem[1]}",
        command="python run.py approval-key FILE",
    )


def _rehearsal(grounds: Grounds) -> Check:
    """Check the rehearsal that the config names."""
    named = grounds.settings.live.evidence
    command = f"python run.py rehearse {grounds.config} --out DIR"
    if not named:
        return Check(name="rehearsed", passed=False, figure="live.evidence names none", command=command)
    try:
        shown = check_evidence(grounds.settings, Path(named))
    except TreasuryError as error:
        return Check(name="rehearsed", passed=False, figure=str(error), command=command)
    figure = f"{shown.days} days, {shown.trades} trades, books equal"
    return Check(name="rehearsed", passed=True, figure=figure, command=command)


def _below(grounds: Grounds, rung: Rung) -> Check:
    """Check the run of the stage below: money conserved, and a promotion to this stage executed."""
    name, command = "the_stage_below_let_up", "python run.py promotions --out RUN"
    if grounds.below is None or not (grounds.below / JOURNAL_NAME).is_file():
        return Check(name=name, passed=False, figure="no run (--below DIR)", command=command)
    with open_readonly(grounds.below / JOURNAL_NAME) as journal:
        records = list(journal.read())
    audit = Audit().read(records)
    moved = [move for move in audit.moves if move.target == pool(rung.stage) and move.source == RESERVE]
    generated = any('"label":"GENERATED"' in each.payload for each in records[:10])
    figure = f"{len(moved)} rises to {rung.stage}, {len(audit.problems)} problems in {audit.entries} entries"
    if generated:
        figure += "; GENERATED is no evidence"
    return Check(name=name, passed=bool(moved) and audit.ok and not generated, figure=figure, command=command)


def _plan(grounds: Grounds) -> dict[str, Any]:
    """Return the next stage, where its money would come from, and the most it could lose."""
    settings = grounds.settings
    up = above(LADDER, settings.stage.name)
    if up is None:
        return {"next_stage": None}
    rules = settings.house_rules(settings.season.seed)
    arena = replace(rules.arena, stage=up.stage, population=up.places_full, capital_usd=up.pool_usd)
    worst = stakes_of(replace(rules, arena=arena), settings.chain.network).in_play
    gate = rung_of(LADDER, settings.stage.name)
    return {
        "next_stage": up.stage,
        "source": RESERVE,
        "target": pool(up.stage),
        "amount_usd": str(up.pool_usd),
        "mandate_usd": str(up.mandate_usd),
        "places": up.places,
        "needed": settings.approvals.needed,
        "worst_loss": {
            "key_stolen_usd": f"{worst.key_stolen_micro_usd / MICRO_USD:.2f}",
            "venue_failed_usd": f"{worst.venue_failed_micro_usd / MICRO_USD:.2f}",
        },
        "gate": list(gate_text(gate, tried=0).lines()),
    }


def write_record(found: Mapping[str, Any], workspace: Path) -> Path:
    """Write what was found where `require_ready` looks for it; a later one of the same config replaces it."""
    path = _record_of(workspace, str(found["config_hash"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path


def require_ready(settings: Settings, workspace: Path) -> None:
    """
    Refuse a stage that nobody has found ready, with this config and this code.

    Raises:
        ConfigError: naming what is missing.
    """
    stage, how = settings.stage.name, "run: python run.py readiness CONFIG"
    try:
        found = json.loads(_record_of(workspace, settings.config_hash).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(
            f"stage {stage}: no readiness report of this config in {workspace}; {how}"
        ) from None
    if found.get("code_hash") != code_hash(None) or found.get("gates_hash") != gates_hash(LADDER):
        raise ConfigError(f"stage {stage}: its readiness report is of other code or gates; {how}")
    if found.get("passed") is not True:
        failed = ", ".join(each["name"] for each in found.get("checks", ()) if not each["passed"])
        raise ConfigError(f"stage {stage}: not ready: {failed or 'no check passed'}; {how}")


def _record_of(workspace: Path, config_hash: str) -> Path:
    return workspace / "readiness" / f"{config_hash}.json"
