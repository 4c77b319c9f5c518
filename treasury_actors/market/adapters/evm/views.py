"""
Questions to contracts that cost nothing, all answered at one block, in words of 32 bytes.

Selectors are pinned as numbers; a test holds them against the signatures they stand for. What a contract
refuses (a revert) or answers too short is an unknown, None; where the *node* has no answer, it is a fault.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, RpcError, result_of
from treasury_actors.chain.model.values import data
from treasury_actors.chain.ports import Rpc

SELECTORS: Final[Mapping[str, str]] = {
    "latestRoundData()": "feaf968c",
    "decimals()": "313ce567",
    "slot0()": "3850c7bd",
    "liquidity()": "1a686502",
    "getPool(address,address,uint24)": "1698ee82",
    "getReserveData(address)": "35ea6a75",
    "getReserveNormalizedIncome(address)": "d15e0053",
    "balanceOf(address)": "70a08231",
    "totalAssets()": "01e1d114",
    "convertToAssets(uint256)": "07a2d13a",
    "maxDeposit(address)": "402d267d",
    "maxWithdraw(address)": "ce96cb77",
    "l1BaseFee()": "519b4bd3",
}

Words: TypeAlias = tuple[int, ...]

_WORD_BYTES = 32
_SIGN_BIT = 255
_REVERT_CODE = 3
_REVERTED = re.compile(r"revert|out ?of ?gas|evm error|gas required exceeds", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A question: `signature` of the contract at `to`, with unsigned words (addresses as numbers)."""

    to: str
    signature: str
    values: tuple[int, ...] = ()


def word(address: str) -> int:
    """Return an address as the word it is passed as."""
    return int(address, 16)


def signed(number: int) -> int:
    """Return a word read as an int256."""
    return number - (1 << _SIGN_BIT + 1) if number >> _SIGN_BIT else number


def call_of(view: View, block: Json) -> RpcCall:
    """Return the question as JSON-RPC asks it; `block` as EIP-1898 names one."""
    content = SELECTORS[view.signature] + "".join(f"{value:064x}" for value in view.values)
    return RpcCall(method="eth_call", params=({"to": view.to.lower(), "data": "0x" + content}, block))


async def ask(
    rpc: Rpc, views: Iterable[View], block: Json, *others: RpcCall
) -> tuple[dict[View, Words], list[Answer]]:
    """
    Return what each view answered, and the answers to `others`, in one batch; what is unknown is left out.

    Raises RpcFault where the node has no answer.
    """
    asked = list(dict.fromkeys(views))
    answers = await rpc.batch([*(call_of(view, block) for view in asked), *others])
    found = {}
    for view, answer in zip(asked, answers, strict=False):
        words = _words(answer, view)
        if words:
            found[view] = words
    return found, answers[len(asked) :]


def _words(answer: Answer, view: View) -> Words:
    """Return the words of an answer; none if the contract refused."""
    if isinstance(answer, RpcError) and _is_revert(answer):
        return ()
    content = data(result_of(answer, view.signature), view.signature)
    whole = len(content) - len(content) % _WORD_BYTES
    return tuple(int.from_bytes(content[at : at + _WORD_BYTES], "big") for at in range(0, whole, _WORD_BYTES))


def _is_revert(error: RpcError) -> bool:
    """Say whether the EVM said no, and not the node."""
    return (
        error.code == _REVERT_CODE
        or (isinstance(error.data, str) and error.data.startswith("0x"))
        or _REVERTED.search(error.message) is not None
    )
