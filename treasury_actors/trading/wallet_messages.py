"""What a wallet understands, and the news it tells whoever trades with it."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from treasury_actors.message import Ask
from treasury_actors.trading.model.chain_limits import ChainRefusal
from treasury_actors.trading.model.slot_acts import Alert, Compensate, Count, End, Intent, StopTrading
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import IntentId, TxPermitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The intent has a slot and was signed and sent, or will be: what becomes of it comes as news."""

    intent: IntentId
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCall(Ask[Placed | ChainRefusal]):
    """Have a call made once. The reply doesn't wait for the chain."""

    intent: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtChain(Ask[int | None]):
    """A new block, or a moment to look anyway: follow every live slot. Replies with the head's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateChanged(Ask[int]):
    """Trading was stopped, reduced, resumed, or something permitted under a stop; replies with the epoch."""

    change: TradingStateChanged | TxPermitted


WalletMessage: TypeAlias = PlaceCall | LookAtChain | GateChanged

WalletNews: TypeAlias = Count | Compensate | End | StopTrading | Alert
"""Told upward. `Count`, `Compensate` and `End` are told again after a restart: their ids count once."""


class HearsWallet(Protocol):
    """Whoever posts what a wallet's transactions brought."""

    def tell(self, message: WalletNews) -> None:
        """Take a piece of news; never waits."""
        ...
