"""`WalletNode` over a JSON-RPC session: heads, canonical hashes, receipts, sends."""

from collections.abc import Iterable, Mapping

from treasury_actors.chain.model import values
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Json, RpcCall, SendAnswer, SendOutcome, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.trading.model.fees import MarketFees, receipt_fee_wei
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    InsufficientFunds,
    NoAnswer,
    NonceTooHigh,
    NonceTooLow,
    SendReply,
    Underpriced,
)
from treasury_actors.trading.model.slot_acts import Head, ReceiptAnswers, TxReceipt
from treasury_actors.trading.wallet_ports import Replied

_TIMES_MAX = 256
_REPLIES: dict[SendOutcome, SendReply] = {
    SendOutcome.ALREADY_KNOWN: AlreadyKnown(),
    SendOutcome.NONCE_TOO_LOW: NonceTooLow(),
    SendOutcome.NONCE_GAP: NonceTooHigh(),
    SendOutcome.UNDERPRICED_REPLACEMENT: Underpriced(),
    SendOutcome.FEE_TOO_LOW: Underpriced(),
    SendOutcome.INSUFFICIENT_FUNDS: InsufficientFunds(),
}


class ChainNode:
    """Reads one chain for a wallet, each answer of one moment from one endpoint."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._times_s: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<ChainNode over {self._rpc!r}>"

    async def head(self, sender: str) -> Head:
        """Return the newest block and the sender's nonces at it and at the finalised one."""
        latest, finalised, tip, history, nonce, final_nonce = await self._rpc.batch(
            [
                RpcCall(method="eth_getBlockByNumber", params=("latest", False)),
                RpcCall(method="eth_getBlockByNumber", params=("finalized", False)),
                RpcCall(method="eth_maxPriorityFeePerGas", params=()),
                RpcCall(method="eth_feeHistory", params=("0x1", "latest", [])),
                RpcCall(method="eth_getTransactionCount", params=(sender, "latest")),
                RpcCall(method="eth_getTransactionCount", params=(sender, "finalized")),
            ]
        )
        block = values.mapping(result_of(latest, "the head"), "the head")
        final = values.mapping(result_of(finalised, "the finalised block"), "the finalised block")
        return Head(
            number=values.quantity(values.field(block, "number", "block"), "block number"),
            time_s=values.quantity(values.field(block, "timestamp", "block"), "block time"),
            fees=MarketFees(
                base_fee_wei=_upcoming_base_fee_wei(result_of(history, "the fee history")),
                tip_wei=values.quantity(result_of(tip, "the tip"), "the tip"),
            ),
            latest_nonce=values.quantity(result_of(nonce, "the nonce"), "the nonce"),
            finalised_number=values.quantity(values.field(final, "number", "block"), "block number"),
            finalised_nonce=values.quantity(result_of(final_nonce, "the nonce"), "the nonce"),
        )

    async def canonical(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Return the hash of the canonical block of each number the node knows."""
        wanted = sorted(dict.fromkeys(numbers))
        if not wanted:
            return {}
        answers = await self._rpc.batch(
            [
                RpcCall(method="eth_getBlockByNumber", params=(values.to_quantity(number), False))
                for number in wanted
            ]
        )
        hashes: dict[int, str] = {}
        for number, answer in zip(wanted, answers, strict=True):
            block = result_of(answer, "a block")
            if block is not None:
                found = values.mapping(block, "a block")
                hashes[number] = values.hash32(values.field(found, "hash", "block"), "block hash")
        return hashes

    async def receipts(self, tx_hashes: tuple[str, ...]) -> ReceiptAnswers:
        """Return the receipts of these hashes, and which of them the node said it has none for."""
        answers = await self._rpc.batch(
            [RpcCall(method="eth_getTransactionReceipt", params=(tx_hash,)) for tx_hash in tx_hashes]
        )
        found: list[TxReceipt] = []
        missing: list[str] = []
        for tx_hash, answer in zip(tx_hashes, answers, strict=True):
            result = result_of(answer, "a receipt")
            if result is None:
                missing.append(tx_hash)
            else:
                found.append(await self._receipt(values.mapping(result, "a receipt")))
        return ReceiptAnswers(node=repr(self._rpc), found=tuple(found), missing=tuple(missing))

    async def send(self, raw: str, tx_hash: str) -> Replied:
        """Hand signed bytes to one endpoint, once; what its answer doesn't prove is no answer."""
        answer = await self._rpc.send(raw, tx_hash)
        return Replied(node=answer.endpoint, reply=reply_of(answer, tx_hash))

    async def _receipt(self, receipt: dict[str, Json]) -> TxReceipt:
        """Return one receipt; the time is its block's."""
        number = values.quantity(values.field(receipt, "blockNumber", "receipt"), "block number")
        block_hash = values.hash32(values.field(receipt, "blockHash", "receipt"), "block hash")
        time_s = await self._time_s(block_hash)
        data_fee = receipt.get("l1Fee")
        return TxReceipt(
            tx_hash=values.hash32(values.field(receipt, "transactionHash", "receipt"), "hash"),
            block_number=number,
            block_hash=block_hash,
            succeeded=values.quantity(values.field(receipt, "status", "receipt"), "status") == 1,
            fee_wei=receipt_fee_wei(
                gas_used=values.quantity(values.field(receipt, "gasUsed", "receipt"), "gas used"),
                effective_gas_price_wei=values.quantity(
                    values.field(receipt, "effectiveGasPrice", "receipt"), "gas price"
                ),
                data_fee_wei=0 if data_fee is None else values.quantity(data_fee, "L1 fee"),
            ),
            time_s=time_s,
        )

    async def _time_s(self, block_hash: str) -> int:
        """Return when a block was made, 0 if the node has no such block; a hash has but one time."""
        if block_hash in self._times_s:
            return self._times_s[block_hash]
        answer = await self._rpc.call("eth_getBlockByHash", (block_hash, False))
        block = result_of(answer, "the receipt's block")
        if block is None:
            return 0
        found = values.mapping(block, "the receipt's block")
        time_s = values.quantity(values.field(found, "timestamp", "block"), "block time")
        if len(self._times_s) >= _TIMES_MAX:
            self._times_s.clear()
        self._times_s[block_hash] = time_s
        return time_s


def _upcoming_base_fee_wei(history: Json) -> int:
    """Return the base fee of the block after the newest: the last of a fee history."""
    fees = values.field(values.mapping(history, "the fee history"), "baseFeePerGas", "the fee history")
    upcoming = values.sequence(fees, "base fees")
    if not upcoming:
        raise RpcFault(RpcFaultKind.BAD_VALUE, "the fee history knows no base fee")
    return values.quantity(upcoming[-1], "base fee")


def reply_of(answer: SendAnswer, tx_hash: str) -> SendReply:
    """Return what a send's answer means to a wallet; a refusal we can't act on is no proof either."""
    if answer.node_lied:
        return Accepted(tx_hash=f"not {tx_hash}")
    if answer.outcome is SendOutcome.ACCEPTED:
        return Accepted(tx_hash=tx_hash)
    return _REPLIES.get(answer.outcome, NoAnswer(detail=f"{answer.outcome.name}: {answer.detail}"))
