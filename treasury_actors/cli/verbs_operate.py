"""`status`, `stop`, `resume`, `treasury`."""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio

from treasury_actors.cli.screen import emit, show
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate

Answer = Mapping[str, Any]


def status(options: argparse.Namespace) -> int:
    """Say how a run is."""
    return _do(partial(operate.status, options.out), as_json=options.json)


def stop(options: argparse.Namespace) -> int:
    """Stop trading."""
    return _do(partial(operate.stop, options.out, options.reason, clock=WallClock()), as_json=options.json)


def resume(options: argparse.Namespace) -> int:
    """Let trading go on."""
    return _do(partial(operate.resume, options.out, options.reason, clock=WallClock()), as_json=options.json)


def treasury(options: argparse.Namespace) -> int:
    """Deposit or withdraw."""
    move = partial(
        operate.treasury,
        options.out,
        options.direction,
        options.asset,
        options.amount,
        options.reason,
        clock=WallClock(),
    )
    return _do(move, as_json=options.json)


def _do(verb: Callable[[], Awaitable[Answer]], *, as_json: bool) -> int:
    """Run one operator's verb and print what came of it; a refusal exits 1."""
    answer = anyio.run(verb)
    if as_json:
        emit(answer)
    else:
        for key, value in answer.items():
            show(f"{key:<20} {value}")
    return 1 if answer.get("ok") is False else 0
