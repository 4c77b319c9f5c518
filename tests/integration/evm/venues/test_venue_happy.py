"""Every venue does on a real chain what its arithmetic says, to the unit."""

from dataclasses import replace

import pytest

from tests.integration.evm.venues.place import (
    AUSDC,
    BUY,
    DEPOSIT,
    DOLLARS,
    ETH,
    ETHER,
    FUSDC,
    LINK,
    REDEEM,
    SELL,
    SUPPLY,
    TWO_HOPS,
    UNWRAP,
    USDC,
    WETH,
    WITHDRAW,
    WRAP,
    Place,
)
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Conversion
from treasury_actors.simulation.rehearsal.contracts import call_data
from treasury_actors.trading.adapters.evm import abi, erc20
from treasury_actors.trading.adapters.evm.protocol import DefiProtocol, Settled
from treasury_actors.trading.model.ray import ray_divide, ray_multiply, withdrawable

SLOT0 = abi.Function(signature="slot0()", selector=bytes.fromhex("3850c7bd"), returns="(uint160)")
LIQUIDITY = abi.Function(signature="liquidity()", selector=bytes.fromhex("1a686502"), returns="(uint128)")
Q96 = 2**96
GIFT = 7 * DOLLARS
AUTOMATIC = True


async def pool_output(place: Place, given: AssetId, other: AssetId, units: int, fee_ppm: int) -> int:
    """Return what the one full-range position of a pool gives for `units`, by the white paper's maths."""
    pool = place.world.pools[given if given in place.world.pools else other]
    root = await erc20.read_units(place.reads, pool.address, SLOT0, block="latest")
    liquidity = await erc20.read_units(place.reads, pool.address, LIQUIDITY, block="latest")
    left = units * (10**6 - fee_ppm) // 10**6
    if place.world.tokens[given] == pool.token0:
        scaled = liquidity * Q96
        after = -(-scaled * root // (scaled + left * root))
        return liquidity * (root - after) // Q96
    after = root + left * Q96 // liquidity
    return (liquidity * Q96 * (after - root) // after) // root


@pytest.mark.parametrize(
    ("step", "units"),
    [(BUY, 1_000 * DOLLARS), (BUY, 50_000 * DOLLARS), (BUY, 1_001), (SELL, ETHER), (SELL, 10 * ETHER)],
    ids=lambda value: str(getattr(value, "id", value)),
)
async def test_a_swap_brings_what_the_curve_says(place: Place, step: Conversion, units: int) -> None:
    expected = await pool_output(place, step.source, step.target, units, 500)
    quoted = await place.uniswap.quote(step, units, "latest")
    before = await place.held(step.target)

    settled = await place.converted(place.uniswap, step, units)

    assert quoted == expected
    assert settled == Settled(given_units=units, taken_units=expected)
    assert await place.held(step.target) - before == expected


async def test_a_swap_over_two_pools_brings_what_both_curves_say(place: Place) -> None:
    dollars = await pool_output(place, WETH, USDC, ETHER, 500)
    expected = await pool_output(place, USDC, LINK, dollars, 3_000)
    quoted = await place.uniswap.quote(TWO_HOPS, ETHER, "latest")
    before = await place.held(USDC)

    settled = await place.converted(place.uniswap, TWO_HOPS, ETHER)

    assert quoted == expected
    assert settled == Settled(given_units=ETHER, taken_units=expected)
    assert await place.held(USDC) == before, "what lies between the pools never touches the wallet"


async def test_a_swap_of_exactly_what_is_quoted_as_minimum_goes_through(place: Place) -> None:
    quoted = await place.uniswap.quote(SELL, ETHER, "latest")
    assert isinstance(quoted, int)
    call = await place.built(place.uniswap, SELL, ETHER, units_out_min=quoted)
    await place.allow(call)

    assert (await place.make(call)).succeeded


async def test_a_supply_mints_what_the_ray_maths_says(place: Place) -> None:
    units = 12_345_678_901
    settled = await place.converted(place.aave, SUPPLY, units)
    index_ray = await place.aave.index_ray(USDC, "latest")

    assert settled == Settled(given_units=units, taken_units=ray_divide(units, index_ray))
    assert (await place.aave.holdings(place.owner, "latest"))[AUSDC] == settled.taken_units
    assert await place.held(AUSDC) == ray_multiply(settled.taken_units, index_ray)


async def test_thirty_days_of_interest_are_withdrawn_to_the_unit(place: Place) -> None:
    """The scaled units stay, their worth grows by the pool's own index, and dust below a cent remains."""
    bought = await place.converted(place.aave, SUPPLY, 10_000 * DOLLARS)
    month_later_s = await place.chain_time_s() + 30 * 24 * 3_600
    await place.world.advance_to(month_later_s * 10**9)
    held = (await place.aave.holdings(place.owner, "latest"))[AUSDC]
    index_ray = await place.aave.index_ray(USDC, "latest")

    sold = await place.converted(place.aave, WITHDRAW, held)

    assert held == bought.taken_units
    assert sold.taken_units == withdrawable(held, index_ray)
    assert 10_020 * DOLLARS < sold.taken_units < 10_030 * DOLLARS, "3 % a year for 30 days"
    left = (await place.aave.holdings(place.owner, "latest"))[AUSDC]
    assert sold.given_units == held - left
    assert 0 <= left < DOLLARS // 100


async def test_a_part_of_the_scaled_units_is_withdrawn_and_never_more(place: Place) -> None:
    bought = await place.converted(place.aave, SUPPLY, 1_000 * DOLLARS)
    part = bought.taken_units // 3

    sold = await place.converted(place.aave, WITHDRAW, part)

    assert part - 2_000 <= sold.given_units <= part


async def test_dust_from_a_stranger_in_the_same_block_is_no_part_of_a_settlement(place: Place) -> None:
    """Two of our supplies and a stranger's gift share a block: each settles alone, the rest is the gift."""
    share, pool = place.world.tokens[AUSDC], place.world.aave.pool
    dollars = place.world.tokens[USDC]
    for whose, units in ((place.stranger, 500), (place.owner, 300)):
        await place.command(dollars, "approve(address,uint256)", pool, units * DOLLARS, sender=whose)
    supply = "supply(address,uint256,address,uint16)"
    await place.command(pool, supply, dollars, 500 * DOLLARS, place.stranger, 0, sender=place.stranger)
    first = await place.built(place.aave, SUPPLY, 100 * DOLLARS)
    second = await place.built(place.aave, SUPPLY, 200 * DOLLARS)
    gift = replace(
        first, to=share, data=bytes.fromhex(call_data("transfer(address,uint256)", place.owner, GIFT)[2:])
    )
    await place.ask("evm_setAutomine", not AUTOMATIC)
    hashes = [await place.post(first), await place.post(second), await place.post(gift, place.stranger)]
    await place.ask("evm_mine")
    await place.ask("evm_setAutomine", AUTOMATIC)
    mined = [await place.mined(tx_hash) for tx_hash in hashes]
    before = await place.aave.holdings(place.owner, hex(mined[0].block - 1))
    after = await place.aave.holdings(place.owner, mined[0].block_hash)
    index_ray = await place.aave.index_ray(USDC, mined[0].block_hash)

    settled = [await place.settled(place.aave, SUPPLY, done) for done in mined[:2]]

    assert all(done.succeeded and done.block == mined[0].block for done in mined)
    assert [one.given_units for one in settled] == [100 * DOLLARS, 200 * DOLLARS]
    unsolicited = after[AUSDC] - before[AUSDC] - sum(one.taken_units for one in settled)
    assert unsolicited == ray_divide(GIFT, index_ray)


async def test_a_vault_gives_shares_and_assets_as_its_standard_says(place: Place) -> None:
    """A gift to the vault raises the share price; both conversions round for the vault."""
    vault = place.world.vaults[FUSDC]
    await place.command(vault.underlying, "mint(address,uint256)", vault.address, 12_345 * DOLLARS)
    assets = await erc20.read_units(
        place.reads, vault.underlying, erc20.BALANCE_OF, vault.address, block="latest"
    )
    total = abi.Function(signature="totalSupply()", selector=bytes.fromhex("18160ddd"), returns="(uint256)")
    shares = await erc20.read_units(place.reads, vault.address, total, block="latest")
    units = 1_000 * DOLLARS
    expected = units * (shares + 10**vault.offset) // (assets + 1)
    quoted = await place.vault.quote(DEPOSIT, units, "latest")

    bought = await place.converted(place.vault, DEPOSIT, units)

    assert quoted == expected
    assert bought == Settled(given_units=units, taken_units=expected)
    back = expected * (assets + units + 1) // (shares + expected + 10**vault.offset)
    sold = await place.converted(place.vault, REDEEM, expected)
    assert sold == Settled(given_units=expected, taken_units=back)
    assert back <= units


async def test_the_vault_is_the_one_that_was_pinned(place: Place) -> None:
    await place.vault.check_asset("latest")


@pytest.mark.parametrize("step", [WRAP, UNWRAP], ids=lambda step: step.id)
async def test_wrapping_is_one_for_one(place: Place, step: Conversion) -> None:
    before = await place.weth.holdings(place.owner, "latest")

    settled = await place.converted(place.weth, step, 3 * ETHER)

    after = await place.weth.holdings(place.owner, "latest")
    sign = 1 if step is WRAP else -1
    assert settled == Settled(given_units=3 * ETHER, taken_units=3 * ETHER)
    assert after[WETH] - before[WETH] == sign * 3 * ETHER
    gas_wei = before[ETH] - after[ETH] - sign * 3 * ETHER
    assert 0 < gas_wei < ETHER // 100


async def test_no_allowance_is_left_after_a_conversion(place: Place) -> None:
    for protocol, step, units in _spenders(place):
        call = await place.built(protocol, step, units)
        await place.converted(protocol, step, units)

        assert call.approval is not None
        token, spender = call.approval.token, call.approval.spender
        assert call.approval.units == units
        assert await erc20.allowance(place.reads, token, place.owner, spender, "latest") == 0


def _spenders(place: Place) -> list[tuple[DefiProtocol, Conversion, int]]:
    """Return one conversion for each protocol that takes by allowance."""
    return [
        (place.uniswap, BUY, 100 * DOLLARS),
        (place.uniswap, TWO_HOPS, ETHER),
        (place.aave, SUPPLY, 100 * DOLLARS),
        (place.vault, DEPOSIT, 100 * DOLLARS),
    ]


async def test_a_gas_limit_has_room_for_half_as_much_again(place: Place) -> None:
    """The limit is fixed, so it must be ample: a vault of vaults and a swap over many ticks cost more."""
    await place.converted(place.aave, SUPPLY, 100 * DOLLARS)
    await place.converted(place.vault, DEPOSIT, 100 * DOLLARS)
    one_way: list[tuple[DefiProtocol, Conversion, int]] = [
        (place.aave, WITHDRAW, 50 * DOLLARS),
        (place.vault, REDEEM, 50 * DOLLARS),
        (place.weth, WRAP, ETHER),
        (place.weth, UNWRAP, ETHER),
    ]
    for protocol, step, units in _spenders(place) + one_way:
        call = await place.built(protocol, step, units)
        if call.approval is not None:
            await place.allow(call)

        done = await place.make(call)

        assert done.succeeded
        assert done.gas_used * 3 <= call.gas_limit * 2, step.id


async def test_what_was_built_is_decoded_as_what_was_meant(place: Place) -> None:
    for protocol, step, units in _spenders(place):
        call = await place.built(protocol, step, units)

        read = protocol.decode(call.data, call.value_wei)

        assert (read.source, read.target, read.recipient) == (step.source, step.target, place.owner)  # type: ignore[union-attr]
        assert read.units_in == units  # type: ignore[union-attr]


async def test_holdings_at_a_block_hash_are_those_of_that_block(place: Place) -> None:
    call = await place.built(place.weth, WRAP, ETHER)
    done = await place.make(call)
    await place.make(call)

    then = await place.weth.holdings(place.owner, done.block_hash)

    assert (await place.weth.holdings(place.owner, "latest"))[WETH] - then[WETH] == ETHER
