"""
The living agents as one book: who is whose copy, and what each of them adds. Pure.

Days are those of the agents' own records, the last 90 at most: what was before says what another book was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from operator import mul

from treasury_actors.agents.model.fitness import BLOCK_DAYS_MIN, BLOCKS_MIN, PPB, certainty_equivalent
from treasury_actors.agents.model.metrics.series import deviation, mean
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.ids import AgentId
from treasury_actors.journal.codec import Units, event

DAYS_MAX = 90
DAYS_MIN = BLOCK_DAYS_MIN * BLOCKS_MIN
"""As many as a fitness needs: who has none is too young for this, too."""

COPY_DEVIATION_MIN = 2e-4
"""Two basis points a day. Who strays less from lending lends: a copy of it doubles no risk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """
    One agent in the book.

    Attributes:
        units: what it has, in units of the reserve asset.
        adds_ppb: the book's utility with it minus without it, growth a year; None: too little is known.
        copy_of: the first by name of the agents it moves with, perhaps itself; None: it moves alone, or
            nobody asked.
    """

    agent: AgentId
    units: Units
    adds_ppb: int | None
    copy_of: AgentId | None


@event("arena.book_recorded", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class BookRecorded:
    """
    The agents as one book, as a round finds them: beside the fitness of each, what it adds to the others.

    Not recorded while nothing can be said of anybody.
    """

    turn: int
    lines: tuple[BookLine, ...]

    @property
    def copy_of(self) -> dict[AgentId, AgentId]:
        """Whose copy each is that is one."""
        return {line.agent: line.copy_of for line in self.lines if line.copy_of is not None}

    @property
    def says_something(self) -> bool:
        """Whether anybody has a record that is long enough."""
        return any(line.adds_ppb is not None or line.copy_of is not None for line in self.lines)


def read_book(
    records: Mapping[AgentId, TrackRecord],
    units: Mapping[AgentId, int],
    *,
    turn: int,
    correlation_min_ppb: int,
) -> BookRecorded:
    """Return the book of agents with these records and capitals; at a correlation of 1 nobody is a copy."""
    adds = contributions(records, units)
    asked = correlation_min_ppb < PPB
    copy_of = copies(records, correlation_min=correlation_min_ppb / PPB) if asked else {}
    lines = (
        BookLine(
            agent=agent,
            units=units[agent],
            adds_ppb=None if (added := adds[agent]) is None else round(added * PPB),
            copy_of=copy_of.get(agent),
        )
        for agent in sorted(records)
    )
    return BookRecorded(turn=turn, lines=tuple(lines))


def copies(records: Mapping[AgentId, TrackRecord], *, correlation_min: float) -> dict[AgentId, AgentId]:
    """
    Return, for every agent that others move with, the first by name of them all: one name a group.

    Two agents move together if Pearson's correlation of their daily returns over lending is above
    `correlation_min`, on 28 common days or more on which both strayed from lending; a group is all that are
    linked so, directly or through others. Fitness has no part in it, so a better one changes no group.
    """
    days = {agent: _excess_by_day(records[agent]) for agent in sorted(records)}
    spread = [a for a in days if len(days[a]) >= DAYS_MIN and _strays(list(days[a].values()))]
    first: dict[AgentId, AgentId] = {agent: agent for agent in spread}
    for place, one in enumerate(spread):
        for other in spread[place + 1 :]:
            if first[one] != first[other] and _correlation(days[one], days[other]) > correlation_min:
                low, high = sorted((first[one], first[other]))
                first = {agent: low if name == high else name for agent, name in first.items()}
    sizes: dict[AgentId, int] = {}
    for name in first.values():
        sizes[name] = sizes.get(name, 0) + 1
    return {agent: name for agent, name in first.items() if sizes[name] > 1}


def contributions(
    records: Mapping[AgentId, TrackRecord], units: Mapping[AgentId, int]
) -> dict[AgentId, float | None]:
    """
    Return what each agent adds to the book: its utility with the agent minus its utility without.

    c_i = U(sum_j w_j r_j) - U(sum_{j != i} w_j r_j / (1 - w_i)), over the last 90 days on which agent i has a
    return and so has somebody else. w_j is the share of agent j today among those with a return that day, U
    the certainty equivalent of a fitness, growth a year less risk, of all these days as one record. Leaving
    one out is how Numerai pays for contribution beyond the crowd (MMC); here the crowd is the arena, and the
    others take over the place of who leaves.

    None, not zero: for an agent without capital, and with fewer than 28 such days.
    """
    days = {agent: _returns_by_day(records[agent]) for agent in sorted(records)}
    weight: dict[int, int] = {}
    earned: dict[int, float] = {}
    for agent, by_day in days.items():
        for day, value in by_day.items():
            weight[day] = weight.get(day, 0) + units[agent]
            earned[day] = earned.get(day, 0.0) + units[agent] * value
    utilities: dict[tuple[int, ...], float] = {}

    def of_book(at: tuple[int, ...]) -> float:
        if at not in utilities:
            utilities[at] = certainty_equivalent([earned[day] / weight[day] for day in at])
        return utilities[at]

    found: dict[AgentId, float | None] = {}
    for agent, by_day in days.items():
        own = units[agent]
        shared = tuple(day for day in sorted(by_day) if weight[day] > own)
        if not own or len(shared) < DAYS_MIN:
            found[agent] = None
            continue
        without = [(earned[day] - own * by_day[day]) / (weight[day] - own) for day in shared]
        found[agent] = of_book(shared) - certainty_equivalent(without)
    return found


def _returns_by_day(record: TrackRecord) -> dict[int, float]:
    """Return the last daily returns by the frame their day ended at."""
    return dict(zip(record.return_frames[-DAYS_MAX:], record.daily_returns[-DAYS_MAX:], strict=True))


def _excess_by_day(record: TrackRecord) -> dict[int, float]:
    """Return the same over lending."""
    lent = record.lending_returns[-DAYS_MAX:]
    pairs = zip(_returns_by_day(record).items(), lent, strict=True)
    return {frame: value - lending for (frame, value), lending in pairs}


def _strays(excess: Sequence[float]) -> bool:
    """Say whether an agent takes a risk that lending does not."""
    return deviation(excess) >= COPY_DEVIATION_MIN


def _correlation(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return Pearson's correlation on the common days; 0 where there are too few, or one hardly moved."""
    common = [day for day in one if day in other]
    if len(common) < DAYS_MIN:
        return 0.0
    mine, its = [one[day] for day in common], [other[day] for day in common]
    if not (_strays(mine) and _strays(its)):
        return 0.0
    my_mean, its_mean = mean(mine), mean(its)
    mine, its = [value - my_mean for value in mine], [value - its_mean for value in its]
    return fsum(map(mul, mine, its)) / sqrt(fsum(map(mul, mine, mine)) * fsum(map(mul, its, its)))
