"""What a mempool does to a swap: a loose minimum is eaten, one from an independent price bounds the loss."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.evm.venues.place import (
    AUSDC,
    DOLLARS,
    ETH,
    ETHER,
    FUSDC,
    GENESIS_S,
    LINK,
    USDC,
    WETH,
    first_frame,
)
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.values import field, mapping, quantity, sequence, to_data
from treasury_actors.ids import AssetId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.contracts import call_data, published
from treasury_actors.simulation.rehearsal.deploy_session import View
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.mempool import Fees, next_base_fee_wei, next_nonce, post
from treasury_actors.simulation.rehearsal.sandwich import ATTACKER_ACCOUNT, Attack, Sandwich
from treasury_actors.simulation.rehearsal.stranger import STRANGER_ACCOUNT, Stranger
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm.uniswap_routers import Swap, SwapRouter
from treasury_actors.trading.model.chain_limits import min_out_units

VICTIM_ACCOUNT, OTHER_ACCOUNT = 5, 6
OFF, ON = False, True
GWEI = 10**9
FRAME = first_frame()
FEE_PPM = {WETH: 500, LINK: 3_000}
BOUND_BPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A world whose blocks are mined when told, a victim with a purse, and who preys on it."""

    world: World
    accounts: tuple[str, ...]
    sandwich: Sandwich

    @property
    def victim(self) -> str:
        """Return the account whose swaps are hunted."""
        return self.accounts[VICTIM_ACCOUNT]

    async def swap(self, source: AssetId, target: AssetId, units: int, units_out_min: int) -> str:
        """Put a swap of the victim's into the mempool, at usual fees."""
        pooled = source if source != USDC else target
        swap = Swap(
            tokens=(self.world.tokens[source].lower(), self.world.tokens[target].lower()),
            fees_ppm=(FEE_PPM[pooled],),
            recipient=self.victim,
            deadline_s=2**32 - 1,
            units_in=units,
            units_out_min=units_out_min,
        )
        writer = self.world.writer
        return await post(
            writer,
            sender=self.victim,
            to=self.world.uniswap.router,
            call=to_data(SwapRouter().encode(swap)),
            nonce=await next_nonce(writer, self.victim),
            gas=250_000,
            fees=Fees(max_fee_wei=2 * await next_base_fee_wei(writer) + GWEI, tip_wei=GWEI),
        )

    async def mined(self) -> list[str]:
        """Mine a block and return the hashes in it, in their order."""
        await self.world.writer.ask("evm_mine")
        block = mapping(await self.world.writer.ask("eth_getBlockByNumber", "latest", OFF), "block")
        return [str(entry) for entry in sequence(field(block, "transactions", "block"), "transactions")]

    async def held(self, asset: AssetId, account: str) -> int:
        """Return what an account holds of a token."""
        return await self.world.writer.number(self.world.tokens[asset], "balanceOf(address)", account)

    def independent_min(self, source: AssetId, target: AssetId, units: int) -> int:
        """Return the minimum that the frame's prices ask, which no pool can move."""
        column = MAINNET.column
        return min_out_units(
            source=MAINNET.by_id[source],
            units=units,
            source_ticks=FRAME.ticks[column[source]],
            target=MAINNET.by_id[target],
            target_ticks=FRAME.ticks[column[target]],
            fee_ppm=FEE_PPM[source if source != USDC else target],
            impact_bps=BOUND_BPS,
        )


@pytest.fixture(scope="module")
def standing(anvil_path: Path) -> Iterator[tuple[AnvilNode, World]]:
    node = AnvilNode(AnvilOptions(timestamp=GENESIS_S), binary=anvil_path)

    async def build() -> World:
        await node.start()
        async with HttpRpc(Endpoint(url=node.url)) as rpc:
            return await build_world(rpc, artifacts=published(), universe=MAINNET, frame=FRAME)

    try:
        yield node, asyncio.run(build())
    finally:
        asyncio.run(node.stop())


@pytest.fixture
async def market(standing: tuple[AnvilNode, World]) -> AsyncIterator[Market]:
    node, built = standing
    async with HttpRpc(Endpoint(url=node.url)) as rpc:
        world = built.on(rpc)
        before = await world.writer.ask("evm_snapshot")
        await world.set_gas(FRAME)  # what a revert does not bring back
        accounts = tuple(str(entry) for entry in sequence(await world.writer.ask("eth_accounts"), "accounts"))
        sandwich = Sandwich(world, account=accounts[ATTACKER_ACCOUNT])
        await sandwich.prepare()
        here = Market(world=world, accounts=accounts, sandwich=sandwich)
        await world.fund_gas(here.victim, 100 * ETHER)
        for asset, units in ((USDC, 1_000_000 * DOLLARS), (WETH, 1_000 * ETHER), (LINK, 100_000 * ETHER)):
            await world.fund(here.victim, asset, units)
            async with world.writer.blocks():
                approve = "approve(address,uint256)"
                await world.writer.send(
                    world.tokens[asset], approve, world.uniswap.router, units, sender=here.victim
                )
        await world.writer.ask("evm_setAutomine", OFF)
        yield here
        await world.writer.ask("anvil_dropAllTransactions")
        await world.writer.ask("evm_setAutomine", ON)
        assert await world.writer.ask("evm_revert", before) is True


@pytest.mark.parametrize(
    ("source", "target", "units"),
    [
        (USDC, WETH, 100_000 * DOLLARS),
        (WETH, USDC, 30 * ETHER),
        (USDC, LINK, 100_000 * DOLLARS),
        (LINK, USDC, 7_000 * ETHER),
    ],
)
async def test_a_swap_that_takes_whatever_it_gets_loses_to_the_attacker(
    market: Market, source: AssetId, target: AssetId, units: int
) -> None:
    """$100,000 in a pool of $3M a side: the sandwich takes all that a hundredfold price can."""
    before = await market.held(source, market.accounts[ATTACKER_ACCOUNT])
    victim_hash = await market.swap(source, target, units, 1)

    attack = await market.sandwich.attack(market.victim)
    assert attack is not None
    order = await market.mined()

    assert order == [attack.front_hash, victim_hash, attack.back_hash]
    found = await market.sandwich.outcome(attack, market.victim)
    assert (found.front_passed, found.victim_passed, found.back_passed) == (True, True, True)
    assert found.victim_units == pytest.approx(attack.squeeze.left_units, rel=1e-9)
    assert found.gained_units == pytest.approx(attack.squeeze.gained_units, rel=1e-6)
    assert abs(found.kept_units) * 10**6 <= attack.squeeze.bought_units, "what rounding left over"
    assert attack.squeeze.lost_units * 10_000 > 1_000 * attack.squeeze.unharmed_units
    assert attack.profit_units > 0
    assert await market.held(source, market.accounts[ATTACKER_ACCOUNT]) - before == found.gained_units


async def test_a_minimum_from_an_independent_price_bounds_the_loss(market: Market) -> None:
    units = 10_000 * DOLLARS
    minimum = market.independent_min(USDC, WETH, units)
    await market.swap(USDC, WETH, units, minimum)

    attack = await market.sandwich.attack(market.victim)
    assert attack is not None, "a hundred bps of a price are worth an attacker's gas"
    await market.mined()

    found = await market.sandwich.outcome(attack, market.victim)
    assert found.victim_passed
    assert found.victim_units >= minimum
    lost_bps = attack.squeeze.lost_units * 10_000 / attack.squeeze.unharmed_units
    assert 0 < lost_bps <= BOUND_BPS


async def test_one_who_attacks_at_any_cost_takes_no_more_than_the_minimum_leaves(market: Market) -> None:
    """A swap of $1,000 pays no sandwich; somebody who loses money by it still can't take more."""
    spiteful = Sandwich(market.world, account=market.accounts[ATTACKER_ACCOUNT], at_a_loss=True)
    units = 1_000 * DOLLARS
    minimum = market.independent_min(USDC, WETH, units)
    await market.swap(USDC, WETH, units, minimum)
    assert await market.sandwich.attack(market.victim) is None

    attack = await spiteful.attack(market.victim)
    assert attack is not None
    await market.mined()

    found = await spiteful.outcome(attack, market.victim)
    assert found.victim_passed
    assert minimum <= found.victim_units <= minimum * 1.000_002
    assert found.gained_units < 0


async def test_a_minimum_that_leaves_nothing_is_left_alone(market: Market) -> None:
    units = 100_000 * DOLLARS
    quoted = await market.world.writer.number(
        market.world.uniswap.quoter,
        "quoteExactInputSingle((address,address,uint256,uint24,uint160))",
        (market.world.tokens[USDC], market.world.tokens[WETH], units, FEE_PPM[WETH], 0),
    )
    victim_hash = await market.swap(USDC, WETH, units, quoted)

    assert await market.sandwich.attack(market.victim) is None
    assert await market.mined() == [victim_hash]
    assert await market.held(WETH, market.victim) == 1_000 * ETHER + quoted


async def test_gas_that_costs_more_than_the_gain_stops_the_attack(market: Market) -> None:
    await market.world.writer.ask("anvil_setNextBlockBaseFeePerGas", hex(5_000 * GWEI))
    await market.swap(USDC, WETH, 20_000 * DOLLARS, market.independent_min(USDC, WETH, 20_000 * DOLLARS))

    assert await market.sandwich.attack(market.victim) is None


async def test_swaps_of_others_and_calls_that_are_no_swaps_are_left_alone(market: Market) -> None:
    writer, other = market.world.writer, market.accounts[OTHER_ACCOUNT]
    await market.swap(USDC, WETH, 100_000 * DOLLARS, 1)
    fees = Fees(max_fee_wei=10 * GWEI, tip_wei=GWEI)
    await post(writer, sender=other, to=market.world.uniswap.router, nonce=0, gas=50_000, fees=fees)
    await post(writer, sender=other, to=market.victim, nonce=1, gas=50_000, fees=fees)

    assert await market.sandwich.attack(other) is None
    assert await market.sandwich.attack(market.accounts[OTHER_ACCOUNT + 1]) is None


async def test_an_attacker_who_comes_second_to_another_swap_takes_nothing(market: Market) -> None:
    await market.swap(USDC, WETH, 100_000 * DOLLARS, 1)
    attack = await market.sandwich.attack(market.victim)
    assert isinstance(attack, Attack)
    writer, rival = market.world.writer, market.accounts[OTHER_ACCOUNT]
    token, router = market.world.tokens[USDC], market.world.uniswap.router
    units, fees = 10_000 * DOLLARS, Fees(max_fee_wei=1_000 * GWEI, tip_wei=100 * GWEI)
    swap = Swap(
        tokens=(token.lower(), market.world.tokens[WETH].lower()),
        fees_ppm=(FEE_PPM[WETH],),
        recipient=rival,
        deadline_s=2**32 - 1,
        units_in=units,
        units_out_min=1,
    )
    calls = (
        (token, call_data("mint(address,uint256)", rival, units)),
        (token, call_data("approve(address,uint256)", router, units)),
        (router, to_data(SwapRouter().encode(swap))),
    )
    for nonce, (to, call) in enumerate(calls):
        await post(writer, sender=rival, to=to, call=call, nonce=nonce, gas=300_000, fees=fees)
    await market.mined()

    found = await market.sandwich.outcome(attack, market.victim)

    assert (found.front_passed, found.victim_passed, found.back_passed) == (False, True, False)
    assert (found.gained_units, found.kept_units) == (0, 0)


async def test_a_stranger_gives_a_unit_of_everything_in_one_block(market: Market) -> None:
    stranger = Stranger(market.world, account=market.accounts[STRANGER_ACCOUNT])
    await stranger.prepare()
    to = market.accounts[OTHER_ACCOUNT + 1]
    views = [
        View(to=market.world.tokens[asset], signature="balanceOf(address)", values=(to,))
        for asset in stranger.kinds
        if asset != ETH
    ]
    ether = quantity(await market.world.writer.ask("eth_getBalance", to, "latest"), "balance")
    before = [*await market.world.writer.numbers(views), ether]

    gifts = await stranger.send_dust(to)
    assert await market.mined() == [gift.tx_hash for gift in gifts]

    ether = quantity(await market.world.writer.ask("eth_getBalance", to, "latest"), "balance")
    after = [*await market.world.writer.numbers(views), ether]
    assert [later - sooner for later, sooner in zip(after, before, strict=True)] == [1] * len(gifts)
    assert {USDC, AUSDC, FUSDC, ETH} <= {gift.asset for gift in gifts}
    assert {gift.units for gift in gifts} == {1}
