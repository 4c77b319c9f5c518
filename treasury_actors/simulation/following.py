"""From a journal to the season it is in: once at a start, or on and on beside the process that writes it."""

from collections import Counter
from collections.abc import Iterator
from typing import Final, Protocol

from treasury_actors.journal.event import Recorded
from treasury_actors.journal.ports import Journal
from treasury_actors.market.model.frame import Season
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.run import RunPlan, SeasonState
from treasury_actors.wiring.fold import Fold

_SEASON_OPENED: Final = "arena.season_opened.v1"


class Events(Protocol):
    """What can be read of a journal, by its writer or by anybody else."""

    def read(self, first_seq: int = 1) -> Iterator[Recorded]:
        """Yield the events from `first_seq` on, each after its hash and its link to the one before."""
        ...

    def count(self, type_: str, *, after_seq: int = 0) -> int:
        """Return how many events of a type there are after one."""
        ...


class Follower:
    """
    Folds a journal as far as it goes, and goes on from there when it is asked again.

    A start asks once. A standby asks while another process writes, so that little is left for its own start:
    it is the same fold of the same events, each checked when it came by. Where the journal is not the one it
    was (another file, a shorter one, a season that has begun since), it begins at the first event again.

    A journal of several seasons is folded along the last one's frames; earlier ones are books alone.

    Attributes:
        types: how many events of each type were folded.
    """

    def __init__(self, plan: RunPlan, first: Season) -> None:
        """
        Make one that has read nothing.

        Args:
            first: the first season, which a caller has at hand.
        """
        self._plan = plan
        self._first = first
        self._last: Recorded | None = None
        self.types: Counter[str] = Counter()
        self._begin(1)

    def __repr__(self) -> str:
        return f"<Follower at event {self.seq} of season {self._number}>"

    @property
    def seq(self) -> int:
        """The last event that was folded; 0 if none was."""
        return self._last.seq if self._last else 0

    def follow(self, journal: Events, *, up_to: int | None = None) -> None:
        """
        Fold what the journal has gained; its last turn may be still under way.

        Args:
            up_to: the last event to take, if it is not to be the last there is.
        """
        if not self._is_what_it_was(journal):
            self._begin(1)
        opened = self.types[_SEASON_OPENED] + journal.count(_SEASON_OPENED, after_seq=self.seq)
        if max(1, opened) != self._number:
            self._begin(max(1, opened))
        for recorded in journal.read(self.seq + 1):
            if up_to is not None and recorded.seq > up_to:
                break
            self._fold.add(recorded)
            self.types[recorded.type] += 1
            self._last = recorded
        self._fold.settle()

    def state(self, journal: Journal) -> SeasonState:
        """
        Fold the rest, and no more after it; return the season, or the first if the journal is empty.

        The state is then the house's, and the follower's work is done.
        """
        self.follow(journal)
        self._fold.finish()
        return SeasonState(
            number=self._number,
            recipe=self._recipe,
            season=self._season,
            fold=self._fold,
            is_open=self.types[_SEASON_OPENED] > 0,
            is_closed=self._fold.records.roster.closed_season == self._number,
        )

    def _begin(self, number: int) -> None:
        """Forget everything; fold along the frames of a season."""
        recipe, season = self._plan.recipe, self._first
        for _ in range(number - 1):
            recipe = recipe.next()
        if number > 1:
            season = recipe.build()
        self._number, self._recipe, self._season = number, recipe, season
        self._fold = _new_fold(self._plan, recipe, season)
        self._last = None
        self.types.clear()

    def _is_what_it_was(self, journal: Events) -> bool:
        """Say whether the last event that was folded still stands where it stood."""
        if self._last is None:
            return True
        found = next(journal.read(self._last.seq), None)
        return found is not None and found.hash == self._last.hash


def find_season(plan: RunPlan, journal: Journal, first: Season) -> SeasonState:
    """Fold the journal, read once; return the season it is in, or the first if it is empty."""
    return Follower(plan, first).state(journal)


def next_season(plan: RunPlan, state: SeasonState, journal: Journal) -> SeasonState:
    """Return the season after a closed one: another world, later in time, in the same journal."""
    assert state.is_closed, "a season follows one that is over"
    recipe = state.recipe.next()
    season = recipe.build()
    fold = _new_fold(plan, recipe, season)
    for recorded in journal.read():
        fold.add(recorded)
    fold.finish()
    return SeasonState(
        number=state.number + 1, recipe=recipe, season=season, fold=fold, is_open=False, is_closed=False
    )


def _new_fold(plan: RunPlan, recipe: SeasonRecipe, season: Season) -> Fold:
    return Fold(season=season, lending_benchmark=plan.rules(recipe.seed).arena.lending_benchmark)
