"""What one address holds and has allowed, read at one block in one batch, pinned tokens alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.chain.model import values
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame_reading import Block
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.aave_v3 import SCALED_BALANCE_OF
from treasury_actors.trading.adapters.evm.erc20 import ALLOWANCE, BALANCE_OF

AAVE = "aave-v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletReading:
    """
    What an address is and has at one block.

    Attributes:
        holdings: units of every pinned token and of the native asset, zeros too; aTokens in scaled units.
        balances: the same as the tokens themselves say it; of an aToken with its interest.
        code: of the address; a plain wallet has none.
        nonce: at the block; `pending_nonce` counts what waits in the node's pool as well.
    """

    address: str
    block: Block
    holdings: Mapping[AssetId, int]
    balances: Mapping[AssetId, int]
    code: bytes
    nonce: int
    pending_nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a pinned contract may take of a token, by its own decision, whenever it likes."""

    asset: AssetId
    spender: str
    units: int


def lent_shares(registry: Registry, universe: Universe) -> tuple[AssetId, ...]:
    """Return the pinned aTokens: they are held in scaled units."""
    lent = [step.target for step in universe.conversions if step.venue == AAVE and step.action == "supply"]
    return tuple(token.asset for token in registry.tokens if token.asset in lent)


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
        hash=values.hash32(values.field(head, "hash", "block"), "block hash"),
        time_s=values.quantity(values.field(head, "timestamp", "block"), "block time"),
    )


async def read_wallet(
    rpc: Rpc, registry: Registry, universe: Universe, address: str, block: Block
) -> WalletReading:
    """Return what an address has at a block; raise RpcFault where the node can't say."""
    check_decimals(registry, universe)
    at, lent = pinned(block), lent_shares(registry, universe)
    tokens = [(token, BALANCE_OF) for token in registry.tokens]
    scaled = [(registry.token(asset), SCALED_BALANCE_OF) for asset in lent]
    native, code, nonce, pending, *answers = await rpc.batch(
        [
            RpcCall(method="eth_getBalance", params=(address, at)),
            RpcCall(method="eth_getCode", params=(address, at)),
            RpcCall(method="eth_getTransactionCount", params=(address, at)),
            RpcCall(method="eth_getTransactionCount", params=(address, "pending")),
            *(view(token.address, function.encode(address), at) for token, function in tokens + scaled),
        ]
    )
    units = [
        units_of(answer, f"balance of {token.asset}")
        for (token, _), answer in zip(tokens + scaled, answers, strict=True)
    ]
    balances = {token.asset: count for (token, _), count in zip(tokens, units, strict=False)}
    balances[universe.gas] = values.quantity(result_of(native, "native balance"), "native balance")
    return WalletReading(
        address=address,
        block=block,
        holdings=balances | dict(zip(lent, units[len(tokens) :], strict=True)),
        balances=balances,
        code=values.data(result_of(code, "code"), "code"),
        nonce=values.quantity(result_of(nonce, "nonce"), "nonce", bits=64),
        pending_nonce=values.quantity(result_of(pending, "pending nonce"), "pending nonce", bits=64),
    )


async def read_allowances(rpc: Rpc, registry: Registry, address: str, block: Block) -> list[Allowance]:
    """Return every allowance above zero that an address has given anything pinned."""
    at = pinned(block)
    pairs = [(token, item) for token in registry.tokens for item in registry.items if item != token]
    answers = await rpc.batch(
        [view(token.address, ALLOWANCE.encode(address, item.address), at) for token, item in pairs]
    )
    return [
        Allowance(asset=token.asset, spender=item.name, units=units)
        for (token, item), answer in zip(pairs, answers, strict=True)
        if (units := units_of(answer, f"allowance of {token.asset} to {item.name}"))
    ]


def pinned(block: Block) -> Json:
    """Return a block as EIP-1898 names it: by its hash, and only while it is on the chain."""
    return {"blockHash": block.hash, "requireCanonical": True}


def view(to: str, data: bytes, block: Json) -> RpcCall:
    """Return the question that reads a contract at a block."""
    request: dict[str, Json] = {"to": to.lower(), "data": values.to_data(data)}
    return RpcCall(method="eth_call", params=(request, block))


def units_of(answer: Answer, what: str) -> int:
    """Return the one word an answer holds; raise RpcFault for anything else."""
    return int.from_bytes(values.data(result_of(answer, what), what, length=abi.WORD))
