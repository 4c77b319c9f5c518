"""What the parts of the arena may do to its roster."""

from typing import Protocol

from treasury_actors.arena.model.roster import Roster
from treasury_actors.ids import AgentId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.model.mandate import Mandate


class RosterKeeper(Protocol):
    """The one place where a population changes: every change is an event before it is a fact."""

    @property
    def roster(self) -> Roster:
        """Who lives."""
        ...

    def record(self, event: object, *, why: str = "") -> None:
        """Journal an event, then fold it."""
        ...

    async def spawn(self, mandate: Mandate) -> None:
        """Set a newborn's mandate and start its actor."""
        ...

    async def set_mandates(self, mandates: list[Mandate]) -> None:
        """Record mandates and hold engine and guardian to them."""
        ...

    async def retire(self, agent: AgentId, reason: str) -> None:
        """Let an agent decide no more."""
        ...

    async def collect(self, mandate: Mandate, due_units: int, frame: MarketFrame, why: str) -> Mandate:
        """Take what is due out of an agent's cash; return its mandate with what it still owes."""
        ...

    def touch(self, agent: AgentId) -> None:
        """Note that an agent's accounts changed."""
        ...


class VerifiesSignature(Protocol):
    """Tells whether a signature was made with the private half of a key."""

    def __call__(self, *, key: str, digest: bytes, signature: str) -> bool:
        """Return it; false for anything malformed, never an error."""
        ...
