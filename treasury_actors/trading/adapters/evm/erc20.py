"""ERC-20 tokens: balances, transfers in logs, and allowances that are exact and return to zero."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from treasury_actors.errors import Fault
from treasury_actors.ids import AssetId
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason, explain, refused
from treasury_actors.trading.adapters.evm.protocol import (
    Approval,
    BlockId,
    Call,
    Log,
    Reads,
    Reverted,
    View,
)

APPROVE = abi.Function(
    signature="approve(address,uint256)", selector=bytes.fromhex("095ea7b3"), returns="(bool)"
)
ALLOWANCE = abi.Function(
    signature="allowance(address,address)", selector=bytes.fromhex("dd62ed3e"), returns="(uint256)"
)
BALANCE_OF = abi.Function(
    signature="balanceOf(address)", selector=bytes.fromhex("70a08231"), returns="(uint256)"
)
TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
APPROVE_GAS = 90_000
_TRANSFER_TOPICS = 3


class UnreadableContract(Fault):
    """A pinned contract did not answer a plain read: the wrong chain, block or node."""


class Tokens:
    """The tokens a protocol knows, both ways: asset to address and back; addresses are in lower case."""

    def __init__(self, addresses: Mapping[AssetId, str]) -> None:
        """Take the pinned address of each asset; raise ValueError if two share one."""
        self.by_asset = MappingProxyType({asset: abi.address(text) for asset, text in addresses.items()})
        self.by_address = MappingProxyType({text: asset for asset, text in self.by_asset.items()})
        if len(self.by_address) != len(self.by_asset):
            raise ValueError("two assets share an address")

    def __repr__(self) -> str:
        return f"<Tokens {', '.join(self.by_asset)}>"

    async def holdings(self, reads: Reads, owner: str, block: BlockId) -> dict[AssetId, int]:
        """Return the balance of each token at a block, in one round trip."""
        return await self.read_each(reads, BALANCE_OF, owner, block=block)

    async def read_each(
        self, reads: Reads, function: abi.Function, *values: abi.Value, block: BlockId
    ) -> dict[AssetId, int]:
        """Return what each token answers to the same plain read; raise UnreadableContract if one doesn't."""
        views = [View(to=token, data=function.encode(*values)) for token in self.by_address]
        answers = await reads.views(views, block)
        return {
            self.by_address[view.to]: _units(view.to, function, answer)
            for view, answer in zip(views, answers, strict=True)
        }


def approve(approval: Approval) -> Call:
    """Return the call that sets an allowance to exactly what is approved; 0 units take it back."""
    assert approval.units < 1 << 255, "no allowance is without end"
    return Call(
        to=approval.token,
        data=APPROVE.encode(approval.spender, approval.units),
        value_wei=0,
        gas_limit=APPROVE_GAS,
        approval=None,
        units_out_min=0,
    )


def decode_approve(call_to: str, data: bytes) -> Approval | None:
    """Return the approval that calldata for token `call_to` would set; None if it is no approve."""
    try:
        spender, units = APPROVE.arguments(data)
    except ValueError:
        return None
    assert isinstance(spender, str), "a spender is decoded as an address"
    assert isinstance(units, int), "an amount is decoded as a number"
    return Approval(token=abi.address(call_to), spender=spender, units=units)


async def simulate_approve(
    reads: Reads, approval: Approval, owner: str, block: BlockId = "pending"
) -> Refused | None:
    """Return why `approve` would fail. Returning nothing, as USDT does, is fine; false is not."""
    call = approve(approval)
    answer = await reads.call(to=call.to, data=call.data, block=block, sender=owner, gas=call.gas_limit)
    if isinstance(answer, Reverted):
        return explain(answer.data, answer.message)
    if answer and not int.from_bytes(answer, "big"):
        return refused(VenueReason.RETURNED_FALSE, f"approve of {approval.token}")
    return None


async def allowance(reads: Reads, token: str, owner: str, spender: str, block: BlockId) -> int:
    """Return what `spender` may take of the owner's `token` at a block."""
    return await read_units(reads, token, ALLOWANCE, owner, spender, block=block)


async def read_units(
    reads: Reads, to: str, function: abi.Function, *values: abi.Value, block: BlockId
) -> int:
    """Return the number a pinned contract answers to a plain read; raise UnreadableContract if none."""
    return _units(to, function, await reads.call(to=to, data=function.encode(*values), block=block))


def _units(to: str, function: abi.Function, answer: bytes | Reverted) -> int:
    """Return the number an answer holds; raise UnreadableContract if it holds none."""
    if isinstance(answer, Reverted):
        said = explain(answer.data, answer.message)
        raise UnreadableContract(f"{to}: {function.signature}: {said.reason}: {said.detail}")
    try:
        return function.returned_units(answer)
    except ValueError as problem:
        raise UnreadableContract(f"{to}: {function.signature}: {problem}") from problem


def net_received(logs: Sequence[Log], token: str, owner: str) -> int:
    """Return what `owner` got less what it gave, from the token's own Transfer logs; may be negative."""
    net = 0
    for log in logs:
        if log.address.lower() != token or len(log.topics) != _TRANSFER_TOPICS:
            continue
        if log.topics[0].lower() != TRANSFER_TOPIC or len(log.data) != abi.WORD:
            continue
        units = int.from_bytes(log.data, "big")
        net += units * (topic_address(log.topics[2]) == owner)
        net -= units * (topic_address(log.topics[1]) == owner)
    return net


def topic_address(topic: str) -> str:
    """Return the address an indexed topic holds."""
    return "0x" + topic[-40:].lower()
