"""What a receipt's logs say was given and taken; what others do in the same block is not ours."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.evm.venues import (
    AUSDC,
    BUY,
    DEPOSIT,
    DOLLAR_TOKEN,
    OWNER,
    POOL,
    REDEEM,
    STRANGER,
    SUPPLY,
    UNWRAP,
    VAULT,
    WETH_TOKEN,
    WITHDRAW,
    WRAP,
    Written,
    aave,
    uniswap,
    vault,
    weth,
)
from treasury_actors.ids import AssetId
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.aave_v3 import RESERVE_UPDATED_TOPIC, SUPPLY_TOPIC, WITHDRAW_TOPIC
from treasury_actors.trading.adapters.evm.erc20 import TRANSFER_TOPIC
from treasury_actors.trading.adapters.evm.protocol import Log, Settled
from treasury_actors.trading.adapters.evm.weth import DEPOSIT_TOPIC, WITHDRAWAL_TOPIC
from treasury_actors.trading.model.ray import RAY, ray_divide

INDEX_RAY = 11 * RAY // 10
NOTHING: Mapping[AssetId, int] = {}
amounts = st.integers(1, 10**30)


def topic(address: str) -> str:
    """Return an address as an indexed topic."""
    return "0x" + "00" * 12 + address[2:]


def transfer(token: str, sender: str, recipient: str, units: int) -> Log:
    """Return a Transfer log."""
    topics = (TRANSFER_TOPIC, topic(sender), topic(recipient))
    return Log(address=token, topics=topics, data=units.to_bytes(32, "big"))


def pool_logs(event: str, units: int, user: str = OWNER, index_ray: int = INDEX_RAY) -> list[Log]:
    """Return the two logs of the pool in a supply or withdrawal."""
    update = abi.encode(("uint256",) * 5, (0, 0, 0, index_ray, RAY))
    words: tuple[abi.Value, ...] = (STRANGER, units) if event == SUPPLY_TOPIC else (units,)
    kinds = ("address", "uint256") if event == SUPPLY_TOPIC else ("uint256",)
    return [
        Log(address=POOL, topics=(RESERVE_UPDATED_TOPIC, topic(DOLLAR_TOKEN)), data=update),
        Log(
            address=POOL,
            topics=(event, topic(DOLLAR_TOKEN), topic(user), topic(OWNER)),
            data=abi.encode(kinds, words),
        ),
    ]


def test_a_swap_is_the_net_of_its_transfers() -> None:
    """The refund counts, a forged log of another contract and a stranger's transfer do not."""
    logs = [
        transfer(DOLLAR_TOKEN, OWNER, STRANGER, 1_000),
        transfer(DOLLAR_TOKEN, STRANGER, OWNER, 100),
        transfer(WETH_TOKEN.upper().replace("0X", "0x"), STRANGER, OWNER, 7),
        transfer(STRANGER, STRANGER, OWNER, 10**30),
        transfer(WETH_TOKEN, STRANGER, POOL, 5),
        Log(address=WETH_TOKEN, topics=(TRANSFER_TOPIC,), data=b""),
        Log(address=WETH_TOKEN, topics=(), data=b""),
    ]

    settled = uniswap(Written()).settle(BUY, OWNER, logs, before=NOTHING, after=NOTHING)

    assert settled == Settled(given_units=900, taken_units=7)


@given(units=amounts, rounding=st.sampled_from([-1, 0, 1]), held=amounts)
def test_a_supply_takes_the_change_of_the_scaled_balance(units: int, rounding: int, held: int) -> None:
    """However the pool rounds its last unit, the chain's own balance says it."""
    scaled = ray_divide(units, INDEX_RAY) + rounding

    settled = aave(Written()).settle(
        SUPPLY,
        OWNER,
        pool_logs(SUPPLY_TOPIC, units),
        before={AUSDC: held},
        after={AUSDC: held + scaled},
    )

    assert settled == Settled(given_units=units, taken_units=scaled)


@given(units=amounts, gift=st.integers(2, 10**20))
def test_a_gift_in_the_block_is_left_to_reconciliation(units: int, gift: int) -> None:
    scaled = ray_divide(units, INDEX_RAY)

    for after in (scaled + gift, scaled - gift):
        settled = aave(Written()).settle(
            SUPPLY, OWNER, pool_logs(SUPPLY_TOPIC, units), before={AUSDC: 0}, after={AUSDC: after}
        )

        assert settled.taken_units == scaled


@given(units=amounts, rounding=st.sampled_from([-1, 0, 1]))
def test_a_withdrawal_gives_the_change_of_the_scaled_balance(units: int, rounding: int) -> None:
    held = 10**40
    scaled = ray_divide(units, INDEX_RAY) + rounding

    settled = aave(Written()).settle(
        WITHDRAW,
        OWNER,
        pool_logs(WITHDRAW_TOPIC, units),
        before={AUSDC: held},
        after={AUSDC: held - scaled},
    )

    assert settled == Settled(given_units=scaled, taken_units=units)


def test_without_balances_the_index_of_the_receipt_decides() -> None:
    settled = aave(Written()).settle(
        SUPPLY, OWNER, pool_logs(SUPPLY_TOPIC, 1_000), before=NOTHING, after=NOTHING
    )

    assert settled == Settled(given_units=1_000, taken_units=909)


def test_what_the_pool_did_for_a_stranger_is_not_ours() -> None:
    settled = aave(Written()).settle(
        SUPPLY, OWNER, pool_logs(SUPPLY_TOPIC, 1_000, STRANGER), before=NOTHING, after=NOTHING
    )

    assert settled == Settled(given_units=0, taken_units=0)


def test_a_vault_is_settled_by_transfers_not_by_its_own_word() -> None:
    logs = [transfer(DOLLAR_TOKEN, OWNER, VAULT, 500), transfer(VAULT, "0x" + "00" * 20, OWNER, 450)]

    entered = vault(Written()).settle(DEPOSIT, OWNER, logs, before=NOTHING, after=NOTHING)
    left = vault(Written()).settle(
        REDEEM,
        OWNER,
        [transfer(VAULT, OWNER, "0x" + "00" * 20, 450), transfer(DOLLAR_TOKEN, VAULT, OWNER, 499)],
        before=NOTHING,
        after=NOTHING,
    )

    assert entered == Settled(given_units=500, taken_units=450)
    assert left == Settled(given_units=450, taken_units=499)


@pytest.mark.parametrize(("step", "event"), [(WRAP, DEPOSIT_TOPIC), (UNWRAP, WITHDRAWAL_TOPIC)])
def test_wrapping_is_settled_by_the_contracts_log(step: object, event: str) -> None:
    logs = [
        Log(address=WETH_TOKEN, topics=(event, topic(OWNER)), data=(9).to_bytes(32, "big")),
        Log(address=WETH_TOKEN, topics=(event, topic(STRANGER)), data=(8).to_bytes(32, "big")),
        Log(address=STRANGER, topics=(event, topic(OWNER)), data=(7).to_bytes(32, "big")),
    ]
    chosen = WRAP if step is WRAP else UNWRAP

    settled = weth(Written()).settle(chosen, OWNER, logs, before=NOTHING, after=NOTHING)

    assert settled == Settled(given_units=9, taken_units=9)
