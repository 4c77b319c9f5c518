"""`strategy new`, `strategy check`."""

import argparse
from dataclasses import asdict
from pathlib import Path

from treasury_actors.agents.adapters.strategy_template import new_strategy
from treasury_actors.agents.model.checks import FAMILY_NAME
from treasury_actors.agents.registry import SHIPPED
from treasury_actors.cli.screen import emit, say, show
from treasury_actors.errors import ConfigError
from treasury_actors.simulation.strategy_check import check_strategy


def new(options: argparse.Namespace) -> int:
    """Write an example to edit."""
    name: str = options.name
    if not FAMILY_NAME.fullmatch(name):
        raise ConfigError(f"strategy name {name!r}: use 2 to 31 of a-z, 0-9 and _, a letter first")
    if name in {family.id for family in SHIPPED}:
        raise ConfigError(f"strategy name {name!r}: that family ships already")
    path = Path(f"{name}.py")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(new_strategy(name))
    except FileExistsError:
        raise ConfigError(f"{path}: exists already; nothing was written") from None
    show(f"{path} written. Edit it, then:")
    show(f"  python run.py strategy check {path}")
    show(f"  python run.py backtest --strategy {path}")
    return 0


def check(options: argparse.Namespace) -> int:
    """Test the code of a strategy."""
    say(f"checking {options.file}: the code, not the idea")
    report = check_strategy(options.file)
    if options.json:
        emit({"passed": report.passed, **asdict(report)})
    else:
        show("\n".join(report.lines()))
    return 0 if report.passed else 1
