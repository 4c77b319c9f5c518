"""`rehearse`: the proving grounds on a local node, with the real contracts."""

import argparse
from dataclasses import replace
from datetime import date
from pathlib import Path

import anyio

from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.model.registry_json import registry_from_json
from treasury_actors.cli.screen import ProgressLine, say, show
from treasury_actors.clock import WallClock
from treasury_actors.errors import ConfigError
from treasury_actors.settings.file import Settings, load_settings
from treasury_actors.simulation.backtest import check_empty
from treasury_actors.simulation.plan import Prepared, prepare
from treasury_actors.simulation.rehearsal.ground import Ground, deployed, forked, frozen_season
from treasury_actors.simulation.rehearsal.report import LABEL, screen, to_json
from treasury_actors.simulation.rehearsal.run import Finished, run_rehearsal

RUNS = Path("runs")
DATA_START = date(2024, 5, 12)
"""Where the market data that this project measures itself on have every series and their warm-up."""

L2_GAS_RATIO = 0.0025
"""Base asks some 0.05 gwei where an L1 asks 20."""


def rehearse(options: argparse.Namespace) -> int:
    """Play a season on a local chain; 1 if the books differ from the chain."""
    settings = load_settings(options.config, _overrides(options))
    if settings.chain.network != "rehearsal":
        raise ConfigError(
            f'{options.config}: chain.network = "{settings.chain.network}": a rehearsal wants "rehearsal"'
        )
    if options.out is not None:
        check_empty(options.out)
    clock = WallClock()
    prepared = prepare(settings, clock=clock)
    folder = options.out or RUNS / f"rehearsal-{prepared.manifest.run_id}"
    people = f"{settings.arena.agents} agents, {settings.season.days} days"
    say(f"{LABEL}: {people}, a node of its own, no real money")
    registry = _registry(options.registry) if options.fork else None
    progress = ProgressLine("REHEARSAL")

    async def play_on(ground: Ground, played: Prepared) -> Finished:
        return await run_rehearsal(
            played,
            folder,
            ground=ground,
            rules=settings.chain_rules(),
            attacked=not options.alone,
            clock=clock,
            progress=progress,
        )

    async def play() -> Finished:
        season = prepared.season
        if registry is None:
            async with deployed(season, gas_ratio=gas_ratio_of(settings)) as own:
                return await play_on(own, prepared)
        async with forked(options.fork, registry, season.universe) as fork:
            section = settings.season
            frozen = await frozen_season(fork, days=section.days, warmup_h=section.warmup_h)
            manifest = replace(prepared.manifest, label=frozen.label, data_hash=frozen.data_hash)
            return await play_on(fork, replace(prepared, season=frozen, manifest=manifest))

    finished = anyio.run(play)
    universe = prepared.season.universe
    show(to_json(finished.rehearsed, universe) if options.json else screen(finished.rehearsed, universe))
    say(f"every trade with its hash: {folder / 'transactions.csv'}; the season: {folder / 'report.html'}")
    return 0 if finished.rehearsed.books_are_equal else 1


def _registry(path: Path | None) -> Registry:
    """Return what is pinned on the chain that is forked: Base, unless a file says what else."""
    if path is None:
        return BASE
    try:
        return registry_from_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def gas_ratio_of(settings: Settings) -> float:
    """Return what gas costs here for each gwei of the season's L1."""
    return L2_GAS_RATIO if settings.chain.profile == "base" else 1.0


def _overrides(options: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Return the keys of the config that options replace."""
    season: dict[str, object] = {}
    if options.days is not None:
        season["days"] = options.days
    if options.data is not None:
        season |= {"source": "folder", "folder": str(options.data), "start": options.start or DATA_START}
    return {"season": season} if season else {}
