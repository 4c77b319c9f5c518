"""A small chain with one pool, which forks, forgets and starves; seen by one sender."""

import hashlib
import json
from dataclasses import dataclass

from treasury_actors.trading.model.fees import FeePolicy, MarketFees
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    InsufficientFunds,
    NonceTooHigh,
    NonceTooLow,
    SendReply,
    Underpriced,
)
from treasury_actors.trading.model.slot_acts import (
    Head,
    ReceiptAnswers,
    TxReceipt,
    WalletPolicy,
)
from treasury_actors.trading.model.transaction import (
    Call,
)

CHAIN_ID = 31_337
OWN = "0x00000000000000000000000000000000000000AA"
POOL = "0x00000000000000000000000000000000000000BB"
FIRST_NONCE = 5
GAS_LIMIT = 200_000
GWEI = 10**9
CAP_WEI = 10**16
FINAL_BLOCKS = 13
NODES = ("one", "two", "three")
FEES = FeePolicy(transaction_wei_max=CAP_WEI, emergency_wei_max=CAP_WEI, day_wei_max=10**20)
POLICY = WalletPolicy(fees=FEES, confirm_depth=4, resend_blocks=3, in_flight_max=16, lies_max=10**6)
SWAP = Call(to=POOL, value_wei=0, data="0x01", gas_limit=GAS_LIMIT)
REVERTING = Call(to=POOL, value_wei=0, data="0x02", gas_limit=GAS_LIMIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What signed bytes say."""

    nonce: int
    max_fee_wei: int
    tip_wei: int
    gas_limit: int
    data: str

    @property
    def raw(self) -> str:
        said = [self.nonce, self.max_fee_wei, self.tip_wei, self.gas_limit, self.data]
        return "0x" + json.dumps(said).encode().hex()

    @property
    def tx_hash(self) -> str:
        return "0x" + hashlib.sha256(self.raw.encode()).hexdigest()


def read_raw(raw: str) -> Body:
    nonce, max_fee_wei, tip_wei, gas_limit, data = json.loads(bytes.fromhex(raw[2:]))
    return Body(nonce=nonce, max_fee_wei=max_fee_wei, tip_wei=tip_wei, gas_limit=gas_limit, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block: what it holds, and a hash that tells it from another of its number."""

    number: int
    block_hash: str
    bodies: tuple[Body, ...]
    base_fee_wei: int

    def receipt(self, body: Body) -> TxReceipt:
        gas_used = min(body.gas_limit, 21_000 if body.data == "0x" else 150_000)
        price = min(body.max_fee_wei, self.base_fee_wei + body.tip_wei)
        return TxReceipt(
            tx_hash=body.tx_hash,
            block_number=self.number,
            block_hash=self.block_hash,
            succeeded=body.data != REVERTING.data,
            fee_wei=gas_used * price,
            time_s=12 * self.number,
        )


class Chain:
    """One sender's view of a chain with one pool, which replaces by geth's rule of 10 %."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pool: dict[int, Body] = {}
        self.base_fee_wei = GWEI
        self.has_funds = True
        self.forks = 0
        for _ in range(FINAL_BLOCKS + 1):
            self.mine()

    def nonce_at(self, number: int) -> int:
        return FIRST_NONCE + sum(len(block.bodies) for block in self.blocks[: number + 1])

    @property
    def head(self) -> Head:
        number = len(self.blocks) - 1
        return Head(
            number=number,
            time_s=12 * number,
            fees=MarketFees(base_fee_wei=self.base_fee_wei, tip_wei=max(self.base_fee_wei // 10, 1)),
            latest_nonce=self.nonce_at(number),
            finalised_number=max(number - FINAL_BLOCKS, 0),
            finalised_nonce=self.nonce_at(max(number - FINAL_BLOCKS, 0)),
        )

    def mine(self, *, take: bool = True) -> None:
        number, nonce, bodies = len(self.blocks), self.nonce_at(len(self.blocks)), []
        while take and (body := self.pool.get(nonce)) and body.max_fee_wei >= self.base_fee_wei + 1:
            bodies.append(self.pool.pop(nonce))
            nonce += 1
        name = f"{number}/{self.forks}/{[body.tx_hash for body in bodies]}"
        block_hash = "0x" + hashlib.sha256(name.encode()).hexdigest()
        fee = self.base_fee_wei
        self.blocks.append(
            Block(number=number, block_hash=block_hash, bodies=tuple(bodies), base_fee_wei=fee)
        )
        self.pool = {n: body for n, body in self.pool.items() if n >= nonce}

    def reorg(self, depth: int, *, keeps: bool) -> None:
        """Undo the newest `depth` blocks; what they held goes back to the pool, or is forgotten."""
        undone, self.blocks = self.blocks[-depth:], self.blocks[:-depth]
        self.forks += 1
        for block in undone if keeps else ():
            for body in block.bodies:
                self.pool.setdefault(body.nonce, body)
        for index in range(depth + 1):
            self.mine(take=keeps and index > 0)

    def use_nonce_by_a_stranger(self) -> None:
        nonce = self.head.latest_nonce
        self.pool[nonce] = Body(
            nonce=nonce, max_fee_wei=10**15, tip_wei=10**14, gas_limit=21_000, data="0xff"
        )

    def take(self, raw: str) -> SendReply:
        body = read_raw(raw)
        before = self.pool.get(body.nonce)
        if before == body or any(body in block.bodies for block in self.blocks):
            return AlreadyKnown()
        if body.nonce < self.head.latest_nonce:
            return NonceTooLow()
        if not self.has_funds:
            return InsufficientFunds()
        if any(nonce not in self.pool for nonce in range(self.head.latest_nonce, body.nonce)):
            return NonceTooHigh()
        if before is not None and (
            10 * body.max_fee_wei < 11 * before.max_fee_wei or 10 * body.tip_wei < 11 * before.tip_wei
        ):
            return Underpriced()
        self.pool[body.nonce] = body
        return Accepted(tx_hash=body.tx_hash)

    def receipts(self, tx_hashes: tuple[str, ...]) -> ReceiptAnswers:
        found = {
            body.tx_hash: block.receipt(body)
            for block in self.blocks
            for body in block.bodies
            if body.tx_hash in tx_hashes
        }
        missing = tuple(tx_hash for tx_hash in tx_hashes if tx_hash not in found)
        return ReceiptAnswers(node=NODES[0], found=tuple(found.values()), missing=missing)
