"""What a node may answer to signed bytes, and how its words are read. Pure."""

import re
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

# Words of geth, anvil, reth, Nethermind, Erigon and Besu; the first that is found counts. They must begin a
# word: "unknown transaction type" says the opposite of "known transaction".
_WORDS: tuple[tuple[str, SendReply], ...] = (
    ("already known", AlreadyKnown()),
    ("alreadyknown", AlreadyKnown()),
    ("already imported", AlreadyKnown()),
    ("already in mempool", AlreadyKnown()),
    ("known transaction", AlreadyKnown()),
    ("nonce too low", NonceTooLow()),
    ("nonce is too low", NonceTooLow()),
    ("oldnonce", NonceTooLow()),
    ("nonce too high", NonceTooHigh()),
    ("nonce is too high", NonceTooHigh()),
    ("nonce gap", NonceTooHigh()),
    ("underpriced", Underpriced()),
    ("fee too low", Underpriced()),
    ("feetoolow", Underpriced()),
    ("less than block base fee", Underpriced()),
    ("insufficient funds", InsufficientFunds()),
    ("insufficientfunds", InsufficientFunds()),
)


def read_error(message: str) -> SendReply:
    """Return what a node's error message means; what we don't know is no answer, never a refusal."""
    words = message.lower()
    for phrase, reply in _WORDS:
        if re.search(rf"\b{re.escape(phrase)}", words):
            return reply
    return NoAnswer(detail=message)
