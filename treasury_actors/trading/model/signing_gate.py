"""What may be signed and sent while trading is active, reducing or stopped: a fold, asked often (I24)."""

from dataclasses import dataclass, field

from treasury_actors.errors import InvariantViolated
from treasury_actors.trading.model.stop import OPERATOR, StopSwitch, TradingState, TradingStateChanged
from treasury_actors.trading.model.transaction import AttemptKind, Permit, Purpose, TxPermitted, TxSigned


@dataclass(slots=True)
class SigningGate:
    """
    The gate before sign and before send, a fold over stops and permits.

    Attributes:
        epoch: of the last change of trading's state.
        stopped_epoch: of the last stop; a call decided or signed before it is never signed or sent again,
            not even after a resume: it is watched, and its nonce may be taken by a no-op.
        permits: what an operator allowed under the present stop.
        switch: a stop that is not durable yet; until it is, nothing at all is signed or sent.
    """

    state: TradingState = "active"
    epoch: int = 0
    stopped_epoch: int = 0
    permits: tuple[Permit, ...] = field(default=())
    switch: StopSwitch = field(default_factory=StopSwitch)

    def apply(self, event: TradingStateChanged | TxPermitted) -> None:
        """Fold a change of state or a permit; a permit ends with the state it was given under."""
        if isinstance(event, TxPermitted):
            if event.by != OPERATOR or self.state != "stopped" or event.stop_epoch != self.epoch:
                raise InvariantViolated(f"I24: {event.permit} was permitted by {event.by} while {self.state}")
            self.permits = (*self.permits, event.permit)
            return
        self.state = event.state
        self.epoch = event.epoch
        self.permits = ()
        if event.state == "stopped":
            self.stopped_epoch = event.epoch

    def permit(self, permit: Permit, by: str, reason: str) -> TxPermitted | None:
        """Return the permit to journal; None if trading isn't stopped or whoever asks is no operator."""
        if self.state != "stopped" or by != OPERATOR:
            return None
        return TxPermitted(permit=permit, by=by, reason=reason, stop_epoch=self.epoch)

    def allows(self, purpose: Purpose, kind: AttemptKind, epoch: int) -> bool:
        """
        Say whether what was decided or signed under `epoch` may be signed or sent now.

        A no-op adds no risk: it needs no epoch, and a permit only while trading is stopped.
        """
        if self.switch.pulled:
            return False
        if kind == "noop":
            return self.state != "stopped" or "noop" in self.permits
        if epoch < self.stopped_epoch:
            return False
        if self.state == "active":
            return True
        return purpose in self.permits if self.state == "stopped" else purpose != "trade"

    def check(self, signed: TxSigned, purpose: Purpose) -> None:
        """Crash if an attempt was signed that the gate forbids."""
        if signed.stop_epoch != self.epoch or not self.allows(purpose, signed.kind, signed.stop_epoch):
            raise InvariantViolated(f"I24: {signed.tx_hash} was signed while trading is {self.state}")
