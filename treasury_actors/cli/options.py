"""What every part of the command line is made of."""

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

Verb: TypeAlias = Callable[[argparse.Namespace], int]
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (its only name)


def command(group: Commands, name: str, text: str) -> argparse.ArgumentParser:
    """Add a command; its options go by their whole names: `--day` is a typing error, not `--days`."""
    return group.add_parser(name, help=text, allow_abbrev=False)


def add_out(parser: argparse.ArgumentParser, text: str, *, required: bool = False) -> None:
    """Add `--out`."""
    parser.add_argument("--out", type=Path, required=required, metavar="DIR", help=text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def whole(text: str) -> int:
    """Parse a whole number, not negative."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def day(text: str) -> date:
    """Parse a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD") from None


def lazy(module: str, name: str) -> Verb:
    """Return a verb that imports its module when it is called."""

    def verb(options: argparse.Namespace) -> int:
        from importlib import import_module

        result: int = getattr(import_module(f"treasury_actors.cli.{module}"), name)(options)
        return result

    return verb
