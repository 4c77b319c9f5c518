"""The daily records of the living, fed by the arena: day closes and flows of capital, at frame prices."""

from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe


class Tracks:
    """
    One record an agent, and the lending benchmark they are all measured against.

    The benchmark is what one share of the lending token is worth, relative to its first price; until it has
    one it earns nothing.
    """

    __slots__ = ("_column", "_first_ticks", "_records")

    def __init__(self, *, universe: Universe, lending_benchmark: AssetId) -> None:
        self._column = universe.column[lending_benchmark]
        self._first_ticks = 0
        self._records: dict[AgentId, TrackRecord] = {}

    def begin(self, agent: AgentId, frame: MarketFrame) -> None:
        """Start the record of a newborn at the frame it was born at."""
        self._records[agent] = TrackRecord(born_frame=frame.index, lending_index=self._lending(frame))

    def of(self, agent: AgentId) -> TrackRecord:
        """Return the record of a living agent."""
        return self._records[agent]

    def knows(self, agent: AgentId) -> bool:
        """Say whether the agent has a record."""
        return agent in self._records

    def see(self, frame: MarketFrame) -> None:
        """Take note of the benchmark's price at a day's close, before anyone is marked there."""
        if self._records:
            self._lending(frame)

    def mark(self, agent: AgentId, frame: MarketFrame, nav_micro_usd: int) -> None:
        """Close the day of one agent."""
        self._records[agent].mark(frame.index, nav_micro_usd, self._lending(frame))

    def flow(self, agent: AgentId, turn: int, nav_before_micro_usd: int, nav_after_micro_usd: int) -> None:
        """Take in capital that moved between two NAVs at the same prices."""
        self._records[agent].flow(
            frame=turn, nav_before_micro_usd=nav_before_micro_usd, nav_after_micro_usd=nav_after_micro_usd
        )

    def forget(self, agent: AgentId) -> None:
        """Drop the record of the retired."""
        self._records.pop(agent, None)

    def _lending(self, frame: MarketFrame) -> float:
        ticks = frame.ticks[self._column]
        self._first_ticks = self._first_ticks or ticks
        return ticks / self._first_ticks if ticks else 1.0
