"""A chain of one sender: nonces, a pool that replaces, blocks told by hash, forks, fees, reverts."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Final

from treasury_actors.evolution.model.chance import Chance
from treasury_actors.trading.model.fees import MarketFees
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    NonceTooHigh,
    NonceTooLow,
    SendReply,
    Underpriced,
)
from treasury_actors.trading.model.slot_acts import Sign, TxReceipt

FIRST_NONCE: Final = 7
FINAL_BLOCKS: Final = 8
GWEI: Final = 10**9
_FIRST_NUMBER: Final = 1_000
_FIRST_TIME_S: Final = 1_700_000_000
_BLOCK_S: Final = 12
_PER_BLOCK: Final = 4
_BUMP_PERCENT: Final = 110
_USED_PERCENT: Final = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx:
    """A signed transaction as a chain reads it; `reverts`: its call comes to nothing."""

    tx_hash: str
    nonce: int
    kind: str
    data: str
    reverts: bool
    gas_limit: int
    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block; its hash names everything before it. `nonce`: the sender's transaction count after it."""

    number: int
    hash: str
    time_s: int
    base_fee_wei: int
    txs: tuple[Tx, ...]
    nonce: int


def sign(act: Sign) -> tuple[str, str]:
    """Return raw bytes, 0x-hex, and their hash: no key is needed where nobody checks one."""
    fields = {
        "nonce": act.slot.nonce,
        "kind": act.kind,
        "data": act.call.data,
        "gas_limit": act.call.gas_limit,
        "max_fee_wei": act.fees.max_fee_wei,
        "tip_wei": act.fees.tip_wei,
    }
    raw = json.dumps(fields, sort_keys=True).encode()
    return f"0x{raw.hex()}", f"0x{sha256(raw).hexdigest()}"


def read(raw: str) -> Tx:
    """Return the transaction that `sign` wrote; data that ends in ff reverts."""
    content = bytes.fromhex(raw[2:])
    fields = json.loads(content)
    return Tx(tx_hash=f"0x{sha256(content).hexdigest()}", reverts=fields["data"].endswith("ff"), **fields)


class SimulatedChain:
    """
    The truth about what was done, and what a view of it at an earlier block would have shown.

    Attributes:
        base_fee_wei: what the next block asks per gas.
        takes: whether the next blocks take transactions of ours at all.
    """

    def __init__(self, chance: Chance) -> None:
        self.base_fee_wei = GWEI
        self.takes = True
        self._chance = chance
        self._salt = 0
        self.pool: dict[int, Tx] = {}
        self.blocks: list[Block] = []
        self.mine()

    def __repr__(self) -> str:
        return f"<SimulatedChain at {self.head.number}, {len(self.pool)} in its pool>"

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    def nonce_at(self, number: int) -> int:
        """Return the sender's transaction count at a block."""
        place = min(number - _FIRST_NUMBER, len(self.blocks) - 1)
        return self.blocks[place].nonce if place >= 0 else FIRST_NONCE

    def final_number(self, number: int) -> int:
        """Return the newest block that can't be undone, as seen from a block."""
        return max(_FIRST_NUMBER, number - FINAL_BLOCKS)

    def fees(self) -> MarketFees:
        """Return what the next block asks."""
        return MarketFees(base_fee_wei=self.base_fee_wei, tip_wei=10**6)

    def send(self, raw: str) -> SendReply:
        """Take signed bytes into the pool, as a node that plays by the rules does."""
        tx = read(raw)
        count = self.nonce_at(self.head.number)
        if tx.nonce < count:
            return NonceTooLow()
        known = self.pool.get(tx.nonce)
        if known is not None and known.tx_hash == tx.tx_hash:
            return AlreadyKnown()
        if known is None and tx.nonce > count + len(self.pool):
            return NonceTooHigh()
        if known is not None and not _outbids(tx, known):
            return Underpriced()
        self.pool[tx.nonce] = tx
        return Accepted(tx_hash=tx.tx_hash)

    def mine(self) -> None:
        """Make a block of what is next in the pool and can pay."""
        taken: list[Tx] = []
        nonce = self.nonce_at(self.head.number) if self.blocks else FIRST_NONCE
        while self.takes and len(taken) < _PER_BLOCK:
            tx = self.pool.get(nonce)
            if tx is None or tx.max_fee_wei < self.base_fee_wei:
                break
            taken.append(self.pool.pop(nonce))
            nonce += 1
        self._append(tuple(taken))

    def _append(self, txs: tuple[Tx, ...]) -> None:
        number = self.head.number + 1 if self.blocks else _FIRST_NUMBER
        before = self.head.hash if self.blocks else ""
        content = json.dumps([before, number, self._salt, [asdict(tx) for tx in txs]])
        self.blocks.append(
            Block(
                number=number,
                hash=f"0x{sha256(content.encode()).hexdigest()}",
                time_s=_FIRST_TIME_S + _BLOCK_S * number,
                base_fee_wei=self.base_fee_wei,
                txs=txs,
                nonce=(self.head.nonce if self.blocks else FIRST_NONCE) + len(txs),
            )
        )

    def reorg(self, depth: int, *, keeps: bool) -> int:
        """Undo the newest blocks, none that is final, and grow others; return how many were undone."""
        depth = min(depth, self.head.number - self.final_number(self.head.number) - 1, len(self.blocks) - 1)
        if depth < 1:
            return 0
        undone = self.blocks[-depth:]
        del self.blocks[-depth:]
        self._salt += 1
        for block in undone:
            for tx in block.txs:
                if keeps:
                    self.pool.setdefault(tx.nonce, tx)
        for _ in range(depth + 1):
            self.takes, takes = bool(self._chance.below(3)), self.takes
            self.mine()
            self.takes = takes
        return depth

    def drop(self) -> int:
        """Evict everything from the pool; return how much that was."""
        count = len(self.pool)
        self.pool.clear()
        return count

    def receipt(self, tx_hash: str, seen_to: int) -> TxReceipt | None:
        """Return the receipt of a transaction in a block up to `seen_to`."""
        for block in reversed(self.blocks):
            for tx in block.txs:
                if tx.tx_hash == tx_hash and block.number <= seen_to:
                    return TxReceipt(
                        tx_hash=tx_hash,
                        block_number=block.number,
                        block_hash=block.hash,
                        succeeded=not tx.reverts,
                        fee_wei=fee_of(tx, block),
                        time_s=block.time_s,
                    )
        return None

    def canonical(self, number: int) -> str | None:
        """Return the hash of the block of a number."""
        place = number - _FIRST_NUMBER
        return self.blocks[place].hash if 0 <= place < len(self.blocks) else None


def fee_of(tx: Tx, block: Block) -> int:
    """Return what a transaction burnt: part of its gas limit, at base fee and tip within its cap."""
    used = tx.gas_limit * _USED_PERCENT // 100
    return used * min(tx.max_fee_wei, block.base_fee_wei + tx.tip_wei)


def _outbids(tx: Tx, known: Tx) -> bool:
    """Say whether a node lets a transaction replace another: a tenth dearer in both fields."""
    return (
        tx.max_fee_wei * 100 >= known.max_fee_wei * _BUMP_PERCENT
        and tx.tip_wei * 100 >= known.tip_wei * _BUMP_PERCENT
    )
