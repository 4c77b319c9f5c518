"""The frames of a live run as they arrive: who asks the feed, what is said of it, and where it stands."""

from dataclasses import dataclass
from typing import Final, assert_never

from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.clock import Clock
from treasury_actors.errors import ActorCrashed
from treasury_actors.market.feed import Feed
from treasury_actors.market.messages import (
    FeedMessage,
    FrameArrived,
    HowIsFeed,
    NoFrame,
    NoFrameReason,
    ReadFrame,
)
from treasury_actors.market.model.frame_checks import FrameLimits
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.market.ports import FrameSource, FrameStore

DOWN_AFTER: Final = 2
"""So many reads in a row without a believable answer, and the feed is called down."""

_HOUR_S: Final = 3_600

ASK_TIMEOUT_S: Final = 600.0
"""A read has deadlines of its own, one an endpoint; this one is for a feed that hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedNews:
    """The feed went down, for this reason, or came back."""

    down: bool
    reason: str
    detail: str


class ArrivingFrames:
    """
    A feed that somebody asks, again and again, beside the turns.

    Attributes:
        settled: this process was told which hour it is: until then no frame counts as the newest.
        down: nobody has an answer that can be believed.
    """

    def __init__(
        self,
        feed: Ref[FeedMessage],
        supervisor: Supervisor,
        growing: GrowingSeason,
        *,
        clock: Clock,
        outage_s_max: float,
    ) -> None:
        """
        Make it.

        Args:
            clock: the host's.
            outage_s_max: how long the feed may be down before trading must be reduced for it.
        """
        self._feed = feed
        self._supervisor = supervisor
        self._growing = growing
        self._clock = clock
        self._failures = 0
        self._said = ""
        self._arrived_s: float | None = None
        self._lag_s = 0
        self._news: list[FeedNews] = []
        self._outage_s_max = outage_s_max
        self._down_since_s = 0.0
        self._outage_told = False
        self.settled = False
        self.down = False

    def __repr__(self) -> str:
        return f"<ArrivingFrames {self._growing.frame_count}{' down' if self.down else ''}>"

    def has(self, index: int) -> bool:
        """Say whether a frame has arrived."""
        return index < self._growing.frame_count

    def is_newest(self, index: int) -> bool:
        """Say whether a frame is of the hour it is now: only on such a one is anything ordered."""
        return self.settled and not self.down and index == self._growing.frame_count - 1

    def take_news(self) -> list[FeedNews]:
        """Return what happened to the feed since the last time."""
        news, self._news = self._news, []
        return news

    def take_outage(self) -> str | None:
        """Return why trading must be reduced for an outage, once for each: when it has lasted too long."""
        lasted_s = self._clock.monotonic_s() - self._down_since_s
        if not self.down or self._outage_told or lasted_s < self._outage_s_max:
            return None
        self._outage_told = True
        return f"the feed is down for {self._outage_s_max / _HOUR_S:g} h: {self._said}"

    async def look(self) -> bool:
        """
        Ask once; say whether a frame came.

        Raises what the feed died of, if that is nothing that asking again could mend.
        """
        try:
            answer = await self._feed.ask(ReadFrame(), timeout_s=ASK_TIMEOUT_S)
            standing = await self._feed.ask(HowIsFeed(), timeout_s=ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise self._supervisor.escalation or crashed from crashed
        self._lag_s = standing.lag_s
        match answer:
            case FrameArrived():
                self._good()
                self._arrived_s = self._clock.monotonic_s()
                found = [finding.reason.value for finding in answer.findings]
                self._said = f"{len(found)} findings: {', '.join(sorted(set(found)))}" if found else ""
                return True
            case NoFrame(reason=NoFrameReason.NOT_YET):
                self._good()
            case NoFrame():
                self._bad(answer)
            case _:
                assert_never(answer)
        return False

    def standing(self) -> dict[str, object]:
        """Say how the feed is; `lag_s` is the age of the newest block by our clock."""
        age_s = None if self._arrived_s is None else round(self._clock.monotonic_s() - self._arrived_s, 3)
        return {
            "state": "down" if self.down else "up" if self.settled else "unknown",
            "frames": self._growing.frame_count,
            "lag_s": self._lag_s,
            "last_frame_age_s": age_s,
            "said": self._said,
        }

    def _good(self) -> None:
        self.settled = True
        self._failures = 0
        if self.down:
            self.down = False
            self._said = ""
            self._news.append(FeedNews(down=False, reason="", detail=""))

    def _bad(self, answer: NoFrame) -> None:
        self._failures += 1
        self._said = f"{answer.reason.value}: {answer.detail}"
        if self._failures >= DOWN_AFTER and not self.down:
            self.down = True
            self._down_since_s, self._outage_told = self._clock.monotonic_s(), False
            self._news.append(FeedNews(down=True, reason=answer.reason.value, detail=answer.detail))


def start_feed(
    supervisor: Supervisor,
    *,
    source: FrameSource,
    store: FrameStore,
    growing: GrowingSeason,
    limits: FrameLimits,
    clock: Clock,
) -> Ref[FeedMessage]:
    """Start the actor that reads, judges and keeps; the process ends with it."""

    def make() -> Feed:
        return Feed(source=source, store=store, season=growing, limits=limits, clock=clock)

    return supervisor.start_child(
        ChildSpec(
            name="feed", make=make, accepts=(ReadFrame, HowIsFeed), restart="never", deadline_s=ASK_TIMEOUT_S
        )
    )


def feed_supervisor(clock: Clock) -> Supervisor:
    """Return who looks after a feed."""
    return Supervisor(policy=SupervisionPolicy.live(), clock=clock, on_event=lambda _: None)
