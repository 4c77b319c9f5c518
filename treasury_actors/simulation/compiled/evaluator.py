"""
Genomes through windows: by machine code where numba is installed, by plain calls otherwise, equal bits.

What machine code can't hold exactly, and whatever strategy fails in it or can't be compiled, is left to plain
calls: what comes back never depends on which of them played.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import DAY_FRAMES, Window
from treasury_actors.ids import FamilyId
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.compiled.layout import venues_of
from treasury_actors.simulation.compiled.tape import Tape, read_tape
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.evidence.plain import CAPITAL_USD, PlainEvaluator


def has_compiler() -> bool:
    """Say whether numba is installed: the extra `speed`."""
    return find_spec("numba") is not None


class CompiledEvaluator:
    """
    Genomes through windows of one history, each alone; use as an `Evaluate`.

    Args:
        threads: how many play at once; they change nothing but the time it takes.
    """

    def __init__(
        self,
        history: History,
        families: Mapping[FamilyId, Family],
        rules: HouseRules,
        *,
        capital_usd: int = CAPITAL_USD,
        threads: int = 2,
    ) -> None:
        self._history = history
        self._families = families
        self._threads = threads
        self._plain = PlainEvaluator(history, families, rules, capital_usd=capital_usd)
        self._tape: Tape | None = None

    def __repr__(self) -> str:
        return f"<CompiledEvaluator of {self._history.name[:12]}>"

    def __call__(self, genomes: Sequence[Genome], window: Window) -> list[WindowCourse]:
        """Let every genome trade the window, each alone."""
        found = self.compiled(genomes, window) if has_compiler() else [None] * len(genomes)
        missing = [genome for genome, course in zip(genomes, found, strict=True) if course is None]
        played = iter(self._plain(missing, window) if missing else [])
        return [next(played) if course is None else course for course in found]

    def compiled(self, genomes: Sequence[Genome], window: Window) -> list[WindowCourse | None]:
        """Return the courses by machine code alone, None for what it must leave to plain calls."""
        from treasury_actors.simulation.compiled.batch import Batch, death_of, playable  # noqa: PLC0415

        history, rules = self._history, self._plain.rules
        assert history.holds(window), f"{window.name} is no window of {history.name[:12]}"
        if self._tape is None:
            self._tape = read_tape(history, rules.chain)
        tape, found = self._tape, list[WindowCourse | None]([None] * len(genomes))
        fit = {name: playable(tape, self._families[name]) for name in {genome.family for genome in genomes}}
        chosen = [
            (place, (self._families[genome.family], genome.genes))
            for place, genome in enumerate(genomes)
            if fit[genome.family]
        ]
        if not chosen:
            return found
        batch = Batch(
            tape,
            [[candidate] for _, candidate in chosen],
            rules,
            first=history.frame(window, 0),
            first_frame=window.first_frame,
            frame_count=window.days * DAY_FRAMES + 1,
        )
        batch.play(self._threads)
        failed, venues = set(batch.failed), venues_of(tape.universe)
        for number, (place, _) in enumerate(chosen):
            if number in failed:
                continue
            life = batch.lives[number]
            death = death_of(life, rules)
            found[place] = WindowCourse(
                window=window,
                daily_nav_micro_usd=tuple(batch.days[number].tolist()),
                max_drawdown_ratio=float(life["max_drawdown_ratio"]),
                traded_micro_usd=int(life["traded"]),
                trades=int(life["trade_count"]),
                venue_shares=tuple(
                    (venue, float(life["venue_shares"][at]) / (window.days + 1))
                    for at, venue in enumerate(venues)
                    if life["venue_seen"][at]
                ),
                liquid_ratio_min=float(life["liquid_ratio_min"]),
                stable_ratio_min=float(life["stable_ratio_min"]),
                death=death.reason if death else "",
            )
        return found
