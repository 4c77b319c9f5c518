"""The latched stop: what the engine may still do. Pure; durable before it is acknowledged."""

from dataclasses import dataclass
from typing import Literal

from treasury_actors.journal.codec import event

TradingState = Literal["active", "reducing", "stopped"]

OPERATOR = "operator"
"""Who alone may stop and resume: a person."""


@event("trading.state_changed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TradingStateChanged:
    """
    Trading was stopped, put to reducing, or resumed.

    Attributes:
        by: `operator` or the machine's rule; a machine may only put it to `reducing` (I10).
        epoch: counts stops; an order decided under an older epoch is never released.
    """

    state: TradingState
    by: str
    reason: str
    epoch: int


@dataclass(slots=True)
class StopLatch:
    """The state of trading, a fold over `TradingStateChanged`."""

    state: TradingState = "active"
    epoch: int = 0
    reason: str = ""

    def decide(self, wanted: TradingState, by: str, reason: str) -> TradingStateChanged | None:
        """
        Return the change to journal, or None if nothing changes.

        A machine may only tighten from active to reducing; only an operator stops or resumes.
        """
        if wanted == self.state:
            return None
        if by != OPERATOR and (wanted != "reducing" or self.state != "active"):
            return None
        return TradingStateChanged(state=wanted, by=by, reason=reason, epoch=self.epoch + 1)

    def apply(self, changed: TradingStateChanged) -> None:
        """Fold a change."""
        self.state = changed.state
        self.epoch = changed.epoch
        self.reason = changed.reason
