"""The options of what concerns a chain: a run on its frames, a local chain, a Safe on it."""

import argparse
from pathlib import Path

from treasury_actors.cli.options import Commands, add_json, add_out, command, day, lazy


def add_chain_run(run: argparse.ArgumentParser) -> None:
    """Add what concerns a run on a chain's frames alone."""
    chain = run.add_argument_group("on a chain's frames (season.source = chain); without --live it is paper")
    chain.add_argument("--rpc", action="append", metavar="URL", help="instead of live.rpcs; may be repeated")
    chain.add_argument("--registry", type=Path, metavar="FILE", help="of a local chain's contracts")
    chain.add_argument("--data", type=Path, metavar="DIR", help="hourly history for the warm-up")
    chain.add_argument("--start", type=day, metavar="DATE", help="the warm-up ends before it (with --data)")
    chain.add_argument("--live", action="store_true", help="real money; also needs live.enabled and evidence")
    chain.add_argument("--chain-name", metavar="NAME", help="with --live: what a person would have typed")
    chain.add_argument("--evidence", type=Path, metavar="DIR", help="of a rehearsal by the same rules")


def add_test_trade(commands: Commands, config: Path) -> None:
    """Add the smallest whole way of money through a chain and back."""
    trade = command(
        commands, "perform-test-trade", "supply some dollars and withdraw them, before a run begins"
    )
    trade.set_defaults(verb=lazy("verbs_trial", "perform"))
    trade.add_argument("config", type=Path, default=config, nargs="?", metavar="CONFIG")
    trade.add_argument("--rpc", action="append", metavar="URL", help="instead of live.rpcs; may be repeated")
    trade.add_argument("--registry", type=Path, metavar="FILE", help="of a local chain's contracts")
    trade.add_argument("--usd", type=int, default=25, metavar="N", help="whole dollars (default: 25)")
    trade.add_argument("--chain-name", metavar="NAME", help="what a person would have typed")
    trade.add_argument("--evidence", type=Path, metavar="DIR", help="of a rehearsal by the same rules")
    trade.set_defaults(strategy=None)
    add_out(trade, "folder of its own, new or empty", required=True)
    add_json(trade)


def add_local(commands: Commands, config: Path) -> None:
    """Add what makes a chain of one's own, and what other people would do there; `config` is the default."""
    chain = command(commands, "local-chain", "let a chain of your own stand, with the real contracts on it")
    chain.set_defaults(verb=lazy("verbs_live", "local_chain"))
    chain.add_argument("config", nargs="?", type=Path, default=config, metavar="CONFIG")
    chain.add_argument(
        "--hour-s", type=float, default=10.0, metavar="S", help="seconds an hour (default: 10)"
    )
    add_out(chain, "folder for registry.json and url", required=True)

    safe = command(commands, "local-safe", "a Safe, its owner and a sponsor on a local chain that stands")
    actions = safe.add_subparsers(metavar="ACTION", required=True)
    for name, text in (
        ("new", "create an empty Safe of one owner; prints its address"),
        ("give", "give an account tokens or ether out of nothing, as a sponsor would"),
        ("sign", "sign and execute what safe-propose wrote, as the Safe's owner"),
    ):
        action = command(actions, name, text)
        action.set_defaults(verb=lazy("verbs_live", f"local_safe_{name}"))
        action.add_argument("--chain", type=Path, required=True, metavar="DIR", help="of local-chain --out")
        for option in {"give": ("--to", "--asset", "--amount"), "sign": ("--file",)}.get(name, ()):
            kind = Path if option == "--file" else str
            action.add_argument(option, required=True, type=kind, metavar=option[2:].upper())
