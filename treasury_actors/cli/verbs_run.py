"""`backtest`, `run`, `show-config`, `version`."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import anyio

from treasury_actors.cli.screen import ProgressLine, StandbyLine, emit, say, show
from treasury_actors.clock import WallClock
from treasury_actors.daemon.chain_run import Outside
from treasury_actors.daemon.live_run import Conclusion, RunEnd
from treasury_actors.daemon.process import serve
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId
from treasury_actors.journal.sqlite_in_use import sqlite_in_use
from treasury_actors.reports.summary import Summary
from treasury_actors.reports.summary_json import to_object
from treasury_actors.reports.text import screen
from treasury_actors.settings.file import Settings, load_settings
from treasury_actors.settings.stakes import stakes_lines, stakes_object, stakes_of
from treasury_actors.simulation.backtest import check_empty, run_backtest
from treasury_actors.simulation.benchmarks import BenchmarkWorker
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.ladder.terms import terms_of
from treasury_actors.simulation.manifest import run_id_of
from treasury_actors.simulation.plan import prepare
from treasury_actors.simulation.reporting import benchmark_job, report_season
from treasury_actors.simulation.sabotage import Sabotage

RUNS = Path("runs")


def backtest(options: argparse.Namespace) -> int:
    """Play one season, report on it."""
    settings = load_settings(options.config, _overrides(options))
    if options.out is not None:
        check_empty(options.out)
    clock = WallClock()
    say(_opening_words(settings))
    prepared = prepare(
        settings,
        clock=clock,
        strategy=options.strategy,
        sabotage=_sabotage(options.kill_agent, options.crash_agent),
    )
    folder = options.out or _new_folder(prepared.manifest.run_id)
    progress = ProgressLine(prepared.manifest.label)

    async def play() -> Summary:
        finished = await run_backtest(prepared, folder, clock=clock, progress=progress)
        return finished.summary

    summary = anyio.run(play)
    _print_summary(summary, folder, as_json=options.json)
    return 0


def run(options: argparse.Namespace) -> int:
    """Run for months, or to the end of the season."""
    settings = load_settings(options.config)
    if options.speed is not None and not 0 < options.speed < float("inf"):
        raise ConfigError(f"--speed {options.speed}: allowed are numbers above 0")
    clock = WallClock()
    say(_opening_words(settings))
    prepared = prepare(settings, clock=clock, strategy=options.strategy)
    outside = Outside(climb=terms_of(settings, options.strategy))
    folder = options.out or _new_folder(prepared.manifest.run_id)
    progress = ProgressLine(prepared.manifest.label)

    summaries: list[Summary] = []

    async def conclude(conclusion: Conclusion) -> None:
        with BenchmarkWorker(benchmark_job(prepared, conclusion.state)) as worker:
            benchmarks = await worker.result()
        summary = report_season(
            prepared,
            conclusion.state,
            conclusion.journal,
            folder,
            run_id=run_id_of(conclusion.folder),
            wall_s=conclusion.wall_s,
            benchmarks=benchmarks,
        )
        summaries.append(summary)
        if not (options.until_end or options.json):
            show(screen(summary))

    async def play() -> RunEnd:
        return await serve(
            prepared,
            folder,
            clock=clock,
            speed_x=options.speed,
            until_end=options.until_end,
            progress=progress,
            accept_upgrade=options.accept_upgrade,
            conclude=conclude,
            anchor_dir=Path(settings.journal.anchor_dir) if settings.journal.anchor_dir else None,
            outside=outside,
            stands_by=StandbyLine(folder) if options.standby else None,
        )

    end = anyio.run(play)
    if end.kind == "interrupted" or not summaries:
        say(f"ended cleanly; go on with: python run.py run {options.config} --out {folder}")
        return 0
    _print_summary(summaries[-1], folder, as_json=options.json)
    return 0


def show_config(options: argparse.Namespace) -> int:
    """Print a config with every default, the limits it comes to, and the most that can be lost."""
    settings = load_settings(options.config)
    stakes = stakes_of(settings.house_rules(settings.season.seed), settings.chain.network)
    if options.json:
        content = settings.model_dump(mode="json")
        emit({**content, "config_hash": settings.config_hash, "stakes": stakes_object(stakes)})
        return 0
    for section, keys in settings.model_dump().items():
        show(f"[{section}]")
        for key, value in keys.items():
            if value is not None:
                show(f"{key} = {_as_toml(value)}")
        show("")
    for line in stakes_lines(stakes, settings.chain_rules()):
        show(f"# {line}")
    show(f"# config hash {settings.config_hash}\n# All ok")
    return 0


def version(options: argparse.Namespace) -> int:
    """Print version and code hash."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        number = version_of("treasury-arena")
    except PackageNotFoundError:
        number = "0.1.0"
    sqlite = sqlite_in_use()
    if options.json:
        emit({"version": number, "code_hash": code_hash(), "sqlite": asdict(sqlite)})
    else:
        show(f"Treasury Arena {number}, code {code_hash()[:12]}")
        defect = "has the WAL-reset defect" if sqlite.wal_reset_defect else "without the WAL-reset defect"
        show(f"SQLite {sqlite.version}, {defect}; {sqlite.guard}")
    return 0


def _overrides(options: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Return what the command line says instead of the config."""
    season: dict[str, object] = {}
    if options.data is not None:
        season |= {"source": "folder", "folder": str(options.data)}
        if options.start is None:
            raise ConfigError("--data needs --start DATE, the first day of the season")
    if options.start is not None:
        try:
            season["start"] = date.fromisoformat(options.start)
        except ValueError:
            raise ConfigError(f"--start {options.start}: not a date; write YYYY-MM-DD") from None
    season |= {name: value for name in ("days", "seed") if (value := getattr(options, name)) is not None}
    arena: dict[str, object] = {} if options.agents is None else {"agents": options.agents}
    return {"season": season, "arena": arena}


def _sabotage(kill: str | None, crash: str | None) -> Sabotage | None:
    """Return the injected crash the command line asks for."""
    if kill is None:
        return Sabotage(crash=AgentId(crash)) if crash else None
    agent, at, frame = kill.rpartition("@")
    if not (at and agent and frame.isdecimal()):
        raise ConfigError(f"--kill-agent {kill}: write AGENT@FRAME, e.g. trend-0008@169")
    return Sabotage(kill=(AgentId(agent), int(frame)), crash=AgentId(crash) if crash else None)


def _opening_words(settings: Settings) -> str:
    """Say what is about to happen: the first useful line."""
    season, arena = settings.season, settings.arena
    market = "a GENERATED market" if season.source == "generated" else f"the market data in {season.folder}"
    return (
        f"{arena.agents} agents, ${arena.capital_usd:,}, {season.days} days of {market},"
        f" seed {season.seed}; no real money"
    )


def _new_folder(run_id: str) -> Path:
    """Return a folder under `runs` that does not exist."""
    folder, number = RUNS / run_id, 2
    while folder.exists():
        folder, number = RUNS / f"{run_id}-{number}", number + 1
    return folder


def _print_summary(summary: Summary, folder: Path, *, as_json: bool) -> None:
    """Print the end of a run."""
    if as_json:
        emit(to_object(summary))
        say(f"report: {folder / 'report.html'}")
    else:
        show(screen(summary))
        show(f"report: {folder / 'report.html'}")


def _as_toml(value: object) -> str:
    """Return a value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_toml, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_as_toml(key)} = {_as_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, int | Decimal | date):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)  # a secret's text is asterisks
