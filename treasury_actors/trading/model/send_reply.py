"""
What a node may answer to signed bytes, as far as a wallet acts on it. Pure.

`chain.model.rpc` reads the words of nodes; the adapter that sends turns its outcomes into these.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The node took the bytes and named a hash, ours if it is honest."""

    tx_hash: str


@dataclass(frozen=True, slots=True)
class AlreadyKnown:
    """The node had these very bytes before."""


@dataclass(frozen=True, slots=True)
class NonceTooLow:
    """Some transaction has used the nonce: perhaps another attempt of ours, perhaps this one."""


@dataclass(frozen=True, slots=True)
class NonceTooHigh:
    """The node lacks an earlier nonce."""


@dataclass(frozen=True, slots=True)
class Underpriced:
    """The fees are too low for the pool, or to replace the attempt that it has."""


@dataclass(frozen=True, slots=True)
class InsufficientFunds:
    """The sender can't pay value and fees: a definite refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """Timeout, reset, 5xx, 429, an error we don't know, garbage: nobody can say what became of the bytes."""

    detail: str


SendReply: TypeAlias = (
    Accepted | AlreadyKnown | NonceTooLow | NonceTooHigh | Underpriced | InsufficientFunds | NoAnswer
)
