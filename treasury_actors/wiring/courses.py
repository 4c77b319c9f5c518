"""What depends on prices and is not journalled: each mandate's course, each agent's daily record."""

from collections.abc import Iterator
from operator import add

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.model.events import AgentBorn, AgentClosed, AgentFrozen, AgentRetired
from treasury_actors.arena.model.roster import Roster
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.ledger.model import Book, Entry, available, statement
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.marks import Marks
from treasury_actors.trading.model.valuation import nav_micro_usd

_AGENT_PREFIX = "agent:"
_KEEP_WHAT_IS_OWNED = frozenset({"hold"})
"""Entries after which an agent owns what it did; a release may have cost it gas."""


class Courses:
    """
    Follows what a book and a roster say, along the frames of one season.

    A frame is due once its fills are in, and before capital moves in it. Until an event touches an agent it
    owns the same units, so its due frames are taken together: just before that event, or when `catch_up_all`
    asks. What comes of it is, to the bit, what guardian and arena have who took frame after frame.

    Attributes:
        due: the last frame that every agent is, or will be, marked at; -1 before the first.
    """

    def __init__(self, *, season: Season, lending_benchmark: AssetId, book: Book, roster: Roster) -> None:
        self.marks = Marks()
        self.tracks = Tracks(universe=season.universe, lending_benchmark=lending_benchmark)
        self.due = -1
        self._season = season
        self._book = book
        self._roster = roster
        self._day_closes: dict[int, MarketFrame] = {}
        self._ticks: list[list[int]] = [[] for _ in season.universe.assets]
        # From which frame on each agent is not marked yet; the closed are in it no more.
        self._unmarked = {agent: 0 for agent, member in roster.members.items() if member.life != "closed"}

    def reach(self, index: int) -> None:
        """Let all frames up to this one be due."""
        for passed in range(self.due + 1, index + 1):
            frame = self._season.frame(passed)
            for course, ticks in zip(self._ticks, frame.ticks, strict=True):
                course.append(ticks)
            if passed % DAY_FRAMES == 0 and passed > 0:
                self.tracks.see(frame)
                self._day_closes[passed] = frame
            self.due = passed

    def catch_up(self, agent: AgentId) -> None:
        """Mark an agent at the frames that are due; nothing that is about it may have changed since them."""
        first, end = self._unmarked.get(agent), self.due + 1
        if first is None or first >= end:
            return
        self._unmarked[agent] = end
        member = self._roster.members[agent]
        navs = self._navs(agent, first, end)
        if member.mandate is not None:
            self.marks.of(agent).take(navs)
        if member.life == "living":
            for index in range(max(DAY_FRAMES, -(-first // DAY_FRAMES) * DAY_FRAMES), end, DAY_FRAMES):
                self.tracks.mark(agent, self._day_closes[index], navs[index - first])

    def catch_up_all(self) -> None:
        """Mark everyone at the frames that are due."""
        for agent in self._unmarked:
            self.catch_up(agent)

    def before(self, event: object) -> None:
        """Mark whoever an event is about, as long as it has not happened."""
        match event:
            case Entry():
                if event.kind not in _KEEP_WHAT_IS_OWNED:
                    for agent in _owners(event):
                        self.catch_up(agent)
            case Mandate() | AgentFrozen() | AgentRetired() | AgentClosed():
                self.catch_up(event.agent)
            case _:
                pass

    def after(self, event: object, turn: int) -> None:
        """Follow births and deaths that have happened in a turn."""
        match event:
            case AgentBorn():
                self.tracks.begin(event.agent, self._season.frame(turn))
                # Who opens a season is there before frame 0; any other was born after its frame was marked.
                self._unmarked[event.agent] = turn + 1 if turn > 0 else 0
            case AgentFrozen() | AgentRetired():
                self.tracks.forget(event.agent)
            case AgentClosed():
                self.marks.forget(event.agent)
                del self._unmarked[event.agent]
            case _:
                pass

    def flow(self, entry: Entry, agent: AgentId, nav_before_micro_usd: int, frame: MarketFrame) -> None:
        """Take in capital that came or went, once the entry is posted."""
        universe = self._season.universe
        units = sum(p.units for p in entry.postings if p.account == available(agent))
        reserve, column = universe.by_id[universe.reserve], universe.column[universe.reserve]
        self.marks.flow(agent, reserve.value_micro_usd(units, frame.ticks[column]))
        self.tracks.flow(agent, frame.index, nav_before_micro_usd, self.nav(agent, frame))

    def nav(self, agent: AgentId, frame: MarketFrame) -> int:
        """Return what an agent owns, in micro-dollars at a frame."""
        owned = statement(self._book, agent).owned
        return nav_micro_usd(self._season.universe, owned.items(), frame)

    def _navs(self, agent: AgentId, first: int, end: int) -> list[int]:
        """Return the NAV at each frame of [first, end) of what an agent owns now."""
        universe = self._season.universe
        navs = [0] * (end - first)
        for asset, units in statement(self._book, agent).owned.items():
            course = self._ticks[universe.column[asset]][first:end]
            values = universe.by_id[asset].values_micro_usd(units, course)
            navs = [*map(add, navs, values)]
        return navs


def flow_of(event: object) -> AgentId | None:
    """Return whose capital an event moves; None if it moves none."""
    if not isinstance(event, Entry) or event.kind not in {"allot", "return"}:
        return None
    return next(_owners(event), None)


def _owners(entry: Entry) -> Iterator[AgentId]:
    """Yield the agents whose accounts an entry changes, some of them repeatedly."""
    for posting in entry.postings:
        if posting.account.startswith(_AGENT_PREFIX):
            yield AgentId(posting.account.removeprefix(_AGENT_PREFIX).rpartition(":")[0])
