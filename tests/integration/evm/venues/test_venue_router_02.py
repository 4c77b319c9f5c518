"""Base's router, SwapRouter02: the same swaps, the same amounts, the same refusals as the original's."""

import json
from pathlib import Path

import pytest

from tests.integration.evm.venues.place import BUY, DOLLARS, ETHER, LINK, SELL, TWO_HOPS, USDC, WETH, Place
from treasury_actors.chain.model.values import mapping
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import abi, erc20
from treasury_actors.trading.adapters.evm.errors import VenueReason
from treasury_actors.trading.adapters.evm.protocol import Call, Settled
from treasury_actors.trading.adapters.evm.uniswap_routers import SwapRouter02
from treasury_actors.trading.adapters.evm.uniswap_v3 import SwapRoute, UniswapV3

PLACE = "node_modules/@uniswap/swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
NO_V2 = "0x" + "00" * 20


@pytest.fixture
async def router_02(place: Place, evm_packages: Path) -> UniswapV3:
    """Deploy the router as it was published beside the world's own and return it with the usual routes."""
    code = json.loads((evm_packages / PLACE).read_text(encoding="utf-8"))["bytecode"]
    uniswap, tokens = place.world.uniswap, place.world.tokens
    arguments = (NO_V2, uniswap.factory, uniswap.positions, tokens[WETH])
    data = code + abi.encode(("address",) * 4, arguments).hex()
    request = {"from": place.world.roles.deployer, "data": data, "gas": hex(8_000_000)}
    tx_hash = str(await place.ask("eth_sendTransaction", dict(request)))
    assert (await place.mined(tx_hash)).succeeded
    receipt = mapping(await place.ask("eth_getTransactionReceipt", tx_hash), "receipt")
    return UniswapV3(
        reads=place.reads,
        router=str(receipt["contractAddress"]),
        form=SwapRouter02(),
        quoter=uniswap.quoter,
        tokens={asset: tokens[asset] for asset in (USDC, WETH, LINK)},
        routes={
            BUY.id: SwapRoute(assets=(USDC, WETH), fees_ppm=(500,)),
            SELL.id: SwapRoute(assets=(WETH, USDC), fees_ppm=(500,)),
            TWO_HOPS.id: SwapRoute(assets=(WETH, USDC, LINK), fees_ppm=(500, 3_000)),
        },
    )


@pytest.mark.parametrize(
    ("step", "units"),
    [(BUY, 1_000 * DOLLARS), (SELL, ETHER), (TWO_HOPS, ETHER)],
    ids=lambda value: str(getattr(value, "id", value)),
)
async def test_it_brings_what_is_quoted_and_leaves_no_allowance(
    place: Place, router_02: UniswapV3, step: Conversion, units: int
) -> None:
    quoted = await router_02.quote(step, units, "latest")
    call = await place.built(router_02, step, units)

    settled = await place.converted(router_02, step, units)

    assert settled == Settled(given_units=units, taken_units=quoted)  # type: ignore[arg-type]  # or it differs
    assert call.approval is not None
    spender = call.approval.spender
    assert await erc20.allowance(place.reads, call.approval.token, place.owner, spender, "latest") == 0


async def test_its_refusals_have_the_same_names(place: Place, router_02: UniswapV3) -> None:
    quoted = await router_02.quote(SELL, ETHER, "latest")
    assert isinstance(quoted, int)
    early = await place.built(router_02, SELL, ETHER, units_out_min=quoted + 1)
    late = await router_02.build(SELL, ETHER, 1, deadline_s=1, owner=place.owner)
    assert isinstance(late, Call)

    unallowed = await router_02.simulate(early, place.owner)
    await place.allow(early)
    refusals = [
        unallowed,
        await router_02.simulate(early, place.owner),
        await router_02.simulate(late, place.owner),
    ]

    assert [refusal.reason for refusal in refusals if refusal] == [
        VenueReason.TRANSFER_FAILED,
        VenueReason.SLIPPAGE,
        VenueReason.DEADLINE_PASSED,
    ]
    assert not (await place.make(early)).succeeded
