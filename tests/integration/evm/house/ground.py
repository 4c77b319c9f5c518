"""What stands under a house in tests: a world in a file, a node that loads it, the first books."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.unit.trading.desk import ANN, BOB, LIMITS, mandate
from tests.unit.trading.desk import frame as usual_frame
from treasury_actors.arena.model.events import AgentBorn
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.model.values import mapping, quantity
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId, AssetId, EntryId, FamilyId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.model import DEPOSITS, GAS, Entry, available, transfer
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import ChainRules
from treasury_actors.simulation.rehearsal.contracts import Artifacts, published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.local_key import HOUSE_KEY
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.model.fees import FeePolicy
from treasury_actors.trading.model.slot_acts import WalletPolicy

GENESIS_S = 1_700_000_000
DOLLARS, ETHER = 10**6, 10**18
USDC, WETH, ETH, AUSDC, FUSDC = (AssetId(name) for name in ("USDC", "WETH", "ETH", "aUSDC", "fUSDC"))
CAPITAL = 10_000 * DOLLARS
"""What each of two agents has, in units of USDC."""

GAS_WEI = ETHER
DEPTH_USD, CAPACITY_USD, SUPPLY_RATE = 3_000_000.0, 1_000_000.0, 0.03
GAS_RATIO = 0.01
BASE_FEE_WEI = 10**8
EPOCH_BLOCKS = 8
"""A block is final two epochs later: after 16 blocks, so that a reorganisation of 12 undoes nothing final."""

CONFIRM_DEPTH = 3
POLICY = WalletPolicy(
    fees=FeePolicy(
        transaction_wei_max=ETHER // 100,
        emergency_wei_max=ETHER // 100,
        day_wei_max=ETHER,
        tip_wei_max=10**7,
    ),
    confirm_depth=CONFIRM_DEPTH,
    resend_blocks=3,
)
RULES = ChainRules(policy=POLICY, mandate_micro_usd_min=0)
LENDING = AssetId("aUSDC")
BUY, SELL = "USDC>WETH@uniswap-v3", "WETH>USDC@uniswap-v3"
SUPPLY, WITHDRAW = "USDC>aUSDC@aave-v3", "aUSDC>USDC@aave-v3"
DEPOSIT, REDEEM = "USDC>fUSDC@fluid", "fUSDC>USDC@fluid"
PLACES = ("uniswap-v3:router", "aave-v3:pool")


class BareSeason:
    """A universe without a season: the house of these tests is told its frames one by one."""

    universe = MAINNET
    label = "SYNTHETIC"
    source = "a test"
    notes: tuple[str, ...] = ()
    data_hash = ""
    frame_count = warmup_count = 0

    def frame(self, index: int) -> MarketFrame:
        """Return a frame at the usual prices."""
        return frame_of(index)

    def frames(self) -> Iterator[MarketFrame]:
        """Yield nothing: nobody warms up."""
        return iter(())


SEASON: Season = BareSeason()  # type: ignore[assignment]  # a label of its own


def frame_of(index: int, usd: Mapping[str, float] | None = None) -> MarketFrame:
    """Return a frame at the world's prices, lenders earning 3 %."""
    rates = tuple(SUPPLY_RATE if asset.id == AUSDC else 0.0 for asset in MAINNET.assets)
    usual = usual_frame(index, usd, depth_usd=DEPTH_USD, capacity_usd=CAPACITY_USD)
    return replace(usual, rates=rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A world in a file: everything deployed, and the house's wallet funded with what its books will say."""

    state: Path
    time_s: int
    registry: Registry
    world: World
    artifacts: Artifacts
    anvil: Path

    def options(self, *, automine: bool = False) -> AnvilOptions:
        """Return the options of a node that loads it."""
        return AnvilOptions(
            timestamp=self.time_s + 1,
            no_mining=not automine,
            load_state=self.state,
            slots_in_an_epoch=EPOCH_BLOCKS,
        )


def house_address() -> str:
    """Return the address of the house's wallet."""
    return LocalSigner(HOUSE_KEY, chain_id=31_337).address


async def make_ground(folder: Path, anvil: Path) -> Ground:
    """Build the world on a node, fund the wallet, and dump both."""
    artifacts = published()
    first = replace(frame_of(1), time_ns=(GENESIS_S + 3_600) * 10**9)
    state = folder / "world.json"
    options = AnvilOptions(timestamp=GENESIS_S, no_mining=True, dump_state=state)
    async with AnvilNode(options, binary=anvil) as node, HttpRpc(Endpoint(url=node.url)) as rpc:
        world = await build_world(
            rpc, artifacts=artifacts, universe=MAINNET, frame=first, gas_ratio=GAS_RATIO
        )
        await world.fund(house_address(), USDC, 2 * CAPITAL)
        await world.fund_gas(house_address(), GAS_WEI)
        registry = await world.registry()
        head = mapping(await world.writer.ask("eth_getBlockByNumber", "latest", False), "head")  # noqa: FBT003
        time_s = quantity(head["timestamp"], "time")
    return Ground(
        state=state, time_s=time_s, registry=registry, world=world, artifacts=artifacts, anvil=anvil
    )


def prologue(journal: Journal, agents: Sequence[AgentId] = (ANN, BOB)) -> None:
    """Write what every journal of these tests begins with: agents, mandates, equal shares of the money."""
    for number, agent in enumerate(agents, start=1):
        genome = Genome(family=FamilyId("idle_cash"), genes=())
        born = AgentBorn(
            agent=agent,
            number=number,
            family=genome.family,
            genes=genome.genes,
            genome=genome.id,
            turn=0,
            generation=0,
            parents=(),
            operator="initial",
        )
        for event in (born, mandate(agent, limits=replace(LIMITS, trade_micro_usd_min=DOLLARS))):
            journal.append(event, stream="arena", time_ns=0)
    capital = [(available(agent), USDC, 2 * CAPITAL // len(agents)) for agent in agents]
    for account, asset, units in (*capital, (GAS, ETH, GAS_WEI)):
        name = EntryId(f"deposit/{account}")
        entry = Entry(entry_id=name, kind="deposit", postings=transfer(DEPOSITS, account, asset, units))
        journal.append(entry, stream="ledger", time_ns=0)


@asynccontextmanager
async def own_node(ground: Ground, *, automine: bool = False) -> AsyncIterator[AnvilNode]:
    """Start a node on the world, so far on that its own blocks are final: of others it has no old states."""
    async with AnvilNode(ground.options(automine=automine), binary=ground.anvil) as node:
        async with HttpRpc(Endpoint(url=node.url)) as rpc:
            await rpc.call("anvil_setBlockTimestampInterval", (1,))
            await rpc.call("anvil_mine", (hex(3 * EPOCH_BLOCKS),))
            await rpc.call("anvil_setNextBlockBaseFeePerGas", (hex(BASE_FEE_WEI),))
        yield node
