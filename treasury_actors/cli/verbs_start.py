"""`run`: on a chain's frames if the config says so, else on a season's; a chain's needs are imported late."""

import argparse
from importlib import import_module

from treasury_actors.cli import verbs_run
from treasury_actors.errors import ConfigError
from treasury_actors.settings.file import load_settings

_OF_A_CHAIN = ("rpc", "registry", "data", "start", "live", "chain_name", "evidence")


def run(options: argparse.Namespace) -> int:
    """Run for months, or to the end of the season."""
    if options.standby and options.out is None:
        raise ConfigError("--standby needs --out FOLDER, the run that another process plays")
    settings = load_settings(options.config, _overrides(options))
    if settings.season.source == "chain":
        code: int = import_module("treasury_actors.cli.verbs_live").run_on_chain(options, settings)
        return code
    for name in _OF_A_CHAIN:
        if getattr(options, name):
            source, flag = settings.season.source, name.replace("_", "-")
            raise ConfigError(f'--{flag}: season.source = "{source}"; allowed with "chain"')
    return verbs_run.run(options)


def _overrides(options: argparse.Namespace) -> dict[str, dict[str, object]]:
    """Return the keys of the config that options replace."""
    season: dict[str, object] = {}
    if options.data is not None:
        season["folder"] = str(options.data)
        if options.start is None:
            raise ConfigError("--data needs --start DATE, the day the warm-up ends before")
    if options.start is not None:
        season["start"] = options.start
    live: dict[str, object] = {} if options.evidence is None else {"evidence": str(options.evidence)}
    return {section: keys for section, keys in (("season", season), ("live", live)) if keys}
