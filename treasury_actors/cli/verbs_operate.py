"""`status`, `stop`, `close-all`, `close-mandate`, `resume`, `accept-inflow`, `treasury`."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio

from treasury_actors.cli.screen import emit, say, show
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate, operate_mandates
from treasury_actors.daemon import operate_withdrawals as withdrawals
from treasury_actors.daemon.remains import read_remains, remains_lines, remains_object
from treasury_actors.daemon.stop_file import StopMode
from treasury_actors.daemon.withdrawing import plan_lines

Answer = Mapping[str, Any]
USAGE = 2


def status(options: argparse.Namespace) -> int:
    """Say how a run is."""
    return _do(partial(operate.status, options.out), as_json=options.json)


def stop(options: argparse.Namespace) -> int:
    """Stop trading, reduce, or unwind; say what that does not do."""
    match options.mode:
        case "unwind":
            return close_all(options)
        case "reduce":
            mode: StopMode = "reducing"
        case _:
            mode = "stopped"
    verb = partial(operate.stop, options.out, options.reason, mode, clock=WallClock())
    return _stopped(options, verb, mode, close_all=False)


def close_all(options: argparse.Namespace) -> int:
    """Let every mandate close, and bring its capital home."""
    verb = partial(operate.close_all, options.out, options.reason, clock=WallClock())
    return _stopped(options, verb, "reducing", close_all=True)


def close_mandate(options: argparse.Namespace) -> int:
    """Let the mandate of one agent close."""
    verb = partial(
        operate_mandates.close_mandate, options.out, options.agent, options.reason, clock=WallClock()
    )
    return _do(verb, as_json=options.json)


def _stopped(
    options: argparse.Namespace, verb: Callable[[], Awaitable[Answer]], mode: StopMode, *, close_all: bool
) -> int:
    """Stop, then print what holds now and what was not done."""
    answer = anyio.run(verb)
    left = read_remains(options.out)
    if options.json:
        emit({**answer, "remains": remains_object(left)})
    else:
        for key, value in answer.items():
            show(f"{key:<20} {value}")
        running = (
            bool(anyio.run(operate.status, options.out).get("running")) if answer.get("journalled") else False
        )
        for line in remains_lines(left, mode, close_all=close_all, running=running):
            show(f"  {line}")
    return 1 if answer.get("ok") is False else 0


def resume(options: argparse.Namespace) -> int:
    """Let trading go on."""
    return _do(partial(operate.resume, options.out, options.reason, clock=WallClock()), as_json=options.json)


def accept_inflow(options: argparse.Namespace) -> int:
    """Take in what a stranger sent; without an id, list what came."""
    if options.entry_id is None:
        found = operate.list_inflows(options.out)
        if options.json:
            emit({"inflows": found})
        for inflow in () if options.json else found:
            show(f"{inflow['entry_id']}  {inflow['amounts']}{'  accepted' if inflow['accepted'] else ''}")
        return 0
    verb = partial(
        operate.accept_inflow, options.out, options.entry_id, options.reason or "", clock=WallClock()
    )
    return _do(verb, as_json=options.json)


def treasury(options: argparse.Namespace) -> int:
    """Deposit or withdraw; with a time it is wanted by, plan it first."""
    clock = WallClock()
    match options.direction:
        case "cancel":
            verb = partial(withdrawals.cancel, options.out, options.asset, options.reason, clock=clock)
        case "paid":
            verb = partial(withdrawals.paid, options.out, options.asset, options.reason, clock=clock)
        case _ if options.amount is None:
            say(f"usage: treasury {options.direction} ASSET AMOUNT")
            return USAGE
        case "withdraw" if options.by is not None:
            return _withdraw_by(options)
        case _:
            verb = partial(
                operate.treasury,
                options.out,
                options.direction,
                options.asset,
                options.amount,
                options.reason,
                clock=clock,
            )
    return _do(verb, as_json=options.json)


def _withdraw_by(options: argparse.Namespace) -> int:
    """Print the plan; begin it if that is what the treasurer says."""
    name = f"w-{WallClock().now_ns():x}"
    ask = partial(
        withdrawals.withdraw_by,
        options.out,
        options.asset,
        options.amount,
        options.by,
        options.reason,
        withdrawal=name,
        clock=WallClock(),
    )
    if options.plan or not options.yes:
        shown = anyio.run(partial(ask, begins=False))
        if options.plan or not _agrees(shown, options):
            return _show_plan(shown, options)
        return _show_plan(anyio.run(partial(ask, begins=True, plan=str(shown["plan"]))), options)
    return _show_plan(anyio.run(partial(ask, begins=True)), options)


def _agrees(shown: Answer, options: argparse.Namespace) -> bool:
    """Ask at the terminal whether to begin a plan; without a terminal nothing begins."""
    if shown.get("ok") is not True or options.json or not sys.stdin.isatty():
        if shown.get("ok") is True:
            say("nothing begins: give --yes, or ask at a terminal")
        return False
    for line in plan_lines(shown):
        show(line)
    return input(f"type {shown['plan']} to begin it: ").strip() == str(shown["plan"])


def _show_plan(answer: Answer, options: argparse.Namespace) -> int:
    """Print a plan, or why there is none."""
    if options.json or answer.get("ok") is not True:
        return _print(answer, as_json=options.json)
    for line in plan_lines(answer):
        show(line)
    show(f"{'withdrawal':<20} {answer['withdrawal']}")
    return 0


def _do(verb: Callable[[], Awaitable[Answer]], *, as_json: bool) -> int:
    """Run one operator's verb and print what came of it; a refusal exits 1."""
    return _print(anyio.run(verb), as_json=as_json)


def _print(answer: Answer, *, as_json: bool) -> int:
    if as_json:
        emit(answer)
    else:
        for key, value in answer.items():
            show(f"{key:<20} {value}")
    return 1 if answer.get("ok") is False else 0
