"""Parses the command line and calls the verb."""

import argparse
import sys
from pathlib import Path

from treasury_actors.cli.options import Commands, Verb
from treasury_actors.cli.options import add_json as _add_json
from treasury_actors.cli.options import add_out as _add_out
from treasury_actors.cli.options import command as _command
from treasury_actors.cli.options import day as _day
from treasury_actors.cli.options import lazy as _lazy
from treasury_actors.cli.options import whole as _whole
from treasury_actors.cli.options_chain import add_chain_run, add_local, add_test_trade
from treasury_actors.cli.options_ladder import add_ladder
from treasury_actors.cli.screen import EXIT_INTERRUPTED, say
from treasury_actors.errors import OutOfMemory, TreasuryError

DEFAULT_CONFIG = Path(__file__).resolve().parents[2] / "configs" / "simulation.toml"
PROVING_CONFIG = DEFAULT_CONFIG.with_name("proving_grounds.toml")


STORY = """\
Treasury Arena: strategies earn their capital.

A population of treasury agents trades the same markets; an arena gives capital to the fit and takes it
from the unfit through one exact ledger. Without a command the default season is played: fifty agents,
180 generated days, no money, no network.
"""

AFTERWORD = """\
examples:
  python run.py                                    the default season, to its report
  python run.py backtest --days 30 --agents 8      a quick look
  python run.py backtest --data DIR --start 2024-05-12
  python run.py strategy new carry                 your own strategy, about twenty lines
  python run.py strategy check carry.py            does its code keep the rules?
  python run.py backtest --strategy carry.py       let it compete
"""


def main(argv: list[str]) -> int:
    """Run one command; return its exit code."""
    parser = build_parser()
    options = parser.parse_args(_with_default_command(argv))
    verb: Verb = options.verb
    try:
        return verb(options)
    except TreasuryError as error:
        say(f"{error}")
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted; what was acknowledged is in the journal")
        return EXIT_INTERRUPTED
    except MemoryError:
        say("the system gives this process no more memory; what was acknowledged is in the journal")
        return OutOfMemory.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _with_default_command(argv: list[str]) -> list[str]:
    """Let `run.py` and `run.py CONFIG` stand for what they mean."""
    if not argv:
        return ["run", str(DEFAULT_CONFIG), "--until-end"]
    if argv[0].endswith(".toml"):
        return ["run", *argv]
    return argv


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        allow_abbrev=False,
        description=STORY,
        epilog=AFTERWORD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_runs(commands)
    add_test_trade(commands, PROVING_CONFIG)
    add_local(commands, PROVING_CONFIG)
    _add_operating(commands)
    _add_journal(commands)
    _add_data(commands)
    _add_strategy(commands)
    _add_custody(commands)
    _add_evidence(commands)
    _add_faults(commands)
    add_ladder(commands)
    return parser


def _add_runs(commands: Commands) -> None:
    """Add what plays seasons."""
    backtest = _command(commands, "backtest", "play one season and report on it")
    backtest.set_defaults(verb=_lazy("verbs_run", "backtest"))
    backtest.add_argument("config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG")
    backtest.add_argument("--data", type=Path, metavar="DIR", help="market data; without it, generated")
    backtest.add_argument("--start", metavar="DATE", help="first day, YYYY-MM-DD UTC (with --data)")
    backtest.add_argument("--days", type=_whole, metavar="N", help="length of the season")
    backtest.add_argument("--agents", type=_whole, metavar="N", help="size of the population")
    backtest.add_argument("--seed", type=_whole, metavar="N", help="names the world and all that is drawn")
    backtest.add_argument("--strategy", type=Path, metavar="FILE", help="your strategy among the others")
    backtest.add_argument("--kill-agent", metavar="ID@FRAME", help="let this agent crash at this frame")
    backtest.add_argument("--crash-agent", metavar="ID", help="let this agent crash at every frame")
    _add_out(backtest, "run folder; must be new or empty (default: runs/<run_id>)")
    _add_json(backtest)

    run = _command(commands, "run", "run for months; on an existing folder, go on")
    run.set_defaults(verb=_lazy("verbs_start", "run"))
    run.add_argument("config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG")
    run.add_argument("--speed", type=float, metavar="X", help="X times real time (default: full speed)")
    run.add_argument("--until-end", action="store_true", help="end after the season; else start the next")
    run.add_argument("--strategy", type=Path, metavar="FILE", help="your strategy among the others")
    run.add_argument(
        "--accept-upgrade", action="store_true", help="go on with another config, data or code: an event"
    )
    run.add_argument(
        "--standby", action="store_true", help="wait while another process plays --out; go on when it ends"
    )
    add_chain_run(run)
    _add_out(run, "run folder (default: a new runs/<run_id>)")
    _add_json(run)

    rehearse = _command(commands, "rehearse", "the proving grounds on a local chain, with real contracts")
    rehearse.set_defaults(verb=_lazy("verbs_rehearse", "rehearse"))
    rehearse.add_argument("config", nargs="?", type=Path, default=PROVING_CONFIG, metavar="CONFIG")
    rehearse.add_argument("--days", type=_whole, metavar="N", help="length of the season")
    rehearse.add_argument("--data", type=Path, metavar="DIR", help="market data; without it, the config's")
    rehearse.add_argument(
        "--start", type=_day, metavar="DATE", help="first day, YYYY-MM-DD UTC (with --data)"
    )
    rehearse.add_argument("--alone", action="store_true", help="without a sandwich attacker and dust")
    rehearse.add_argument("--fork", metavar="URL", help="on a fork of that chain, standing still")
    rehearse.add_argument(
        "--registry", type=Path, metavar="FILE", help="what is pinned there (default: Base)"
    )
    _add_out(rehearse, "run folder; must be new or empty (default: runs/rehearsal-<run_id>)")
    _add_json(rehearse)

    show = _command(commands, "show-config", "print a config with every default, and check it")
    show.set_defaults(verb=_lazy("verbs_run", "show_config"))
    show.add_argument("config", nargs="?", type=Path, default=DEFAULT_CONFIG, metavar="CONFIG")
    _add_json(show)

    version = _command(commands, "version", "print version and code hash")
    version.set_defaults(verb=_lazy("verbs_run", "version"))
    _add_json(version)


def _add_operating(commands: Commands) -> None:
    """Add what an operator does to a running (or dead) daemon."""
    status = _command(commands, "status", "how a run is")
    status.set_defaults(verb=_lazy("verbs_operate", "status"))
    for name, text in (
        ("stop", "stop trading: nothing new is ordered until an operator resumes; the process stays up"),
        ("resume", "let trading go on after a stop"),
        ("close-all", "let every mandate close: the guardian sells at each frame; no agent comes back"),
        ("close-mandate", "let one agent's mandate close, living or frozen; the others trade on"),
    ):
        command = _command(commands, name, text)
        command.set_defaults(verb=_lazy("verbs_operate", name.replace("-", "_")))
        if name == "close-mandate":
            command.add_argument("agent", metavar="AGENT", help="its name, e.g. from status or the report")
        if name == "stop":
            command.add_argument(
                "--mode",
                choices=("stop", "reduce", "unwind"),
                default="stop",
                help="stop: nothing is signed; reduce: exits go on; unwind: as close-all (default: stop)",
            )
        command.add_argument("--reason", required=True, help="in your own words; kept for good")
        _add_out(command, "run folder", required=True)
        _add_json(command)
    _add_out(status, "run folder", required=True)
    _add_json(status)

    inflow = _command(commands, "accept-inflow", "take in what a stranger sent; without an ID, list it")
    inflow.set_defaults(verb=_lazy("verbs_operate", "accept_inflow"))
    inflow.add_argument("entry_id", nargs="?", metavar="ID", help="e.g. inflow/12/USDC/1000000")
    inflow.add_argument("--reason", help="in your own words; kept for good")
    _add_out(inflow, "run folder", required=True)
    _add_json(inflow)

    treasury = _command(commands, "treasury", "deposit or withdraw; cancel a withdrawal, or say it was paid")
    treasury.set_defaults(verb=_lazy("verbs_operate", "treasury"))
    treasury.add_argument("direction", choices=("deposit", "withdraw", "cancel", "paid"))
    treasury.add_argument("asset", metavar="ASSET|ID", help="what moves; a withdrawal's ID to cancel or paid")
    treasury.add_argument("amount", nargs="?", metavar="AMOUNT", help="whole tokens, e.g. 1000.50")
    treasury.add_argument(
        "--by", metavar="TIME", help="2025-01-31T12:00Z or +24h: bring home what isn't idle"
    )
    treasury.add_argument("--plan", action="store_true", help="with --by: print the plan, begin nothing")
    treasury.add_argument("--yes", action="store_true", help="with --by: begin it without asking")
    treasury.add_argument("--reason", default="", help="kept in the journal")
    _add_out(treasury, "run folder", required=True)
    _add_json(treasury)


def _add_journal(commands: Commands) -> None:
    """Add what reads journals."""
    journal = _command(commands, "journal", "verify, replay, read or back up a journal")
    actions = journal.add_subparsers(metavar="ACTION", required=True)
    for name, text in (
        ("verify", "check every hash and link; names the first bad event"),
        ("replay", "recompute every balance from the log alone; prints the state hash"),
        ("tail", "print the last events"),
    ):
        action = _command(actions, name, text)
        action.set_defaults(verb=_lazy("verbs_journal", name))
        action.add_argument("path", type=Path, metavar="PATH", help="a journal file or its run folder")
        _add_json(action)
        if name == "verify":
            action.add_argument("--anchor", type=Path, metavar="FILE", help="exported heads to check against")
            action.add_argument(
                "--anchor-key",
                type=Path,
                metavar="FILE",
                help="what signed them (default: beside the journal)",
            )
        if name == "tail":
            action.add_argument("-n", "--count", type=_whole, default=20, metavar="N", help="how many")
            action.add_argument("--stream", default=None, help="only this stream: ledger, trading, arena")
    backup = _command(actions, "backup", "copy the journal of a run, also while it is played")
    backup.set_defaults(verb=_lazy("verbs_journal", "backup"))
    backup.add_argument("target", type=Path, metavar="TARGET", help="a file that is not there yet")
    _add_out(backup, "run folder", required=True)
    _add_json(backup)


def _add_data(commands: Commands) -> None:
    """Add what fetches and keeps market data."""
    data = _command(commands, "data", "download or import market data into a catalog")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    download = _command(actions, "download", "ETH, BTC, LINK prices and the Aave USDC rate")
    download.set_defaults(verb=_lazy("verbs_data", "download"))
    download.add_argument("--start", required=True, metavar="DATE")
    download.add_argument("--end", required=True, metavar="DATE")
    imported = _command(actions, "import", "read a data folder into the catalog")
    imported.set_defaults(verb=_lazy("verbs_data", "import_"))
    imported.add_argument("folder", type=Path, metavar="DIR")
    for action in (download, imported):
        action.add_argument("--catalog", type=Path, default=Path("data/catalog"), metavar="DIR")
        _add_json(action)


def _add_strategy(commands: Commands) -> None:
    """Add what a strategy's author needs."""
    strategy = _command(commands, "strategy", "write and check your own strategy")
    actions = strategy.add_subparsers(metavar="ACTION", required=True)
    new = _command(actions, "new", "write NAME.py, an example to edit")
    new.set_defaults(verb=_lazy("verbs_strategy", "new"))
    new.add_argument("name", metavar="NAME")
    check = _command(actions, "check", "test the code of a strategy: it checks the code, not the idea")
    check.set_defaults(verb=_lazy("verbs_strategy", "check"))
    check.add_argument("file", type=Path, metavar="FILE")
    _add_json(check)


def _add_custody(commands: Commands) -> None:
    """Add what asks a chain and never moves money: keys, checks, observation, proposals."""
    keystore = _command(commands, "keystore", "make an encrypted key, or show whose a keystore is")
    actions = keystore.add_subparsers(metavar="ACTION", required=True)
    for name, text in (
        ("new", "make a key, encrypted; prints its address"),
        ("address", "print its address"),
    ):
        action = _command(actions, name, text)
        action.set_defaults(verb=_lazy("verbs_custody", f"keystore_{name}"))
        action.add_argument("file", type=Path, metavar="FILE")
        action.add_argument(
            "--password-file", type=Path, metavar="F", help="its first line is the password; mode 600"
        )

    wallet = _command(commands, "check-wallet", "check a wallet on its chain; exit 1 if a line fails")
    accounts = _command(commands, "check-accounts", "compare a run's books with the chain; 1 on a shortfall")
    observe = _command(commands, "observe", "what an address is worth, and what the arena would do; no key")
    propose = _command(commands, "safe-propose", "write a transaction for the owners of a Safe to sign")
    for command in (wallet, accounts, observe, propose):
        command.set_defaults(verb=_lazy("verbs_custody", command.prog.split()[-1].replace("-", "_")))
        command.add_argument("--rpc", action="append", required=True, metavar="URL", help="may be repeated")
        command.add_argument("--chain", required=True, metavar="NAME", help="base or rehearsal")
        command.add_argument("--registry", type=Path, metavar="FILE", help="of a rehearsal's contracts")
    for command in (wallet, accounts):
        who = command.add_mutually_exclusive_group(required=True)
        who.add_argument("--address", metavar="A")
        who.add_argument("--keystore", type=Path, metavar="FILE", help="whose address is meant")
    for command in (wallet, accounts, observe):
        _add_json(command)
    _add_out(accounts, "run folder", required=True)
    observe.add_argument("--address", required=True, metavar="A", help="a wallet or a Safe")
    observe.add_argument("--burn-usd-per-month", metavar="N", help="what the treasury spends; for the runway")
    observe.add_argument("--data", type=Path, metavar="DIR", help="hourly history for the strategies")
    propose.add_argument("--action", choices=("fund", "allowance", "add-owner"), default="fund")
    propose.add_argument("--safe", required=True, metavar="ADDR")
    propose.add_argument(
        "--to", required=True, metavar="ADDR", help="who is paid, may take, or becomes owner"
    )
    propose.add_argument("--asset", metavar="ASSET")
    propose.add_argument("--units", type=_whole, metavar="N", help="in the asset's smallest units")
    propose.add_argument("--threshold", type=_whole, metavar="N", help="after add-owner; default: as it is")
    propose.add_argument("--out", type=Path, metavar="FILE", help="a new file (default: stdout)")


def _add_evidence(commands: Commands) -> None:
    """Add what tells skill from luck."""
    anchor = _command(commands, "preregister", "write gates and windows down before a run")
    anchor.set_defaults(verb=_lazy("verbs_evidence", "preregister"))
    anchor.add_argument("config", type=Path, metavar="CONFIG")
    evolve = _command(commands, "evolve", "breed genomes over many windows; a killed search goes on")
    evolve.set_defaults(verb=_lazy("verbs_evidence", "evolve"))
    evolve.add_argument("config", nargs="?", type=Path, metavar="CONFIG")
    evolve.add_argument("--data", type=Path, metavar="DIR", help="market data to search on, all of it")
    evolve.add_argument("--world", metavar="NAME", help="positive or null: a world whose truth is known")
    walk = _command(commands, "walk-forward", "the one out-of-sample curve: choose, then test, again")
    walk.set_defaults(verb=_lazy("verbs_evidence", "walk_forward"))
    walk.add_argument("--data", type=Path, required=True, metavar="DIR", help="market data")
    walk.add_argument("--start", metavar="DATE", help="first day tested (default: the first possible)")
    walk.add_argument("--end", metavar="DATE", help="the day tests end at")
    every = _command(commands, "evidence", "evolution against random search and others, with error bars")
    every.set_defaults(verb=_lazy("verbs_evidence", "evidence"))
    every.add_argument("--world", required=True, metavar="positive|null|DIR", help="a world, or market data")
    every.add_argument("--seeds", type=_whole, default=20, metavar="N", help="how many searches (20)")
    for command in (evolve, walk):
        command.add_argument("--seed", type=_whole, default=0, metavar="N", help="names all that is drawn")
    for command in (walk, every):
        command.add_argument("--config", type=Path, metavar="CONFIG", help="default: configs/evidence.toml")
        command.add_argument("--workers", type=_whole, default=1, metavar="N", help="processes at once (1)")
    for command in (anchor, evolve, walk, every):
        command.add_argument(
            "--workspace",
            type=Path,
            metavar="DIR",
            help="the log of trials (default: $TREASURY_WORKSPACE, or trials)",
        )
        _add_json(command)


def _add_faults(commands: Commands) -> None:
    """Add what tries the whole system by faults."""
    faults = _command(commands, "faults", "play seeds of crashes, kills and lies through the whole system")
    faults.set_defaults(verb=_lazy("verbs_faults", "faults"))
    faults.add_argument("--seeds", metavar="A..B", help="which, both ends in (default: 1..200)")
    faults.add_argument("--only", action="append", metavar="FAULT", help="this kind alone; may be repeated")
    faults.add_argument("--mode", metavar="MODE", help="fifo, jitter, hostile or all (default: drawn)")
    faults.add_argument("--turns", type=_whole, metavar="N", help="end every seed after so many turns")
    faults.add_argument("--config", type=Path, metavar="FILE", help="your rules instead of the default ones")
    faults.add_argument("--strategy", type=Path, metavar="FILE", help="your strategy among the others")
    faults.add_argument("--jobs", type=_whole, default=1, metavar="N", help="processes that share the work")
    faults.add_argument("--mutant", metavar="NAME", help="plant this known-bad change; it must be caught")
    faults.add_argument("--harness", metavar="NAME", help="who hunts it (default: the one named for it)")
    faults.add_argument("--report", type=Path, metavar="FILE", help="keep what was found, commit and all")
    faults.add_argument("--list-mutants", action="store_true", help="say which there are")
    _add_json(faults)
