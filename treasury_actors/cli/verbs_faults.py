"""`faults`: seeds of faults, known-bad changes that they must catch, and a failing seed made small."""

import argparse
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from treasury_actors.cli.screen import EXIT_INTERRUPTED, emit, say, show
from treasury_actors.clock import WallClock
from treasury_actors.errors import ConfigError
from treasury_actors.faults.campaign import Campaign, run_campaign
from treasury_actors.faults.harness import hunt_by
from treasury_actors.faults.jobs import JOBS_MAX
from treasury_actors.faults.kinds import KINDS
from treasury_actors.faults.loop import Schedule
from treasury_actors.faults.machine import Setting
from treasury_actors.faults.mutants import MUTANTS
from treasury_actors.faults.plan import Narrowing
from treasury_actors.faults.planting import Harness, Mutant, planted
from treasury_actors.faults.record import write_record
from treasury_actors.faults.seed import SeedResult
from treasury_actors.faults.sometimes import REQUIRED_FROM_SEEDS
from treasury_actors.settings.file import Settings, load_settings
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.plan import families_with

SEEDS_DEFAULT: Final = range(1, 201)
SEEDS_OF_A_MUTANT: Final = range(1, 10_001)
SEEDS_MAX: Final = 10**9
TURNS_MIN: Final = 18
_EXIT_BROKEN: Final = 1
_SAID_EVERY: Final = 100
_RANGE: Final = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?")


def faults(options: argparse.Namespace) -> int:
    """Run a campaign, or say what there is to run."""
    if options.list_mutants:
        return _list_mutants(as_json=options.json)
    setting = _setting(options.config, options.strategy)
    narrowing = Narrowing(
        only=_kinds(options.only), schedule=_schedule(options.mode), turns=_turns(options.turns)
    )
    mutant = _mutant(options.mutant)
    _check_report(options.report, mutant)
    harness = _harness(options.harness, mutant)
    clock = WallClock()
    began_s = clock.monotonic_s()
    if mutant is not None and harness != "simulation":
        return _hunt(mutant, harness, clock, as_json=options.json)
    heard = _Heard(stops_at_first=mutant is not None)
    with planted(mutant), _interruptible(heard):
        campaign = run_campaign(
            _seeds(options.seeds, mutant),
            setting,
            narrowing=narrowing,
            agents=None if options.config is None else load_settings(options.config).arena.agents,
            jobs=_jobs(options.jobs, mutant),
            shrinks=mutant is None,
            heard=heard,
            command_tail=_tail(options),
        )
    wall_s = clock.monotonic_s() - began_s
    if options.report is not None:
        write_record(options.report, _to_object(campaign, wall_s, mutant), code_hash=code_hash())
    if options.json:
        emit(_to_object(campaign, wall_s, mutant))
    else:
        _show(campaign, wall_s, mutant)
    if campaign.passed and heard.breaks_off:
        return EXIT_INTERRUPTED
    return 0 if campaign.passed else _EXIT_BROKEN


def _check_report(file: Path | None, mutant: Mutant | None) -> None:
    """Refuse what could not be written once the seeds are played."""
    if file is not None and mutant is not None:
        raise ConfigError("--report is of seeds, not of a mutant")
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        raise ConfigError(f"--report {file}: not a file in a folder that is there")


def _hunt(mutant: Mutant, harness: Harness, clock: WallClock, *, as_json: bool) -> int:
    """Hunt a mutant by processes of their own; caught is exit code 1, as in a campaign."""
    began_s = clock.monotonic_s()
    hunt = hunt_by(mutant)
    wall_s = round(clock.monotonic_s() - began_s, 3)
    command = f"python run.py faults --mutant {mutant.name}"
    broken = {"seed": 0, "invariant": harness, "detail": hunt.caught_by, "command": command}
    if as_json:
        emit(
            {
                "seeds": hunt.seeds,
                "violations": [broken] if hunt.caught_by else [],
                "sometimes": {},
                "never_reached": [],
                "faults": {},
                "trace_hash": "",
                "wall_s": wall_s,
                "mutant": mutant.name,
                "harness": harness,
            }
        )
    else:
        caught = f"caught by {hunt.caught_by}" if hunt.caught_by else "not caught"
        show(f"{mutant.name}: {caught} in {wall_s:.1f} s ({mutant.story})")
    return _EXIT_BROKEN if hunt.caught_by else 0


class _Heard:
    """Says what breaks as soon as it breaks, and every so many seeds how far it is."""

    def __init__(self, *, stops_at_first: bool) -> None:
        self._count = 0
        self.stops_at_first = stops_at_first
        self.breaks_off = False

    def __call__(self, result: SeedResult) -> bool:
        """Take in a result; say whether to go on."""
        self._count += 1
        if result.violation is not None:
            say(f"seed {result.plan.seed} breaks {result.violation}")
        if self._count % _SAID_EVERY == 0:
            say(f"{self._count} seeds played, the last was {result.plan.seed}")
        return not (self.breaks_off or (self.stops_at_first and result.violation is not None))

    def break_off(self, _number: int, _frame: FrameType | None) -> None:
        """Let the campaign end with the seed in hand, for what was played is worth telling."""
        if self.breaks_off:
            raise KeyboardInterrupt
        self.breaks_off = True
        say("breaking off after the seed in hand; once more leaves at once")


@contextmanager
def _interruptible(heard: _Heard) -> Iterator[None]:
    """Let the first interrupt break a campaign off."""
    before = signal.signal(signal.SIGINT, heard.break_off)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _seeds(text: str | None, mutant: Mutant | None) -> range:
    """Parse `A..B`, both ends in; a mutant is hunted until it is caught."""
    if text is None:
        return SEEDS_DEFAULT if mutant is None else SEEDS_OF_A_MUTANT
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ConfigError(f"--seeds {text!r}: allowed are A..B and one number, each up to {SEEDS_MAX - 1}")
    first, last = int(found[1]), int(found[2] or found[1])
    if last < first:
        raise ConfigError(f"--seeds {text}: the last is before the first")
    return range(first, last + 1)


def _kinds(texts: list[str] | None) -> frozenset[str] | None:
    if not texts:
        return None
    names = [name for text in texts for name in text.split(",") if name != "none"]
    for name in names:
        if name not in KINDS:
            raise ConfigError(f"--only {name}: no such fault; known are {', '.join(KINDS)}")
    return frozenset(names)


def _schedule(text: str | None) -> Schedule | None:
    match text:
        case None | "all":
            return None
        case "fifo" | "jitter" | "hostile":
            return text
        case _:
            raise ConfigError(f"--mode {text}: allowed are fifo, jitter, hostile and all")


def _turns(turns: int | None) -> int | None:
    if turns is not None and turns < TURNS_MIN:
        raise ConfigError(f"--turns {turns}: allowed is {TURNS_MIN} and more")
    return turns


def _jobs(jobs: int, mutant: Mutant | None) -> int:
    if not 1 <= jobs <= JOBS_MAX:
        raise ConfigError(f"--jobs {jobs}: allowed is 1 to {JOBS_MAX}")
    return jobs if mutant is None else 1


def _mutant(name: str | None) -> Mutant | None:
    if name is None:
        return None
    if name not in MUTANTS:
        raise ConfigError(f"--mutant {name}: no such change; --list-mutants names them")
    return MUTANTS[name]


def _harness(text: str | None, mutant: Mutant | None) -> Harness:
    """Return who hunts: the harness named for a mutant, or the simulation where that is asked for."""
    match text:
        case None:
            return "simulation" if mutant is None else mutant.harness
        case "simulation":
            return text
        case _ if mutant is not None and text == mutant.harness:
            return mutant.harness
        case _:
            raise ConfigError(f"--harness {text}: allowed are simulation and the one named for the mutant")


def _setting(config: Path | None, strategy: Path | None) -> Setting:
    """Return the rules of a config, or of a default one, and the strategies that compete."""
    settings = Settings() if config is None else load_settings(config)
    shipped: frozenset[str] = frozenset(families_with(None))
    return Setting(
        rules=settings.house_rules(settings.season.seed), families=families_with(strategy), trusted=shipped
    )


def _tail(options: argparse.Namespace) -> str:
    """Return the options that a command to play a seed again must repeat."""
    named = (("--config", options.config), ("--strategy", options.strategy), ("--mutant", options.mutant))
    return "".join(f" {name} {value}" for name, value in named if value is not None)


def _to_object(campaign: Campaign, wall_s: float, mutant: Mutant | None) -> dict[str, object]:
    """Return what a script reads."""
    found: dict[str, object] = {
        "seeds": campaign.seeds,
        "violations": [
            {
                "seed": broken.seed,
                "invariant": broken.invariant,
                "detail": broken.detail,
                "command": broken.command,
            }
            for broken in campaign.broken
        ],
        "sometimes": campaign.sometimes,
        "never_reached": list(campaign.never_reached),
        "faults": campaign.faults,
        "seeds_with_faults": campaign.with_faults,
        "events": campaign.events,
        "processes": campaign.lives,
        "trace_hash": campaign.trace_hash,
        "wall_s": round(wall_s, 3),
    }
    if mutant is not None:
        found["mutant"] = mutant.name
    return found


def _show(campaign: Campaign, wall_s: float, mutant: Mutant | None) -> None:
    """Print what a person reads."""
    for broken in campaign.broken:
        show(f"seed {broken.seed} breaks {broken.invariant}: {broken.detail}")
        show(f"  {broken.command}")
        if broken.shrunk is not None:
            plan = broken.shrunk.plan
            left = ", ".join(plan.kinds) or "no fault"
            show(f"  left after {broken.shrunk.tries} tries: {left}, {plan.schedule}")
    if mutant is not None:
        caught = "caught" if campaign.broken else "not caught"
        show(f"{mutant.name}: {caught} after {campaign.seeds} seeds ({mutant.story})")
    show(
        f"{campaign.seeds} seeds, {campaign.with_faults} with faults, {campaign.lives} processes,"
        f" {campaign.events} events: {len(campaign.broken)} violations in {wall_s:.1f} s"
    )
    show(f"trace {campaign.trace_hash}")
    if campaign.never_reached:
        is_long = campaign.seeds >= REQUIRED_FROM_SEEDS and not campaign.only
        never = "must be reached, but never was" if is_long else "never reached"
        show(f"{never}: {', '.join(campaign.never_reached)}")


def _list_mutants(*, as_json: bool) -> int:
    """Say which known-bad changes can be planted."""
    if as_json:
        emit(
            {
                "mutants": [
                    {"name": m.name, "story": m.story, "harness": m.harness, "tests": list(m.tests)}
                    for m in MUTANTS.values()
                ]
            }
        )
        return 0
    for mutant in MUTANTS.values():
        show(f"{mutant.name:<32} {mutant.harness:<11} {mutant.story}")
    return 0
