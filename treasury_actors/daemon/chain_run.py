"""What a daemon needs of a run on a chain's frames: the frames, the stage, and how both stand."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import anyio

from treasury_actors.arena.adapters.approval_keys import verify_signature
from treasury_actors.arena.ports import VerifiesSignature
from treasury_actors.daemon.events import STREAM, FeedBack, FeedDown
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.webhook import Alert
from treasury_actors.journal.ports import Journal
from treasury_actors.simulation.ladder.terms import ClimbTerms
from treasury_actors.simulation.live.frames import ArrivingFrames
from treasury_actors.simulation.run import Surroundings
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.wiring.house import House


class ChainRun(Protocol):
    """A session with a chain, open for as long as the process plays."""

    @property
    def frames(self) -> ArrivingFrames:
        """The frames as they arrive."""
        ...

    @property
    def stage(self) -> Surroundings | None:
        """Where conversions are real; None on paper."""
        ...

    def standing(self) -> dict[str, object]:
        """Say how the feed and the endpoints are."""
        ...

    def leave(self) -> None:
        """Let a turn that waits for blocks end: the process is to leave."""
        ...


OpenChainRun: TypeAlias = Callable[[Path], AbstractAsyncContextManager[ChainRun]]
"""Opens it for a run folder that this process has locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """
    What a run has outside its process.

    Attributes:
        open_chain: opens what the frames come from, and where conversions may be real; None for no chain.
        read_frames: reads what frames a run folder has gained that another process plays; None for no chain.
        poll_s: how often that is asked for a frame.
        webhook: where crash, stop, alarm and feed-down are posted; empty for nowhere.
        verify: tells whether a person's signature is by their key.
        climb: by which rungs it climbs; None for a run that does not.
    """

    open_chain: OpenChainRun | None = None
    read_frames: Callable[[Path], None] | None = None
    poll_s: float = 1.0
    webhook: str = ""
    verify: VerifiesSignature = verify_signature
    climb: ClimbTerms | None = None


ALONE: Final = Outside()

FEED: Final = "feed"
"""Who reduces trading when the chain can't be read for too long."""

ASK_TIMEOUT_S: Final = 30.0


async def follow(frames: ArrivingFrames, *, poll_s: float, ring: Callable[[], None]) -> None:
    """Ask the feed again and again beside the turns; `ring` when there is something new. Ends by a raise."""
    while True:
        was_down = frames.down
        if await frames.look() or frames.down != was_down or not frames.settled:
            ring()
        await anyio.sleep(poll_s)


async def journal_news(
    frames: ArrivingFrames, journal: Journal, *, time_ns: int, turn: int, log: Log, alert: Alert
) -> None:
    """Make what happened to the feed events, durable ones, and let it be heard."""
    for news in frames.take_news():
        if news.down:
            event: FeedDown | FeedBack = FeedDown(turn=turn, reason=news.reason, detail=news.detail)
            log.warning("feed_down", reason=news.reason, detail=news.detail, still="nothing new is ordered")
            alert("feed_down", {"reason": news.reason, "detail": news.detail, "turn": turn})
        else:
            event = FeedBack(turn=turn)
            log.info("feed_back", turn=turn)
            alert("feed_back", {"turn": turn})
        journal.append(event, stream=STREAM, time_ns=time_ns)
        await journal.flush()


async def reduce_for_outage(frames: ArrivingFrames, house: House, *, log: Log) -> None:
    """
    Reduce trading, once an outage, if the feed is down for too long; durable when it returns.

    Whatever came meanwhile, nobody looked at it: exits and stop-losses may go on when frames come again, new
    risk only when a person has looked. Who resumes before that is not overruled.
    """
    reason = frames.take_outage()
    if reason is None or house.fold.records.latch.state != "active":
        return
    change = ChangeTradingState(state="reducing", by=FEED, reason=reason)
    await house.engine.ask(change, timeout_s=ASK_TIMEOUT_S)
    await house.journal.flush()
    log.warning("trading_changed", state="reducing", by=FEED, reason=reason)
