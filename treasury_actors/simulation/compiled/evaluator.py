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
from treasury_actors.simulation.compiled.layout import Record, death_of, venues_of
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
        self._venues = venues_of(history.universe)

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
        from treasury_actors.simulation.compiled.batch import Batch, playable  # noqa: PLC0415 (needs numba)

        history, rules, tape = self._history, self._plain.rules, self._read_tape()
        assert history.holds(window), f"{window.name} is no window of {history.name[:12]}"
        named = sorted({genome.family for genome in genomes})
        fit = {name: playable(tape, self._families[name]) for name in named}
        chosen = [place for place, genome in enumerate(genomes) if fit[genome.family]]
        batch = Batch(
            tape,
            [[(self._families[genomes[place].family], genomes[place].genes)] for place in chosen],
            rules,
            first=history.frame(window, 0),
            first_frame=window.first_frame,
            frame_count=window.days * DAY_FRAMES + 1,
        )
        batch.play(self._threads)
        found, failed = list[WindowCourse | None]([None] * len(genomes)), frozenset(batch.failed)
        for number, place in enumerate(chosen):
            if number not in failed:
                found[place] = self._course(window, batch.lives[number], batch.days[number].tolist())
        return found

    def _read_tape(self) -> Tape:
        """Return the history as machine code reads it, read when it is first needed."""
        if self._tape is None:
            self._tape = read_tape(self._history, self._plain.rules.chain)
        return self._tape

    def _course(self, window: Window, life: Record, navs: list[int]) -> WindowCourse:
        """Return what became of a life."""
        return WindowCourse(
            window=window,
            daily_nav_micro_usd=tuple(navs),
            max_drawdown_ratio=float(life["max_drawdown_ratio"]),
            traded_micro_usd=int(life["traded"]),
            trades=int(life["trade_count"]),
            venue_shares=tuple(
                (venue, float(life["venue_shares"][place]) / (window.days + 1))
                for place, venue in enumerate(self._venues)
                if life["venue_seen"][place]
            ),
            liquid_ratio_min=float(life["liquid_ratio_min"]),
            stable_ratio_min=float(life["stable_ratio_min"]),
            death=death.reason if (death := death_of(life, self._plain.rules)) else "",
        )
