"""Every named refusal, provoked for real: by simulation before a call is sent, and by its revert if it is."""

from dataclasses import replace

import pytest

from tests.integration.evm.venues.place import (
    AUSDC,
    BUY,
    DEPOSIT,
    DOLLARS,
    ETHER,
    FUSDC,
    NO_POOL,
    REDEEM,
    SELL,
    SUPPLY,
    UNWRAP,
    USDC,
    WETH,
    WITHDRAW,
    WRAP,
    Place,
    conversion,
)
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.erc4626 import Erc4626, VaultAddresses
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason
from treasury_actors.trading.adapters.evm.protocol import Approval, Call, DefiProtocol
from treasury_actors.trading.adapters.evm.uniswap_routers import SwapRouter
from treasury_actors.trading.adapters.evm.uniswap_v3 import SwapRoute, UniswapV3

NEVER_S = 1
RESERVE_SWITCHES = {
    "setReserveFreeze(address,bool)": VenueReason.RESERVE_FROZEN,
    "setReservePause(address,bool)": VenueReason.RESERVE_PAUSED,
}


async def refusal_of(place: Place, protocol: DefiProtocol, call: Call) -> VenueReason:
    """Return the reason `simulate` gives, having checked that the call, if sent, reverts for the same one."""
    foreseen = await protocol.simulate(call, place.owner)
    assert foreseen is not None, "the call would go through"
    done = await place.make(call)
    assert not done.succeeded
    # The block before it is the state it met; replaying it there tells why it reverted.
    afterwards = await protocol.simulate(call, place.owner, hex(done.block - 1))
    assert afterwards == foreseen
    return foreseen.reason


async def allowed(
    place: Place, protocol: DefiProtocol, step: Conversion, units: int, units_out_min: int = 1
) -> Call:
    """Return a built call whose allowance stands."""
    call = await place.built(protocol, step, units, units_out_min)
    await place.allow(call)
    return call


async def test_a_swap_below_its_minimum_is_slippage(place: Place) -> None:
    quoted = await place.uniswap.quote(SELL, ETHER, "latest")
    assert isinstance(quoted, int)

    call = await allowed(place, place.uniswap, SELL, ETHER, units_out_min=quoted + 1)

    assert await refusal_of(place, place.uniswap, call) is VenueReason.SLIPPAGE


async def test_a_sandwich_is_held_off_by_the_minimum(place: Place) -> None:
    """A stranger sells before us, beyond our minimum: our swap reverts, and nothing is lost."""
    quoted = await place.uniswap.quote(SELL, ETHER, "latest")
    assert isinstance(quoted, int)
    call = await allowed(place, place.uniswap, SELL, ETHER, units_out_min=quoted * 9_990 // 10_000)
    deadline_s = await place.chain_time_s() + 3_600
    attack = await place.uniswap.build(SELL, 10 * ETHER, 1, deadline_s=deadline_s, owner=place.stranger)
    assert isinstance(attack, Call)
    await place.allow(attack, place.stranger)
    assert await place.uniswap.simulate(call, place.owner) is None
    before = await place.held(WETH)

    assert (await place.make(attack, place.stranger)).succeeded

    assert await refusal_of(place, place.uniswap, call) is VenueReason.SLIPPAGE
    assert await place.held(WETH) == before


async def test_a_swap_after_its_deadline_is_too_old(place: Place) -> None:
    call = await place.uniswap.build(SELL, ETHER, 1, deadline_s=NEVER_S, owner=place.owner)
    assert isinstance(call, Call)
    await place.allow(call)

    assert await refusal_of(place, place.uniswap, call) is VenueReason.DEADLINE_PASSED


async def test_a_swap_without_allowance_is_a_failed_transfer(place: Place) -> None:
    call = await place.built(place.uniswap, SELL, ETHER)

    assert await refusal_of(place, place.uniswap, call) is VenueReason.TRANSFER_FAILED


async def test_a_swap_of_more_than_is_held_is_a_failed_transfer(place: Place) -> None:
    call = await allowed(place, place.uniswap, SELL, 11 * ETHER)

    assert await refusal_of(place, place.uniswap, call) is VenueReason.TRANSFER_FAILED


async def test_a_pool_that_is_not_there_has_no_liquidity(place: Place) -> None:
    refusal = await place.uniswap.quote(NO_POOL, ETHER, "latest")

    assert isinstance(refusal, Refused)
    assert refusal.reason is VenueReason.NO_LIQUIDITY


async def test_a_pool_without_liquidity_has_no_liquidity(place: Place) -> None:
    first, second = sorted((place.world.tokens[NO_POOL.source], place.world.tokens[WETH]), key=str.lower)
    await place.command(
        place.world.uniswap.positions,
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        *(first, second, 10_000, 2**96),
    )

    refusal = await place.uniswap.quote(NO_POOL, ETHER, "latest")

    assert isinstance(refusal, Refused)
    assert refusal.reason is VenueReason.NO_LIQUIDITY


@pytest.mark.parametrize(("switch", "reason"), RESERVE_SWITCHES.items())
async def test_a_switched_off_reserve_takes_no_supply(place: Place, switch: str, reason: VenueReason) -> None:
    call = await allowed(place, place.aave, SUPPLY, 100 * DOLLARS)
    await place.command(place.world.aave.configurator, switch, place.world.tokens[USDC], True)  # noqa: FBT003

    assert await refusal_of(place, place.aave, call) is reason


async def test_a_paused_reserve_gives_nothing_back(place: Place) -> None:
    bought = await place.converted(place.aave, SUPPLY, 100 * DOLLARS)
    call = await place.built(place.aave, WITHDRAW, bought.taken_units)
    switch = "setReservePause(address,bool)"
    await place.command(place.world.aave.configurator, switch, place.world.tokens[USDC], True)  # noqa: FBT003

    assert await refusal_of(place, place.aave, call) is VenueReason.RESERVE_PAUSED


async def test_a_supply_above_the_cap_is_refused(place: Place) -> None:
    call = await allowed(place, place.aave, SUPPLY, 100 * DOLLARS)
    token = place.world.tokens[USDC]
    await place.command(place.world.aave.configurator, "setSupplyCap(address,uint256)", token, 1)

    assert await refusal_of(place, place.aave, call) is VenueReason.SUPPLY_CAP


async def test_a_supply_without_allowance_is_refused(place: Place) -> None:
    call = await place.built(place.aave, SUPPLY, 100 * DOLLARS)

    assert await refusal_of(place, place.aave, call) is VenueReason.NO_ALLOWANCE


async def test_a_withdrawal_of_more_than_is_held_is_refused(place: Place) -> None:
    await place.converted(place.aave, SUPPLY, 100 * DOLLARS)
    call = await place.built(place.aave, WITHDRAW, 200 * DOLLARS)

    assert await refusal_of(place, place.aave, call) is VenueReason.INSUFFICIENT_BALANCE


async def test_a_pool_without_cash_has_no_liquidity(place: Place) -> None:
    """All of the reserve's cash is lent: the quote says so, and so does the panic of a call sent anyway."""
    bought = await place.converted(place.aave, SUPPLY, 100 * DOLLARS)
    call = await place.built(place.aave, WITHDRAW, bought.taken_units)
    token, holder = place.world.tokens[USDC], place.world.tokens[AUSDC]
    cash = await erc20.read_units(place.reads, token, erc20.BALANCE_OF, holder, block="latest")
    await place.command(
        place.world.aave.pool,
        "borrow(address,uint256,uint256,uint16,address)",
        *(token, cash, 2, 0, place.world.roles.borrower),
        sender=place.world.roles.borrower,
    )

    quoted = await place.aave.quote(WITHDRAW, bought.taken_units, "latest")

    assert isinstance(quoted, Refused)
    assert quoted.reason is VenueReason.NO_LIQUIDITY
    assert await refusal_of(place, place.aave, call) is VenueReason.NO_LIQUIDITY


async def test_a_vault_pays_out_no_more_shares_than_are_held(place: Place) -> None:
    bought = await place.converted(place.vault, DEPOSIT, 100 * DOLLARS)

    refusal = await place.vault.build(
        REDEEM, bought.taken_units + 1, 1, deadline_s=NEVER_S, owner=place.owner
    )

    assert isinstance(refusal, Refused)
    assert refusal.reason is VenueReason.VAULT_LIMIT


async def test_a_vault_reverts_a_redemption_of_more_than_its_limit(place: Place) -> None:
    """The limit shrank after the call was built: the vault's own custom error says so."""
    bought = await place.converted(place.vault, DEPOSIT, 100 * DOLLARS)
    call = await place.built(place.vault, REDEEM, bought.taken_units)
    vault = place.world.vaults[FUSDC].address
    await place.command(vault, "transfer(address,uint256)", place.stranger, 1, sender=place.owner)

    assert await refusal_of(place, place.vault, call) is VenueReason.VAULT_LIMIT


async def test_a_deposit_without_allowance_is_refused(place: Place) -> None:
    call = await place.built(place.vault, DEPOSIT, 100 * DOLLARS)

    assert await refusal_of(place, place.vault, call) is VenueReason.NO_ALLOWANCE


async def test_a_vault_that_lost_money_is_slippage_before_it_is_a_loss(place: Place) -> None:
    """The standard can't hold a minimum on chain; the simulation does."""
    bought = await place.converted(place.vault, DEPOSIT, 1_000 * DOLLARS)
    call = await place.built(place.vault, REDEEM, bought.taken_units, units_out_min=999 * DOLLARS)
    await place.command(place.world.vaults[FUSDC].address, "lose(uint256)", 100_000 * DOLLARS)

    foreseen = await place.vault.simulate(call, place.owner)

    assert foreseen is not None
    assert foreseen.reason is VenueReason.SLIPPAGE


async def test_an_unwrap_of_more_than_is_held_is_refused(place: Place) -> None:
    call = await place.built(place.weth, UNWRAP, 11 * ETHER)

    assert await refusal_of(place, place.weth, call) is VenueReason.INSUFFICIENT_BALANCE


async def test_a_wrap_of_more_than_is_held_is_refused(place: Place) -> None:
    call = await place.built(place.weth, WRAP, 1_000 * ETHER)

    foreseen = await place.weth.simulate(call, place.owner)

    assert foreseen is not None
    assert foreseen.reason is VenueReason.INSUFFICIENT_BALANCE


async def test_a_call_with_too_little_gas_runs_out_of_it(place: Place) -> None:
    call = replace(await place.built(place.weth, WRAP, ETHER), gas_limit=23_000)

    assert await refusal_of(place, place.weth, call) is VenueReason.OUT_OF_GAS


@pytest.mark.parametrize("step", [BUY, SUPPLY, DEPOSIT, WRAP], ids=lambda step: step.id)
@pytest.mark.parametrize("units", [0, -1])
async def test_nothing_is_not_converted(place: Place, step: Conversion, units: int) -> None:
    protocols: dict[str, DefiProtocol] = {
        BUY.id: place.uniswap,
        SUPPLY.id: place.aave,
        DEPOSIT.id: place.vault,
        WRAP.id: place.weth,
    }
    protocol = protocols[step.id]

    for refusal in (
        await protocol.quote(step, units, "latest"),
        await protocol.build(step, units, 1, deadline_s=NEVER_S, owner=place.owner),
    ):
        assert isinstance(refusal, Refused)
        assert refusal.reason is VenueReason.ZERO_AMOUNT


async def test_a_conversion_that_is_not_pinned_is_unknown(place: Place) -> None:
    foreign = conversion("USDC>WBTC")

    for protocol in (place.uniswap, place.aave, place.vault, place.weth):
        refusal = await protocol.build(foreign, 1, 1, deadline_s=NEVER_S, owner=place.owner)

        assert isinstance(refusal, Refused)
        assert refusal.reason is VenueReason.UNKNOWN_CONVERSION


async def hostile_vault(place: Place, name: str) -> tuple[Erc4626, str]:
    """Return a vault over a hostile token of which the owner has $1,000, and the token."""
    writer = place.world.writer
    async with writer.blocks():
        token = await writer.deploy(name, "Hostile", "HOST", 6)
        vault = await writer.deploy("RehearsalVault", token, "Vault", "V", 0)
        await writer.send(token, "mint(address,uint256)", place.owner, 1_000 * DOLLARS)
    addresses = VaultAddresses(share=FUSDC, vault=vault, asset=USDC, token=token)
    return Erc4626(reads=place.reads, addresses=addresses), token


@pytest.mark.parametrize(
    ("name", "reason"),
    [("ReturnsFalseToken", VenueReason.RETURNED_FALSE), ("RevertingToken", VenueReason.REVERTED)],
)
async def test_a_token_that_does_not_move_is_refused(place: Place, name: str, reason: VenueReason) -> None:
    vault, _ = await hostile_vault(place, name)
    call = await allowed(place, vault, DEPOSIT, 100 * DOLLARS)

    assert await refusal_of(place, vault, call) is reason


async def test_a_blacklisted_wallet_is_told_so(place: Place) -> None:
    vault, token = await hostile_vault(place, "BlacklistToken")
    bought = await place.converted(vault, DEPOSIT, 100 * DOLLARS)
    call = await place.built(vault, REDEEM, bought.taken_units)
    await place.command(token, "setBlacklisted(address,bool)", place.owner, True)  # noqa: FBT003

    assert await refusal_of(place, vault, call) is VenueReason.BLACKLISTED


async def test_a_fee_on_transfer_is_seen_in_what_was_settled(place: Place) -> None:
    """One percent never arrives: what was taken is what came, not what the vault says it sent."""
    vault, token = await hostile_vault(place, "FeeOnTransferToken")
    before = await erc20.read_units(place.reads, token, erc20.BALANCE_OF, place.owner, block="latest")
    bought = await place.converted(vault, DEPOSIT, 100 * DOLLARS)
    sold = await place.converted(vault, REDEEM, bought.taken_units // 2)

    after = await erc20.read_units(place.reads, token, erc20.BALANCE_OF, place.owner, block="latest")
    assert bought.given_units == 100 * DOLLARS
    assert after - before == sold.taken_units - bought.given_units


async def test_an_approve_that_fails_is_refused(place: Place) -> None:
    approval = Approval(token=place.world.tokens[USDC], spender="0x" + "00" * 20, units=5)

    refusal = await erc20.simulate_approve(place.reads, approval, place.owner)

    assert refusal is not None
    assert refusal.reason is VenueReason.REVERTED
    assert (
        await erc20.simulate_approve(place.reads, replace(approval, spender=place.stranger), place.owner)
        is None
    )


async def test_a_contract_that_is_not_there_is_named(place: Place) -> None:
    nowhere = "0x" + "12" * 20
    route = SwapRoute(assets=(USDC, WETH), fees_ppm=(500,))
    uniswap = UniswapV3(
        reads=place.reads,
        router=nowhere,
        form=SwapRouter(),
        quoter=nowhere,
        tokens={asset: place.world.tokens[asset] for asset in (USDC, WETH)},
        routes={BUY.id: route},
    )

    refusal = await uniswap.quote(BUY, DOLLARS, "latest")

    assert isinstance(refusal, Refused)
    assert refusal.reason is VenueReason.NO_CODE
    with pytest.raises(erc20.UnreadableContract):
        await erc20.read_units(place.reads, nowhere, erc20.BALANCE_OF, place.owner, block="latest")
