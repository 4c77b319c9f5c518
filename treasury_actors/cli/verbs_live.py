"""`run` on a chain's frames: paper, and live behind two switches; `local-chain` and `local-safe`."""

import argparse
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from treasury_actors.cli.screen import ProgressLine, StandbyLine, emit, say, show
from treasury_actors.cli.verbs_evidence import DEFAULT_WORKSPACE, WORKSPACE_VARIABLE
from treasury_actors.cli.verbs_rehearse import gas_ratio_of
from treasury_actors.clock import Clock, WallClock
from treasury_actors.daemon.chain_run import ChainRun, OpenChainRun, Outside
from treasury_actors.daemon.live_run import Conclusion, RunEnd
from treasury_actors.daemon.one_error import one_error
from treasury_actors.daemon.process import serve
from treasury_actors.daemon.webhook import check_url
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.reports.summary_json import to_object
from treasury_actors.reports.text import screen
from treasury_actors.settings.file import Settings, load_settings
from treasury_actors.settings.stakes import stakes_lines, stakes_of
from treasury_actors.simulation.benchmarks import compute_benchmarks
from treasury_actors.simulation.custody.session import checked_address
from treasury_actors.simulation.ladder.readiness import require_ready
from treasury_actors.simulation.ladder.terms import terms_of
from treasury_actors.simulation.live.evidence import check_evidence
from treasury_actors.simulation.live.prepared import ChainLabel, prepare_on_chain
from treasury_actors.simulation.live.session import catch_up, chosen_chain, open_live_chain, signer_of
from treasury_actors.simulation.manifest import run_id_of
from treasury_actors.simulation.plan import Prepared, recipe_of
from treasury_actors.simulation.rehearsal.local_chain import REGISTRY_NAME, LocalChain, stand
from treasury_actors.simulation.rehearsal.local_hands import give, new_safe, open_hands, sign_batch
from treasury_actors.simulation.reporting import benchmark_job, report_season
from treasury_actors.trading.wallet_ports import Signer

RUNS = Path("runs")
HOUR_S_MIN, HOUR_S_MAX = 1.0, 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A run on a chain, settled before anything is opened; `signer` is None on paper."""

    settings: Settings
    prepared: Prepared
    growing: GrowingSeason
    signer: Signer | None


def run_on_chain(options: argparse.Namespace, settings: Settings) -> int:
    """Run on a chain's frames: on paper, or with `--live` and all it needs for real."""
    clock = WallClock()
    if options.speed is not None:
        raise ConfigError("--speed: a chain has its own; allowed on generated and historical seasons")
    chosen = chosen_chain(settings, options.rpc or (), options.registry)
    if settings.live.webhook.get_secret_value():
        check_url(settings.live.webhook.get_secret_value())
    signer = None
    if options.live:
        signer = may_go_live(settings, options, chosen.registry.chain_name)
    label: ChainLabel = "LIVE" if options.live else "PAPER"
    prepared, growing = prepare_on_chain(settings, label=label, clock=clock, strategy=options.strategy)
    wanted = Wanted(settings=settings, prepared=prepared, growing=growing, signer=signer)
    folder = options.out or RUNS / prepared.manifest.run_id
    venue = "frames of the chain, a simulated venue, no real money"
    if options.live:
        venue = "it signs and sends, of money nobody owns" if chosen.is_local else "REAL MONEY MOVES"
    say(f"{label}: {settings.arena.agents} agents on {chosen.registry.chain_name}: {venue}")

    def open_chain(locked: Path) -> AbstractAsyncContextManager[ChainRun]:
        return open_live_chain(
            chosen,
            growing,
            locked,
            clock=clock,
            rules=settings.chain_rules(),
            outage_h_max=settings.live.outage_h_max,
            signer=wanted.signer,
        )

    end = anyio.run(_serve, wanted, folder, open_chain, options, clock)
    if end.kind == "interrupted":
        say(f"ended cleanly; go on with the same command and --out {folder}")
    return 0


async def _serve(
    wanted: Wanted, folder: Path, open_chain: OpenChainRun, options: argparse.Namespace, clock: Clock
) -> RunEnd:
    """Play it to its end, or until it is told to leave."""
    live, anchor_dir = wanted.settings.live, wanted.settings.journal.anchor_dir

    async def conclude(conclusion: Conclusion) -> None:
        await _report(wanted.prepared, conclusion, folder, as_json=options.json)

    return await serve(
        wanted.prepared,
        folder,
        clock=clock,
        speed_x=None,
        until_end=options.until_end,
        progress=ProgressLine(wanted.prepared.manifest.label),
        accept_upgrade=options.accept_upgrade,
        conclude=conclude,
        anchor_dir=Path(anchor_dir) if anchor_dir else None,
        outside=Outside(
            open_chain=open_chain,
            read_frames=partial(catch_up, wanted.growing),
            poll_s=float(live.poll_s),
            webhook=live.webhook.get_secret_value(),
            climb=terms_of(wanted.settings, options.strategy, is_live=options.live),
        ),
        stands_by=StandbyLine(folder) if options.standby else None,
    )


async def _report(prepared: Prepared, conclusion: Conclusion, folder: Path, *, as_json: bool) -> None:
    """Report on a season that was lived through: its frames are in the run folder."""
    job = benchmark_job(prepared, conclusion.state)
    benchmarks = await anyio.to_thread.run_sync(compute_benchmarks, job, conclusion.state.season)
    summary = report_season(
        prepared,
        conclusion.state,
        conclusion.journal,
        folder,
        run_id=run_id_of(conclusion.folder),
        wall_s=conclusion.wall_s,
        benchmarks=benchmarks,
    )
    if as_json:
        emit(to_object(summary))
    else:
        show(screen(summary))
    say(f"report: {folder / 'report.html'}")


def may_go_live(settings: Settings, options: argparse.Namespace, chain_name: str) -> Signer:
    """
    Return who signs, once both switches are on, the evidence is there, and a person typed the chain's name.

    Raises ConfigError at the first of these that is missing; nothing was opened or written then.
    """
    live = settings.live
    if not live.enabled:
        raise ConfigError("--live: live.enabled = false: the config's own switch is off")
    if settings.stage.name in {"main", "full"}:
        require_ready(settings, Path(os.environ.get(WORKSPACE_VARIABLE) or DEFAULT_WORKSPACE))
    if not live.evidence:
        raise ConfigError("live.evidence: none; allowed: the folder of a rehearsal by these rules")
    evidence = check_evidence(settings, Path(live.evidence), strategy=options.strategy)
    signer = signer_of(settings, chosen_chain(settings, options.rpc or (), options.registry))
    rules = settings.chain_rules()
    say(f"LIVE on {chain_name}, wallet {signer.address}")
    say(f"  evidence: {evidence.run_id}, {evidence.days} days, {evidence.trades} trades, books equal")
    for line in stakes_lines(
        stakes_of(settings.house_rules(settings.season.seed), settings.chain.network), rules
    ):
        say(f"  {line}")
    _confirm(chain_name, options.chain_name)
    return signer


def _confirm(chain_name: str, given: str | None) -> None:
    """Raise ConfigError unless a person, or an option, says the chain's name."""
    if given is None:
        if not sys.stdin.isatty():
            raise ConfigError(
                f"--live: nobody can be asked; allowed without a terminal: --chain-name {chain_name}"
            )
        say(f"type the chain's name to let it trade there ({chain_name}), anything else to leave:")
        given = sys.stdin.readline().strip()
    if given != chain_name:
        raise ConfigError(f"the chain's name is {chain_name}, not {given[:40]!r}; nothing was begun")


def local_chain(options: argparse.Namespace) -> int:
    """Let a local chain with the contracts stand until Ctrl-C."""
    settings = load_settings(options.config)
    if not HOUR_S_MIN <= options.hour_s <= HOUR_S_MAX:
        raise ConfigError(f"--hour-s {options.hour_s:g}: allowed: {HOUR_S_MIN:g} to {HOUR_S_MAX:g}")
    source = "folder" if settings.season.folder else "generated"
    section = settings.season.model_copy(update={"source": source})
    season = recipe_of(settings.model_copy(update={"season": section})).build()

    async def standing(chain: LocalChain) -> None:
        say(f"a chain of your own, SYNTHETIC LIQUIDITY, an hour every {options.hour_s:g} s; Ctrl-C ends it")
        say(f"  rpc       {chain.url}")
        say(f"  registry  {options.out / REGISTRY_NAME}")
        show(chain.url)

    async def until_told() -> None:
        gas_ratio, hour_s = gas_ratio_of(settings), options.hour_s
        with one_error():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_hear_signals, tasks.cancel_scope)
                await stand(season, options.out, gas_ratio=gas_ratio, hour_s=hour_s, standing=standing)

    anyio.run(until_told)
    say("the chain is gone, and all that was on it")
    return 0


async def _hear_signals(scope: anyio.CancelScope) -> None:
    """End at SIGINT or SIGTERM."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


def local_safe_new(options: argparse.Namespace) -> int:
    """Create an empty Safe of one owner on a local chain; print its address."""

    async def create() -> str:
        async with open_hands(options.chain) as hands:
            return await new_safe(hands)

    show(anyio.run(create))
    return 0


def local_safe_give(options: argparse.Namespace) -> int:
    """Give an account of a local chain tokens or ether out of nothing."""
    to, asset = checked_address(options.to, "--to"), AssetId(options.asset)

    async def pay() -> int:
        async with open_hands(options.chain) as hands:
            return await give(hands, to, asset, options.amount)

    show(f"{anyio.run(pay)} units of {asset} to {to}")
    return 0


def local_safe_sign(options: argparse.Namespace) -> int:
    """Sign a Transaction Builder file as the owner of a local Safe; print what was signed."""

    async def sign() -> list[str]:
        async with open_hands(options.chain) as hands:
            return await sign_batch(hands, options.file)

    for signed in anyio.run(sign):
        show(f"signed and executed {signed}")
    return 0
