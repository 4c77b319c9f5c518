"""The latched stop: what the engine may still do. Pure; durable before it is acknowledged."""

from dataclasses import dataclass, field
from typing import Literal

from treasury_actors.journal.codec import event

TradingState = Literal["active", "reducing", "stopped"]

OPERATOR = "operator"
"""Who may stop and alone may resume: a person."""

BROKEN_INVARIANT = "broken_invariant"
"""What may stop beside a person: somebody else signs with our key, or the books and the chain disagree."""


@event("trading.state_changed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TradingStateChanged:
    """
    Trading was stopped, put to reducing, or resumed.

    Attributes:
        by: `operator`, `broken_invariant`, or the machine's rule, which may only put it to `reducing` (I10).
        epoch: counts stops; an order decided under an older epoch is never released.
    """

    state: TradingState
    by: str
    reason: str
    epoch: int


@event("trading.venue_alarm", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAlarm:
    """A venue said something that a person must hear; `stops`: trading stopped for it."""

    reason: str
    stops: bool


@dataclass(slots=True)
class StopSwitch:
    """
    A stop that is on its way to the journal: whoever is about to accept, sign or send looks here first.

    Pulled at once, by whoever hears the operator; the latch follows when the stop is durable. It forgets
    nothing that matters: if the process dies in between, the stop was not acknowledged.
    """

    pulled: bool = False


@dataclass(slots=True)
class StopLatch:
    """The state of trading, a fold over `TradingStateChanged`, and the switch that is quicker than it."""

    state: TradingState = "active"
    epoch: int = 0
    reason: str = ""
    switch: StopSwitch = field(default_factory=StopSwitch)

    @property
    def now(self) -> TradingState:
        """The state that binds at this moment."""
        return "stopped" if self.switch.pulled else self.state

    def decide(self, wanted: TradingState, by: str, reason: str) -> TradingStateChanged | None:
        """
        Return the change to journal, or None if nothing changes.

        A machine may only tighten from active to reducing; only an operator resumes, and stops unless an
        invariant is broken.
        """
        if wanted == self.state:
            return None
        if by == BROKEN_INVARIANT and wanted == "stopped":
            return TradingStateChanged(state=wanted, by=by, reason=reason, epoch=self.epoch + 1)
        if by != OPERATOR and (wanted != "reducing" or self.state != "active"):
            return None
        return TradingStateChanged(state=wanted, by=by, reason=reason, epoch=self.epoch + 1)

    def apply(self, changed: TradingStateChanged) -> None:
        """Fold a change."""
        self.state = changed.state
        self.epoch = changed.epoch
        self.reason = changed.reason
