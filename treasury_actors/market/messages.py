"""What the feed of a live market understands, and what it answers."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_checks import Finding
from treasury_actors.message import Ask


class NoFrameReason(StrEnum):
    """Why there is no new frame."""

    NO_ANSWER = "no_answer"
    NOT_YET = "not_yet"
    STALE_BLOCK = "stale_block"
    FROM_FUTURE = "from_future"
    BLOCK_BACKWARDS = "block_backwards"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameArrived:
    """
    The next frame, durable and part of the season before this was said.

    Attributes:
        missed: the hours before it in which nothing was read, oldest first: turns without a fresh price.
    """

    frame: MarketFrame
    findings: tuple[Finding, ...]
    missed: tuple[MarketFrame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoFrame:
    """There is none, and none was made up. `lag_s`: how long ago the newest block we know was made."""

    reason: NoFrameReason
    detail: str
    lag_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStanding:
    """
    How the feed is.

    Attributes:
        turn: the newest frame's number; -1 before the first.
        lag_s: how long ago the newest block we know was made; since the feed was made if we know none.
        unanswered: how many reads in a row brought no frame for want of an answer.
        findings: of the newest frame.
    """

    turn: int
    lag_s: int
    unanswered: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFrame(Ask[FrameArrived | NoFrame]):
    """Read the market now; the answer is the next frame if its hour has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HowIsFeed(Ask[FeedStanding]):
    """Ask how the feed is."""


FeedMessage: TypeAlias = ReadFrame | HowIsFeed
