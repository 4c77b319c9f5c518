"""The feed: reads the market, judges what it read, makes it durable, and only then says so."""

from dataclasses import replace
from typing import assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.clock import HOUR_NS, Clock
from treasury_actors.errors import Fault
from treasury_actors.market.messages import (
    FeedMessage,
    FeedStanding,
    FrameArrived,
    HowIsFeed,
    NoFrame,
    NoFrameReason,
    ReadFrame,
)
from treasury_actors.market.model.frame_checks import (
    FrameLimits,
    FrameReason,
    LiveFrame,
    block_findings,
    judge,
    missed_frame,
)
from treasury_actors.market.model.frame_reading import Block, FrameReading
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.market.ports import FrameSource, FrameStore

NS_A_SECOND = 10**9
_HOUR_S = HOUR_NS // NS_A_SECOND
_REFUSED = {
    FrameReason.STALE_BLOCK: NoFrameReason.STALE_BLOCK,
    FrameReason.FROM_FUTURE: NoFrameReason.FROM_FUTURE,
    FrameReason.BLOCK_BACKWARDS: NoFrameReason.BLOCK_BACKWARDS,
}
"""What a node may still mend within the hour: no frame is better than one that nobody may trade on."""


class Feed(Actor[FeedMessage]):
    """
    Brings the frames of a growing season, one an hour of chain time. It polls nothing: who asks decides when.

    A frame is of the hour its block lies in. An hour nobody could read is missed: its frame repeats the last
    one with nothing fresh, so that turns stay an hour apart and nobody trades on it.
    """

    def __init__(
        self,
        *,
        source: FrameSource,
        store: FrameStore,
        season: GrowingSeason,
        limits: FrameLimits,
        clock: Clock,
    ) -> None:
        """
        Take what there is; `started` puts the store's frames into the season that lacks them.

        Args:
            clock: ours, against which the newest block's age is told.
        """
        self._source = source
        self._store = store
        self._season = season
        self._limits = limits
        self._clock = clock
        self._born_s = self._now_s()
        self._last: LiveFrame | None = None
        self._unanswered = 0

    def __repr__(self) -> str:
        return f"<Feed {self._season!r}>"

    async def started(self) -> None:
        """Go on from what is durable."""
        for record in self._store.records[self._season.frame_count :]:
            self._season.append(record.frame)
        if self._store.records:
            self._last = self._store.records[-1]

    async def receive(self, message: FeedMessage) -> FrameArrived | NoFrame | FeedStanding:
        """Answer one message."""
        match message:
            case ReadFrame():
                return await self._read()
            case HowIsFeed():
                return FeedStanding(
                    turn=self._season.frame_count - 1,
                    lag_s=self._lag_s(),
                    unanswered=self._unanswered,
                    findings=() if self._last is None else self._last.findings,
                )
            case _:
                assert_never(message)

    async def _read(self) -> FrameArrived | NoFrame:
        """Read once; a fault that may pass is an answer, any other ends this actor."""
        try:
            reading = await self._source.read(self._block)
        except Fault as fault:
            if not fault.transient:
                raise
            self._unanswered += 1
            return self._none(NoFrameReason.NO_ANSWER, str(fault))
        self._unanswered = 0
        doubts = block_findings(reading, self._limits, now_s=self._now_s(), before=self._block)
        for doubt in doubts:
            if doubt.reason in _REFUSED:
                return self._none(_REFUSED[doubt.reason], doubt.detail)
        block, hour_ns = reading.block, reading.block.time_s * NS_A_SECOND // HOUR_NS * HOUR_NS
        start_ns = hour_ns if self._season.start_ns is None else self._season.start_ns
        index = (hour_ns - start_ns) // HOUR_NS
        if index < self._season.frame_count:
            due_s = start_ns // NS_A_SECOND + self._season.frame_count * _HOUR_S
            detail = f"frame {self._season.frame_count} is due in {due_s - block.time_s} s of chain time"
            return self._none(NoFrameReason.NOT_YET, detail)
        return await self._arrived(reading, index, start_ns)

    async def _arrived(self, reading: FrameReading, index: int, start_ns: int) -> FrameArrived:
        """Judge the reading of a new hour; keep it, and the hours missed before it, then say so (I28)."""
        season, before = self._season, self._last
        missed: list[LiveFrame] = []
        for hour in range(season.frame_count, index):
            assert before is not None, "the first frame is that of its own hour"
            before = missed_frame(before, index=hour, time_ns=start_ns + hour * HOUR_NS)
            missed.append(before)
        judged = judge(
            reading,
            season.universe,
            self._limits,
            index=index,
            time_ns=start_ns + index * HOUR_NS,
            now_s=self._now_s(),
            before=before,
            known=season.newest if before is None else before.frame,
        )
        live = replace(judged, frame=season.with_rates(judged.frame))
        await self._store.append([*missed, live])
        for record in (*missed, live):
            season.append(record.frame)
        self._last = live
        return FrameArrived(
            frame=live.frame, findings=live.findings, missed=tuple(record.frame for record in missed)
        )

    def _none(self, reason: NoFrameReason, detail: str) -> NoFrame:
        return NoFrame(reason=reason, detail=detail, lag_s=self._lag_s())

    def _lag_s(self) -> int:
        """Return how long ago the newest block we know was made, or since when we know none."""
        newest_s = self._born_s if self._block is None else self._block.time_s
        return max(0, self._now_s() - newest_s)

    @property
    def _block(self) -> Block | None:
        """The block of the last reading that became a frame."""
        return None if self._last is None else self._last.block

    def _now_s(self) -> int:
        return self._clock.now_ns() // NS_A_SECOND
