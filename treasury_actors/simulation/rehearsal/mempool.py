"""What strangers see in a local node's mempool, and how they put a transaction there without mining it."""

from dataclasses import dataclass

from treasury_actors.chain.model.rpc import Json
from treasury_actors.chain.model.values import data, field, hash32, mapping, quantity, sequence
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter

_GWEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What a transaction offers: at most so much a gas, of which at most so much for the block's maker."""

    max_fee_wei: int
    tip_wei: int

    def paid_wei(self, base_fee_wei: int) -> int:
        """Return what a gas costs it in a block of that base fee."""
        return min(self.max_fee_wei, base_fee_wei + self.tip_wei)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A transaction that waits; `to` is in lower case, and empty where it deploys a contract."""

    tx_hash: str
    nonce: int
    to: str
    data: bytes
    fees: Fees


async def pending_of(writer: BlockWriter, account: str) -> list[Pending]:
    """Return what waits of an account's, next nonce first."""
    pool = mapping(await writer.ask("txpool_content"), "mempool")
    found: list[Pending] = []
    for sender, waiting in mapping(field(pool, "pending", "mempool"), "pending").items():
        if sender.lower() == account.lower():
            found += [_pending(mapping(entry, "pending")) for entry in mapping(waiting, sender).values()]
    return sorted(found, key=lambda entry: entry.nonce)


async def next_base_fee_wei(writer: BlockWriter) -> int:
    """Return the base fee of the block that comes next."""
    history = mapping(await writer.ask("eth_feeHistory", "0x1", "latest", []), "fee history")
    fees = sequence(field(history, "baseFeePerGas", "fee history"), "base fees")
    return quantity(fees[-1], "base fee")


async def usual_fees(writer: BlockWriter) -> Fees:
    """Return an offer that the next blocks take: a tip of a gwei, and room for a base fee that doubles."""
    return Fees(max_fee_wei=2 * await next_base_fee_wei(writer) + _GWEI, tip_wei=_GWEI)


async def next_nonce(writer: BlockWriter, account: str) -> int:
    """Return the nonce of the account's next transaction, after all that wait."""
    return quantity(await writer.ask("eth_getTransactionCount", account, "pending"), "nonce")


async def post(
    writer: BlockWriter,
    *,
    sender: str,
    to: str,
    call: str = "0x",
    nonce: int,
    gas: int,
    fees: Fees,
    wei: int = 0,
) -> str:
    """Put a transaction of an unlocked account into the mempool and return its hash."""
    transaction: dict[str, Json] = {"from": sender, "to": to, "data": call, "value": hex(wei)}
    transaction |= {"nonce": hex(nonce), "gas": hex(gas)}
    transaction |= {"maxFeePerGas": hex(fees.max_fee_wei), "maxPriorityFeePerGas": hex(fees.tip_wei)}
    return hash32(await writer.ask("eth_sendTransaction", transaction), "hash")


def _pending(entry: dict[str, Json]) -> Pending:
    """Read one transaction; one of the old kind offers one price for both."""
    price = entry.get("gasPrice")
    most = quantity(entry.get("maxFeePerGas", price), "fee")
    to = entry.get("to")
    return Pending(
        tx_hash=hash32(field(entry, "hash", "pending"), "hash"),
        nonce=quantity(field(entry, "nonce", "pending"), "nonce"),
        to="" if to is None else str(to).lower(),
        data=data(field(entry, "input", "pending"), "calldata"),
        fees=Fees(
            max_fee_wei=most,
            tip_wei=quantity(entry.get("maxPriorityFeePerGas", price), "tip"),
        ),
    )
