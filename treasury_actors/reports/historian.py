"""One pass over a journal along the frames of its season. No actor is asked."""

from collections.abc import Iterable

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.model.book import BookRecorded
from treasury_actors.arena.model.demotion import AgentDemoted
from treasury_actors.arena.model.events import (
    AgentBorn,
    AgentClosed,
    AgentCrashed,
    AgentFrozen,
    AgentQuarantined,
    AgentRestarted,
    AgentRetired,
    CapitalRefused,
    FitnessRecorded,
    GenomeRefused,
    RoundHeld,
    SeasonClosed,
    SeasonOpened,
)
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import DataError
from treasury_actors.ids import AgentId, AssetId, FamilyId, OrderId
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import PAST_SEASONS, Entry, is_contra
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.reports.books import Books, add_units
from treasury_actors.reports.course import Course
from treasury_actors.reports.history import (
    AgentHistory,
    Fill,
    Flow,
    History,
    Refusal,
    RoundFitness,
    Supervision,
)
from treasury_actors.reports.sources import SourceLine
from treasury_actors.trading.model.order import Order, OrderAccepted, OrderEnded, OrderFilled, OrderRefused
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.valuation import exit_nav_micro_usd, nav_micro_usd

_SKIPPED = frozenset({"agents.state_recorded.v1", "trading.mandate_set.v1"})
"""Half of a journal, and nothing a report shows: not decoded, only counted."""


def history_of(
    records: Iterable[Recorded], season: Season, *, lending_asset: AssetId, last_frame: int | None = None
) -> History:
    """
    Return what a journal says of `season`: of its last course on it, if there were several.

    Args:
        records: the whole journal from its first event, in order.
        lending_asset: the share token that stands for plain lending.
        last_frame: the last frame played; by default the one the season closed at, else that of the last
            event.

    Raises:
        DataError: the journal holds no season on this data.
    """
    historian = _Historian(season, lending_asset)
    for recorded in records:
        historian.add(recorded)
    return historian.finish(last_frame)


class _Historian:
    """
    Folds events, and values what is held at every frame.

    A frame is valued when the first event of a later one arrives, so after its fills and flows. Around a
    flow of capital the NAV is taken before and after it, at the frame's own prices.
    """

    def __init__(self, season: Season, lending_asset: AssetId) -> None:
        self._season = season
        self._universe = season.universe
        self._lending_column = season.universe.column[lending_asset]
        self._books = Books(season)
        self._events = 0
        self._head_hash = ""
        self._hashes: dict[str, None] = {}
        self._opened: SeasonOpened | None = None
        self._closed: int | None = None
        self._over = False
        self._begin()

    def _begin(self) -> None:
        """Forget an earlier course: only the books go on."""
        self._marked = -1
        self._turn = 0
        self._frame = self._season.frame(0)
        self._books.begin(self._frame)
        self._sources: tuple[SourceLine, ...] = ()
        self._nav: list[int] = []
        self._exit_nav: list[int] = []
        self._drawdowns: list[float] = []
        self._course = Course()
        self._holdings: list[tuple[int, dict[AssetId, int]]] = []
        self._flows: list[Flow] = []
        self._carried = dict(self._books.totals)
        self._agents: dict[AgentId, AgentHistory] = {}
        self._rounds: list[RoundHeld] = []
        self._fitness: dict[int, list[FitnessRecorded]] = {}
        self._family_days: dict[FamilyId, list[int]] = {}
        self._idle_days: list[int] = []
        self._days = 0
        self._idle_units = 0
        self._fills: list[Fill] = []
        self._refusals: list[tuple[int, Refusal]] = []
        self._orders: dict[OrderId, Order] = {}
        self._states: list[tuple[int, TradingStateChanged]] = []
        self._supervision = Supervision()
        self._demotions: list[AgentDemoted] = []

    def add(self, recorded: Recorded) -> None:
        """Fold the next event of the journal."""
        self._events += 1
        self._head_hash = recorded.hash
        if self._opened is not None and self._closed is None:
            turn = (recorded.time_ns - self._opened.start_ns) // HOUR_NS
            self._advance(min(turn, self._season.frame_count - 1))
        if recorded.type in _SKIPPED:
            return
        event = recorded.event
        match event:
            case SeasonOpened():
                self._open(event)
            case SeasonClosed() if self._opened is not None and event.season == self._opened.season:
                self._closed = event.turn
            case Entry():
                self._entry(event)
            case _ if self._is_on:
                self._population(event)
                self._trading(event)
                self._rounds_and_falls(event)
            case _:
                pass

    @property
    def _is_on(self) -> bool:
        """Whether events belong to the season, and not to one before or after it."""
        return self._opened is not None and not self._over

    def finish(self, last_frame: int | None) -> History:
        """Value the frames up to the last one played and return it all."""
        if self._opened is None:
            raise DataError(f"the journal holds no season on the data {self._season.data_hash[:12]}…")
        self._end(last_frame)
        return History(
            opened=self._opened,
            last_frame=self._turn,
            nav_micro_usd=tuple(self._nav),
            exit_nav_micro_usd=tuple(self._exit_nav),
            course=self._course,
            drawdowns=tuple(self._drawdowns),
            holdings=tuple(self._holdings),
            flows=tuple(self._flows),
            sources=self._sources,
            agents=dict(sorted(self._agents.items())),
            rounds=tuple(self._rounds),
            round_fitness=tuple(_round_fitness(turn, self._fitness[turn]) for turn in sorted(self._fitness)),
            family_days={name: tuple(days) for name, days in sorted(self._family_days.items())},
            idle_days=tuple(self._idle_days),
            idle_units=self._idle_units,
            fills=tuple(self._fills),
            refusals=tuple(self._refusals),
            orders=self._orders,
            states=tuple(self._states),
            supervision=self._supervision,
            demotions=tuple(self._demotions),
            entries=self._books.book.entry_count,
            events=self._events,
            head_hash=self._head_hash,
            imbalances=tuple(self._books.book.imbalances()),
            data_hashes=tuple(self._hashes),
        )

    def _open(self, event: SeasonOpened) -> None:
        """Begin with a season; one on other data is only folded into the books."""
        self._hashes[event.data_hash] = None
        if event.data_hash == self._season.data_hash:
            self._begin()
            self._opened, self._closed, self._over = event, None, False
            self._course.rebase(self._total_nav())
        elif self._opened is not None:
            self._end(None)

    def _end(self, last_frame: int | None) -> None:
        """Value the season to its last frame; what follows in the journal is folded into the books alone."""
        if self._over:
            return
        played = max(self._turn, self._closed or 0) if last_frame is None else last_frame
        self._advance(min(played, self._season.frame_count - 1))
        self._mark(self._frame)
        self._idle_units = self._books.idle_units(self._universe.reserve)
        flows = sum(flow.value_micro_usd for flow in self._flows)
        self._sources = self._books.holdings.lines(self._nav[-1] - flows)
        self._over = True

    def _advance(self, turn: int) -> None:
        """Value every frame before `turn` and make it the current one."""
        while self._turn < turn:
            self._mark(self._frame)
            self._turn += 1
            self._frame = self._season.frame(self._turn)
            self._books.holdings.go(self._frame)

    def _mark(self, frame: MarketFrame) -> None:
        """Value what is held at the end of a frame."""
        assert frame.index == self._marked + 1, "every frame is valued once"
        self._marked = frame.index
        if frame.index == 0:
            self._flows[:0] = [
                self._flow("carried", asset, units, frame) for asset, units in sorted(self._carried.items())
            ]
        totals = {asset: units for asset, units in sorted(self._books.totals.items()) if units}
        if not self._holdings or self._holdings[-1][1] != totals:
            self._holdings.append((frame.index, totals))
        nav = nav_micro_usd(self._universe, totals.items(), frame)
        self._nav.append(nav)
        self._exit_nav.append(exit_nav_micro_usd(self._universe, totals.items(), frame))
        self._course.see(nav)
        self._course.close_day(frame.index)
        self._drawdowns.append(self._course.drawdown_ratio)
        lending_ticks = frame.ticks[self._lending_column]
        for agent, history in self._agents.items():
            if history.closed is None:
                history.course.see(self._nav_of(agent))
                history.course.close_day(frame.index)
            if history.retired is None:
                history.end_lending_ticks = lending_ticks
        if frame.index % DAY_FRAMES == 0:
            self._mark_day(frame)

    def _mark_day(self, frame: MarketFrame) -> None:
        """Note who has the capital at a day close."""
        families: dict[FamilyId, int] = {}
        for history in self._agents.values():
            family = history.born.family
            families[family] = families.get(family, 0) + history.course.nav_micro_usd
        for family in families:
            self._family_days.setdefault(family, [0] * self._days)
        for family, days in self._family_days.items():
            days.append(families.get(family, 0))
        reserve = self._universe.reserve
        idle = [(reserve, self._books.idle_units(reserve))]
        self._idle_days.append(nav_micro_usd(self._universe, idle, frame))
        self._days += 1

    def _entry(self, entry: Entry) -> None:
        """Fold an entry; take what crosses the treasury's border, or a mandate's, as a flow."""
        if not self._is_on or entry.kind not in {"deposit", "withdraw", "allot", "return"}:
            self._books.apply(entry)
            return
        if entry.kind in {"deposit", "withdraw"}:
            self._course.see(self._total_nav())
            self._books.apply(entry)
            self._course.rebase(self._total_nav())
            for posting in entry.postings:
                if is_contra(posting.account):
                    continue
                if any(other.account == PAST_SEASONS for other in entry.postings):
                    add_units(self._carried, posting.asset, posting.units)
                else:
                    self._flows.append(self._flow(entry.kind, posting.asset, posting.units, self._frame))
            return
        owners = [self._books.owner(posting.account) for posting in entry.postings]
        agents = [agent for agent in dict.fromkeys(owners) if agent is not None and agent in self._agents]
        before = {agent: self._nav_of(agent) for agent in agents}
        self._books.apply(entry)
        for agent in agents:
            history, after = self._agents[agent], self._nav_of(agent)
            history.course.see(before[agent])
            history.course.rebase(after)
            history.allotted_micro_usd += max(0, after - before[agent])
            history.returned_micro_usd += max(0, before[agent] - after)

    def _population(self, event: object) -> None:
        """Follow births, demotions and deaths; who was born in another season is none of ours."""
        match event:
            case AgentBorn():
                self._start(event)
            case AgentDemoted():
                self._demotions.append(event)
            case AgentFrozen():
                if event.agent in self._agents:
                    self._agents[event.agent].frozen = event
            case AgentRetired():
                if event.agent in self._agents:
                    self._agents[event.agent].retired = event
            case AgentClosed():
                if event.agent in self._agents:
                    self._agents[event.agent].closed = event
            case _:
                pass

    def _rounds_and_falls(self, event: object) -> None:
        """Note rounds, what they were decided on, and crashes."""
        match event:
            case FitnessRecorded():
                self._fitness.setdefault(event.turn, []).append(event)
                if event.agent in self._agents:
                    self._agents[event.agent].fitness = event
            case BookRecorded():
                for line in event.lines:
                    if line.agent in self._agents:
                        self._agents[line.agent].adds_ppb = line.adds_ppb
            case RoundHeld():
                self._rounds.append(event)
            case AgentCrashed():
                self._supervision.crashes += 1
            case AgentRestarted():
                self._supervision.restarts += 1
            case AgentQuarantined():
                self._supervision.quarantines += 1
            case _:
                pass

    def _trading(self, event: object) -> None:
        """Note orders and what became of them."""
        match event:
            case OrderAccepted():
                self._orders[event.order.order_id] = event.order
            case OrderFilled():
                self._fills.append(Fill(frame=self._turn, filled=event))
                self._books.holdings.fill(event)
                history = self._agents.get(event.agent)
                if history is not None:
                    history.trades += 1
                    history.costs.add(event)
            case OrderRefused() | OrderEnded() | CapitalRefused() | GenomeRefused():
                if isinstance(event, OrderRefused):
                    self._orders.setdefault(event.order.order_id, event.order)
                self._refusals.append((self._turn, event))
            case TradingStateChanged():
                self._states.append((self._turn, event))
            case _:
                pass

    def _start(self, born: AgentBorn) -> None:
        """Begin the history of an agent."""
        ticks = self._frame.ticks[self._lending_column]
        self._agents[born.agent] = AgentHistory(born=born, start_lending_ticks=ticks, end_lending_ticks=ticks)

    def _flow(self, kind: str, asset: AssetId, units: int, frame: MarketFrame) -> Flow:
        """Return a flow of the treasury at this frame's price."""
        value = nav_micro_usd(self._universe, [(asset, units)], frame)
        return Flow(frame=frame.index, kind=kind, asset=asset, units=units, value_micro_usd=value)  # type: ignore[arg-type]

    def _nav_of(self, agent: AgentId) -> int:
        return nav_micro_usd(self._universe, self._books.owned.get(agent, {}).items(), self._frame)

    def _total_nav(self) -> int:
        return nav_micro_usd(self._universe, self._books.totals.items(), self._frame)


def _round_fitness(turn: int, recorded: list[FitnessRecorded]) -> RoundFitness:
    """Return the fitness of one round."""
    values = sorted((f.value_ppb for f in recorded if f.value_ppb is not None), reverse=True)
    return RoundFitness(frame=turn, values_ppb=tuple(values), insufficient=len(recorded) - len(values))
