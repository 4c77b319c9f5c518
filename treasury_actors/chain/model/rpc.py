"""
What is asked of a node, what it answers, and what its answer to a transaction proves. Pure.

Nodes answer a transaction they refuse with one error code for all reasons, so the text decides. Only a text
we know proves something; everything else (a timeout, a 500, a text nobody wrote down) is UNKNOWN, which is
never "failed": the transaction may lie in a pool or in a block.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcCall:
    """One question: a method and its parameters."""

    method: str
    params: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcError:
    """The node said no. A value: a revert, a refusal and a missing method are answers."""

    code: int
    message: str
    data: Json = None


Answer: TypeAlias = Json | RpcError
"""What a node answers to one call: its result, or its refusal."""


class SendOutcome(Enum):
    """What a node's answer to a signed transaction proves. No more than that."""

    ACCEPTED = auto()  # this node has it; nothing is said about blocks
    ALREADY_KNOWN = auto()  # this node had it
    NONCE_TOO_LOW = auto()  # some transaction took the nonce: perhaps an attempt of ours
    NONCE_GAP = auto()  # an earlier nonce is missing
    UNDERPRICED_REPLACEMENT = auto()  # another attempt of this nonce is in the pool
    INSUFFICIENT_FUNDS = auto()  # refused: the wallet can't pay value and gas
    FEE_TOO_LOW = auto()  # refused: below the base fee or the node's minimum
    WRONG_CHAIN = auto()  # refused: signed for another chain, or the session is closed for being on one
    REJECTED = auto()  # refused: it is invalid, or this node takes no such transaction
    UNKNOWN = auto()  # no proof of anything: send the same bytes again, never other ones

    @property
    def may_be_in_flight(self) -> bool:
        """Return whether these bytes may be mined, as far as this answer tells."""
        return self in _MAY_BE_IN_FLIGHT


_MAY_BE_IN_FLIGHT = frozenset(
    {
        SendOutcome.ACCEPTED,
        SendOutcome.ALREADY_KNOWN,
        SendOutcome.NONCE_TOO_LOW,
        SendOutcome.NONCE_GAP,
        SendOutcome.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAnswer:
    """
    What came of handing signed bytes to one endpoint.

    Attributes:
        endpoint: the name of the one that was asked; empty if none was.
        node_lied: it accepted under a hash that isn't the bytes' own; believe it in nothing.
    """

    outcome: SendOutcome
    endpoint: str = ""
    detail: str = ""
    node_lied: bool = False


# Texts of anvil, geth (op-geth), reth, erigon, besu and nethermind, lower case. A text that fits two groups
# proves nothing.
_TEXTS: tuple[tuple[SendOutcome, re.Pattern[str]], ...] = (
    (
        SendOutcome.ALREADY_KNOWN,
        re.compile(
            r"already known|\bknown transaction|already imported|\balreadyknown\b|already in (the )?mempool"
        ),
    ),
    (SendOutcome.NONCE_TOO_LOW, re.compile(r"nonce (is )?too low|\boldnonce\b|nonce has already been used")),
    (
        SendOutcome.NONCE_GAP,
        re.compile(r"nonce (is )?too high|nonce[ -]?gap|gapped[ -]nonce|nonce too (far|distant)"),
    ),
    (
        SendOutcome.UNDERPRICED_REPLACEMENT,
        re.compile(
            r"replacement transaction underpriced|could not replace existing|\breplacementnotallowed\b"
        ),
    ),
    (
        SendOutcome.INSUFFICIENT_FUNDS,
        re.compile(r"insufficient funds|\binsufficientfunds\b|upfront cost exceeds (account )?balance"),
    ),
    (
        SendOutcome.FEE_TOO_LOW,
        re.compile(
            r"max fee per gas (is )?less than block base fee|fee cap less than block base fee|\bfeetoolow\b"
            r"|(?<!replacement )transaction underpriced|gas tip cap \d+, minimum needed"
            r"|gas price (is )?(too low|below)"
        ),
    ),
    (
        SendOutcome.WRONG_CHAIN,
        re.compile(r"(invalid|wrong|incorrect) chain[ -]?id|chain[ -]?id mismatch|\binvalidchainid\b"),
    ),
    (
        SendOutcome.REJECTED,
        re.compile(
            r"intrinsic gas too low|exceeds block gas limit|invalid sender|invalid signature|oversized data"
            r"|transaction type not supported|max priority fee per gas higher than max fee per gas"
            r"|max initcode size exceeded|exceeds the configured cap|only replay-protected"
            r"|insufficient gas for floor data|exceeds maximum per-transaction gas"
        ),
    ),
)


def send_outcome(answer: Answer, tx_hash: str) -> SendAnswer:
    """
    Return what a node's answer proves about the bytes whose own hash is `tx_hash` (lower case, 0x).

    Another hash is a lie, and a lie proves nothing.
    """
    if isinstance(answer, RpcError):
        fits = [outcome for outcome, text in _TEXTS if text.search(answer.message.lower())]
        outcome = fits[0] if len(fits) == 1 else SendOutcome.UNKNOWN
        return SendAnswer(outcome=outcome, detail=shown(f"{answer.code}: {answer.message}"))
    if isinstance(answer, str) and answer.lower() == tx_hash:
        return SendAnswer(outcome=SendOutcome.ACCEPTED)
    lied = isinstance(answer, str) and re.fullmatch(r"0x[0-9a-fA-F]{64}", answer) is not None
    return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=f"answered {shown(answer)}", node_lied=lied)


def result_of(answer: Answer, what: str) -> Json:
    """Return the result of a question that has one; raise RpcFault where the node said no."""
    if isinstance(answer, RpcError):
        raise RpcFault(
            RpcFaultKind.NODE_ERROR, f"{what}: the node said {answer.code}: {shown(answer.message)}"
        )
    return answer


def shown(value: object) -> str:
    """Return a value on one line, cut short: what a node says may be megabytes."""
    text = value if isinstance(value, str) else repr(value)[: 4 * _SHOWN_CHARACTERS]
    text = " ".join(text[: 4 * _SHOWN_CHARACTERS].split())
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
