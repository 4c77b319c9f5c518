"""
Every venue of this house on one real node, for the tests: the rehearsal's world and a wallet on it.

The world is built once a session; each test works on a snapshot of it, and leaves nothing behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.unit.trading.desk import frame
from treasury_actors.chain.model import values
from treasury_actors.chain.model.rpc import Json, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.ids import AssetId, ConversionId, VenueId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Action, Conversion
from treasury_actors.simulation.rehearsal.contracts import call_data
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.aave_v3 import AaveV3
from treasury_actors.trading.adapters.evm.erc4626 import Erc4626, VaultAddresses
from treasury_actors.trading.adapters.evm.protocol import Call, DefiProtocol, Log, Settled
from treasury_actors.trading.adapters.evm.reads import RpcReads, logs_of
from treasury_actors.trading.adapters.evm.uniswap_routers import SwapRouter
from treasury_actors.trading.adapters.evm.uniswap_v3 import SwapRoute, UniswapV3
from treasury_actors.trading.adapters.evm.weth import Weth

GENESIS_S = 1_700_000_000
DEPTH_USD, CAPACITY_USD, SUPPLY_RATE = 3_000_000.0, 1_000_000.0, 0.03
DOLLARS, ETHER = 10**6, 10**18
USDC, WETH, LINK, ETH = AssetId("USDC"), AssetId("WETH"), AssetId("LINK"), AssetId("ETH")
AUSDC, FUSDC = AssetId("aUSDC"), AssetId("fUSDC")
BY_ID = MAINNET.conversion_by_id
BUY, SELL = BY_ID[ConversionId("USDC>WETH@uniswap-v3")], BY_ID[ConversionId("WETH>USDC@uniswap-v3")]
SUPPLY, WITHDRAW = BY_ID[ConversionId("USDC>aUSDC@aave-v3")], BY_ID[ConversionId("aUSDC>USDC@aave-v3")]
DEPOSIT, REDEEM = BY_ID[ConversionId("USDC>fUSDC@fluid")], BY_ID[ConversionId("fUSDC>USDC@fluid")]
ASKS_MAX = 1_000
ONLY_HASHES = False
OWNER_ACCOUNT, STRANGER_ACCOUNT = 5, 6


def conversion(path: str, action: Action = "swap") -> Conversion:
    """Return a conversion the shipped universe has not."""
    source, target = path.split(">")
    return replace(
        BUY,
        id=ConversionId(f"{path}@test"),
        venue=VenueId("test"),
        action=action,
        source=AssetId(source),
        target=AssetId(target),
    )


TWO_HOPS = conversion("WETH>LINK")
NO_POOL = conversion("LINK>WETH")
WRAP, UNWRAP = conversion("ETH>WETH"), conversion("WETH>ETH")


def first_frame() -> MarketFrame:
    """Return the frame the world stands at: an hour after genesis, at usual prices, lenders earning 3 %."""
    rates = tuple(SUPPLY_RATE if asset.id == AUSDC else 0.0 for asset in MAINNET.assets)
    usual = frame(1, depth_usd=DEPTH_USD, capacity_usd=CAPACITY_USD)
    return replace(usual, rates=rates, time_ns=(GENESIS_S + 3_600) * 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A mined transaction: whether it succeeded, the gas it used, its block's number and hash, its logs."""

    succeeded: bool
    gas_used: int
    block: int
    block_hash: str
    logs: tuple[Log, ...]


class Place:
    """The venues of a world, a wallet `owner`, and a stranger."""

    def __init__(self, rpc: Rpc, world: World, accounts: Sequence[str]) -> None:
        self.rpc, self.world = rpc, world
        self.owner, self.stranger = accounts[OWNER_ACCOUNT].lower(), accounts[STRANGER_ACCOUNT].lower()
        self.reads = RpcReads(rpc)
        tokens = world.tokens
        self.uniswap = UniswapV3(
            reads=self.reads,
            router=world.uniswap.router,
            form=SwapRouter(),
            quoter=world.uniswap.quoter,
            tokens={asset: tokens[asset] for asset in (USDC, WETH, LINK)},
            routes={
                BUY.id: SwapRoute(assets=(USDC, WETH), fees_ppm=(500,)),
                SELL.id: SwapRoute(assets=(WETH, USDC), fees_ppm=(500,)),
                TWO_HOPS.id: SwapRoute(assets=(WETH, USDC, LINK), fees_ppm=(500, 3000)),
                NO_POOL.id: SwapRoute(assets=(LINK, WETH), fees_ppm=(10_000,)),
            },
        )
        self.aave = AaveV3(
            reads=self.reads,
            pool=world.aave.pool,
            underlyings={USDC: tokens[USDC]},
            shares={AUSDC: tokens[AUSDC]},
            share_of={USDC: AUSDC},
        )
        self.vault = Erc4626(
            reads=self.reads,
            addresses=VaultAddresses(
                share=FUSDC, vault=world.vaults[FUSDC].address, asset=USDC, token=tokens[USDC]
            ),
        )
        self.weth = Weth(reads=self.reads, contract=tokens[WETH], native=ETH, wrapped=WETH)

    async def ask(self, method: str, *params: Json) -> Json:
        """Return the result of one JSON-RPC call."""
        return result_of(await self.rpc.call(method, params), method)

    async def chain_time_s(self) -> int:
        """Return the newest block's time."""
        block = values.mapping(await self.ask("eth_getBlockByNumber", "latest", ONLY_HASHES), "block")
        return values.quantity(block["timestamp"], "time")

    async def post(self, call: Call, sender: str = "") -> str:
        """Send a call without waiting for its block; return its hash."""
        request: dict[str, Json] = {"from": sender or self.owner, "to": call.to}
        request |= {"data": values.to_data(call.data), "value": hex(call.value_wei)}
        request["gas"] = hex(call.gas_limit)
        return str(await self.ask("eth_sendTransaction", request))

    async def mined(self, tx_hash: str) -> Mined:
        """Return what became of a transaction; the node may need some asks to mine it."""
        answer: Json = None
        for _ in range(ASKS_MAX):
            answer = await self.ask("eth_getTransactionReceipt", tx_hash)
            if answer is not None:
                break
        receipt = values.mapping(answer, "receipt")
        return Mined(
            succeeded=receipt["status"] == "0x1",
            gas_used=values.quantity(receipt["gasUsed"], "gas used"),
            block=values.quantity(receipt["blockNumber"], "block"),
            block_hash=str(receipt["blockHash"]),
            logs=logs_of(receipt),
        )

    async def make(self, call: Call, sender: str = "") -> Mined:
        """Send a call and mine it."""
        return await self.mined(await self.post(call, sender))

    async def allow(self, call: Call, sender: str = "") -> None:
        """Set the exact allowance a call needs."""
        assert call.approval is not None
        assert (await self.make(erc20.approve(call.approval), sender)).succeeded

    async def command(self, to: str, signature: str, *arguments: object, sender: str = "") -> Mined:
        """Call any function as the deployer, who administers everything, or as any account at all."""
        as_whom = sender or self.world.roles.deployer
        await self.ask("anvil_setBalance", as_whom, hex(100 * ETHER))
        await self.ask("anvil_impersonateAccount", as_whom)
        data = bytes.fromhex(call_data(signature, *arguments)[2:])
        call = Call(to=to, data=data, value_wei=0, gas_limit=5_000_000, approval=None, units_out_min=0)
        done = await self.make(call, as_whom)
        assert done.succeeded, f"{signature} as {as_whom}"
        return done

    async def built(
        self, protocol: DefiProtocol, step: Conversion, units: int, units_out_min: int = 1
    ) -> Call:
        """Return the call of a conversion, with an hour to its deadline."""
        deadline_s = await self.chain_time_s() + 3_600
        call = await protocol.build(step, units, units_out_min, deadline_s=deadline_s, owner=self.owner)
        assert isinstance(call, Call), call
        return call

    async def converted(self, protocol: DefiProtocol, step: Conversion, units: int) -> Settled:
        """Approve, simulate, send and settle a conversion that must succeed, as the engine will."""
        call = await self.built(protocol, step, units)
        if call.approval is not None:
            await self.allow(call)
        assert await protocol.simulate(call, self.owner) is None
        done = await self.make(call)
        assert done.succeeded
        return await self.settled(protocol, step, done)

    async def settled(self, protocol: DefiProtocol, step: Conversion, done: Mined) -> Settled:
        """Settle a mined conversion by its logs and the holdings around its block."""
        before = await protocol.holdings(self.owner, hex(done.block - 1))
        after = await protocol.holdings(self.owner, done.block_hash)
        return protocol.settle(step, self.owner, done.logs, before=before, after=after)

    async def held(self, asset: AssetId) -> int:
        """Return the owner's plain balance of a token; of an aToken the grown one."""
        token = self.world.tokens[asset].lower()
        return await erc20.read_units(self.reads, token, erc20.BALANCE_OF, self.owner, block="latest")
