"""What one address holds and has allowed, read at one block in one batch, pinned tokens alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.chain.model import values
from treasury_actors.chain.model.registry import PinnedToken, Registry
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.aave_v3 import SCALED_BALANCE_OF
from treasury_actors.trading.adapters.evm.erc20 import ALLOWANCE, BALANCE_OF

AAVE = "aave-v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block that was read at."""

    number: int
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletReading:
    """
    What an address is and has at one block.

    Attributes:
        holdings: units of every pinned token and of the native asset, zeros too; aTokens in scaled units.
        code: of the address; a plain wallet has none.
        nonce: at the block; `pending_nonce` counts what waits in the node's pool as well.
    """

    address: str
    block: Block
    holdings: Mapping[AssetId, int]
    code: bytes
    nonce: int
    pending_nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a pinned contract may take of a token, by its own decision, whenever it likes."""

    asset: AssetId
    spender: str
    units: int


def lent_shares(registry: Registry, universe: Universe) -> dict[AssetId, AssetId]:
    """Return which pinned aToken stands for which underlying: those are held in scaled units."""
    pinned = [token.asset for token in registry.tokens]
    return {
        step.target: step.source
        for step in universe.conversions
        if step.venue == AAVE and step.action == "supply" and step.target in pinned
    }


def check_decimals(registry: Registry, universe: Universe) -> None:
    """Raise ConfigError where a pinned token and the universe's asset of that name count differently."""
    for token in registry.tokens:
        asset = universe.by_id.get(token.asset)
        if asset is not None and asset.decimals != token.decimals:
            raise ConfigError(
                f"registry of {registry.chain_name}: {token.asset}: {token.decimals} decimals; allowed: "
                f"{asset.decimals}, as in the universe {universe.name}"
            )


async def read_block(rpc: Rpc) -> Block:
    """Return the newest block."""
    answer = await rpc.call("eth_getBlockByNumber", ("latest", False))
    head = values.mapping(result_of(answer, "the head"), "the head")
    return Block(
        number=values.quantity(values.field(head, "number", "block"), "block number"),
        time_s=values.quantity(values.field(head, "timestamp", "block"), "block time"),
    )


async def read_wallet(rpc: Rpc, registry: Registry, universe: Universe, address: str) -> WalletReading:
    """Return what an address has at the newest block; raise RpcFault where the node can't say."""
    check_decimals(registry, universe)
    block = await read_block(rpc)
    at, lent = values.to_quantity(block.number), lent_shares(registry, universe)
    native, code, nonce, pending, *balances = await rpc.batch(
        [
            RpcCall(method="eth_getBalance", params=(address, at)),
            RpcCall(method="eth_getCode", params=(address, at)),
            RpcCall(method="eth_getTransactionCount", params=(address, at)),
            RpcCall(method="eth_getTransactionCount", params=(address, "pending")),
            *(_balance_call(token, address, at, scaled=token.asset in lent) for token in registry.tokens),
        ]
    )
    holdings = {
        token.asset: units_of(answer, f"balance of {token.asset}")
        for token, answer in zip(registry.tokens, balances, strict=True)
    }
    holdings[universe.gas] = values.quantity(result_of(native, "native balance"), "native balance")
    return WalletReading(
        address=address,
        block=block,
        holdings=holdings,
        code=values.data(result_of(code, "code"), "code"),
        nonce=values.quantity(result_of(nonce, "nonce"), "nonce", bits=64),
        pending_nonce=values.quantity(result_of(pending, "pending nonce"), "pending nonce", bits=64),
    )


async def read_allowances(rpc: Rpc, registry: Registry, address: str, block: Block) -> list[Allowance]:
    """Return every allowance above zero that an address has given anything pinned."""
    at = values.to_quantity(block.number)
    pairs = [(token, item) for token in registry.tokens for item in registry.items if item != token]
    answers = await rpc.batch(
        [view(token.address, ALLOWANCE.encode(address, item.address), at) for token, item in pairs]
    )
    return [
        Allowance(asset=token.asset, spender=item.name, units=units)
        for (token, item), answer in zip(pairs, answers, strict=True)
        if (units := units_of(answer, f"allowance of {token.asset} to {item.name}"))
    ]


def view(to: str, data: bytes, block: str) -> RpcCall:
    """Return the question that reads a contract at a block."""
    request: dict[str, Json] = {"to": to.lower(), "data": values.to_data(data)}
    return RpcCall(method="eth_call", params=(request, block))


def units_of(answer: Answer, what: str) -> int:
    """Return the one word an answer holds; raise RpcFault for anything else."""
    return int.from_bytes(values.data(result_of(answer, what), what, length=abi.WORD))


def _balance_call(token: PinnedToken, owner: str, block: str, *, scaled: bool) -> RpcCall:
    function = SCALED_BALANCE_OF if scaled else BALANCE_OF
    return view(token.address, function.encode(owner), block)
