"""A Safe of one owner on the published contracts: what its owner signs happens once, nothing else does."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from tests.integration.evm.custody.vault import POOL_UNITS, STRANGER_KEY, USDC, WETH, Vault
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.chain.model.rpc import Json
from treasury_actors.chain.model.values import to_data
from treasury_actors.errors import InvariantViolated
from treasury_actors.simulation.rehearsal.deploy_safe import create_safe
from treasury_actors.simulation.rehearsal.safe_funding import SafePayment, pay_from_safe
from treasury_actors.trading.adapters.evm.safe import (
    EXECUTE,
    PROXY_CODE,
    SINGLETON_CODES,
    check_transaction,
    execution_values,
    read_safe,
    transaction_hash,
    try_execution,
)
from treasury_actors.trading.adapters.evm.safe_batch import TRANSFER
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.model.safe import (
    DELEGATECALL,
    SafeReason,
    SafeRefused,
    SafeState,
    SafeTransaction,
)

THOUSAND = 1_000 * 10**6
BASE = 8_453


def transfer(vault: Vault, units: int = THOUSAND, nonce: int = 0) -> SafeTransaction:
    """Return the transfer of USDC to the trading wallet."""
    return SafeTransaction(
        chain_id=LOCAL_CHAIN_ID,
        safe=vault.safe,
        to=vault.world.tokens[USDC],
        value_wei=0,
        data=to_data(TRANSFER.encode(vault.wallet, units)),
        nonce=nonce,
    )


async def execute(vault: Vault, transaction: SafeTransaction, signature: bytes) -> Mapping[str, object]:
    """Send it whatever we think of it, as any stranger could, and return the receipt."""
    data = to_data(EXECUTE.encode(*execution_values(transaction, signature)))
    request: dict[str, Json] = {
        "from": vault.accounts[8],
        "to": vault.safe,
        "data": data,
        "gas": hex(500_000),
        "maxFeePerGas": hex(10**13),
    }
    async with vault.world.writer.blocks():
        sent = await vault.world.writer.ask("eth_sendTransaction", request)
        await vault.world.writer.ask("evm_mine")
    receipt = await vault.world.writer.ask("eth_getTransactionReceipt", sent)
    assert isinstance(receipt, dict)
    return receipt


async def said(vault: Vault, transaction: SafeTransaction, signature: bytes) -> SafeRefused | None:
    return await try_execution(vault.rpc, transaction, signature, relayer=vault.accounts[8])


async def checked(vault: Vault, transaction: SafeTransaction, signer: str) -> SafeState | SafeRefused:
    return await check_transaction(vault.rpc, transaction, signer=signer, chain_id=LOCAL_CHAIN_ID)


async def test_the_safe_holds_exactly_the_pool_and_is_what_was_published(vault: Vault) -> None:
    state = await read_safe(vault.rpc, vault.safe, LOCAL_CHAIN_ID)

    assert isinstance(state, SafeState)
    assert await vault.held(USDC, vault.safe) == POOL_UNITS == 10_000_000_000
    assert (state.kind, state.version, state.nonce) == ("Safe", "1.4.1", 0)
    assert (state.owners, state.threshold) == ((vault.owner.address.lower(),), 1)
    assert (state.modules, state.guard) == ((), None)
    assert state.fallback_handler == vault.world.safe.fallback_handler.lower()


async def test_the_owners_signature_pays_the_wallet_once_to_the_unit(vault: Vault) -> None:
    before = await vault.held(USDC, vault.wallet)

    paid = await pay_from_safe(
        vault.world, safe=vault.safe, owner=vault.owner, asset=USDC, to=vault.wallet, units=THOUSAND
    )

    assert isinstance(paid, SafePayment), paid
    assert await vault.held(USDC, vault.safe) == paid.safe_units == POOL_UNITS - THOUSAND
    assert await vault.held(USDC, vault.wallet) == paid.receiver_units == before + THOUSAND
    state = await read_safe(vault.rpc, vault.safe, LOCAL_CHAIN_ID)
    assert isinstance(state, SafeState)
    assert state.nonce == 1


@pytest.mark.parametrize("nonce", [0, 1, 2**255])
@pytest.mark.parametrize("value_wei", [0, 10**30])
async def test_our_hash_is_the_contracts_hash(vault: Vault, nonce: int, value_wei: int) -> None:
    for operation in (0, 1):
        tx = replace(transfer(vault), nonce=nonce, value_wei=value_wei, operation=operation)
        signature = (
            "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)"
        )
        values = (*execution_values(tx, b"")[:-1], nonce)
        [theirs] = await vault.world.writer.read(vault.safe, signature, "(bytes32)", *values)

        assert transaction_hash(tx) == theirs


async def test_a_stranger_is_refused_by_our_check_and_by_the_contract(vault: Vault) -> None:
    stranger = LocalSigner(STRANGER_KEY, chain_id=LOCAL_CHAIN_ID)
    signature = stranger.sign_safe(transfer(vault))

    ours = await checked(vault, transfer(vault), stranger.address)
    theirs = await said(vault, transfer(vault), signature)
    receipt = await execute(vault, transfer(vault), signature)

    assert isinstance(ours, SafeRefused)
    assert ours.reason is SafeReason.NOT_AN_OWNER
    assert theirs == SafeRefused(reason=SafeReason.REVERTS, detail="GS026")
    assert receipt["status"] == "0x0"
    assert await vault.held(USDC, vault.safe) == POOL_UNITS


async def test_a_replay_is_refused_by_our_check_and_by_the_contract(vault: Vault) -> None:
    tx = transfer(vault)
    signature = vault.owner.sign_safe(tx)
    assert (await execute(vault, tx, signature))["status"] == "0x1"

    ours = await checked(vault, tx, vault.owner.address)
    theirs = await said(vault, tx, signature)
    receipt = await execute(vault, tx, signature)

    assert isinstance(ours, SafeRefused)
    assert ours.reason is SafeReason.EXECUTED
    assert theirs is not None
    assert theirs.detail == "GS026"
    assert receipt["status"] == "0x0"
    assert await vault.held(USDC, vault.safe) == POOL_UNITS - THOUSAND


async def test_a_transaction_out_of_turn_is_refused(vault: Vault) -> None:
    found = await checked(vault, transfer(vault, nonce=1), vault.owner.address)

    assert isinstance(found, SafeRefused)
    assert found.reason is SafeReason.OUT_OF_TURN


async def test_another_chain_is_refused_by_the_signer_our_check_and_the_contract(vault: Vault) -> None:
    elsewhere = replace(transfer(vault), chain_id=BASE)

    with pytest.raises(InvariantViolated):
        vault.owner.sign_safe(elsewhere)
    ours = await checked(vault, elsewhere, vault.owner.address)
    # What the owner signed for the same Safe on Base, by other means than our signer.
    signed = Account.unsafe_sign_hash(transaction_hash(elsewhere), vault.owner._account.key)
    receipt = await execute(vault, elsewhere, bytes(signed.signature))

    assert isinstance(ours, SafeRefused)
    assert ours.reason is SafeReason.OTHER_CHAIN
    assert receipt["status"] == "0x0"
    assert await vault.held(USDC, vault.safe) == POOL_UNITS


async def test_a_delegatecall_is_never_signed_and_no_call_becomes_one(vault: Vault) -> None:
    foreign = replace(transfer(vault), operation=DELEGATECALL)

    with pytest.raises(InvariantViolated):
        vault.owner.sign_safe(foreign)
    ours = await checked(vault, foreign, vault.owner.address)
    theirs = await said(vault, foreign, vault.owner.sign_safe(transfer(vault)))

    assert isinstance(ours, SafeRefused)
    assert ours.reason is SafeReason.DELEGATECALL
    assert theirs == SafeRefused(reason=SafeReason.REVERTS, detail="GS026")


@pytest.mark.parametrize("changed", ["data", "to", "value_wei", "nonce"])
async def test_a_signature_is_good_for_what_was_signed_alone(vault: Vault, changed: str) -> None:
    signature = vault.owner.sign_safe(transfer(vault))
    forged = {
        "data": replace(transfer(vault), data=to_data(TRANSFER.encode(vault.accounts[9], POOL_UNITS))),
        "to": replace(transfer(vault), to=vault.world.tokens[WETH]),
        "value_wei": replace(transfer(vault), value_wei=1),
        "nonce": transfer(vault, nonce=1),
    }[changed]

    assert transaction_hash(forged) != transaction_hash(transfer(vault))
    if changed != "nonce":  # the contract puts its own nonce into the hash: another can't be said
        assert await said(vault, forged, signature) == SafeRefused(reason=SafeReason.REVERTS, detail="GS026")


async def test_more_than_the_safe_holds_is_refused_before_anything_is_sent(vault: Vault) -> None:
    found = await pay_from_safe(
        vault.world, safe=vault.safe, owner=vault.owner, asset=USDC, to=vault.wallet, units=POOL_UNITS + 1
    )

    assert isinstance(found, SafeRefused)
    assert found.reason is SafeReason.REVERTS
    assert await vault.held(USDC, vault.safe) == POOL_UNITS


async def test_a_safe_of_two_signers_is_left_to_safe_propose(vault: Vault) -> None:
    owners = sorted([vault.owner.address, vault.accounts[7]])
    async with vault.world.writer.blocks():
        shared = await create_safe(vault.world.writer, vault.world.safe, owners=owners, threshold=2, salt=7)

    found = await checked(vault, replace(transfer(vault), safe=shared), vault.owner.address)

    assert isinstance(found, SafeRefused)
    assert found.reason is SafeReason.MORE_MUST_SIGN
    assert await said(
        vault, replace(transfer(vault), safe=shared), vault.owner.sign_safe(transfer(vault))
    ) == SafeRefused(reason=SafeReason.REVERTS, detail="GS020")


@pytest.mark.parametrize("place", ["token", "nobody", "singleton"])
async def test_what_is_no_safe_is_told_by_its_code_and_not_by_its_word(vault: Vault, place: str) -> None:
    address = {
        "token": vault.world.tokens[USDC],
        "nobody": vault.wallet,
        "singleton": vault.world.safe.singleton,
    }[place]

    found = await read_safe(vault.rpc, address, LOCAL_CHAIN_ID)

    assert isinstance(found, SafeRefused)
    assert found.reason is SafeReason.NOT_A_SAFE


async def test_a_proxy_of_other_code_is_no_safe_of_ours(vault: Vault) -> None:
    slot = "0x" + "00" * 12 + vault.world.safe.multi_send[2:].lower()
    await vault.world.writer.ask("anvil_setStorageAt", vault.safe, "0x" + "00" * 32, slot)

    found = await read_safe(vault.rpc, vault.safe, LOCAL_CHAIN_ID)

    assert isinstance(found, SafeRefused)
    assert found.reason is SafeReason.OTHER_SINGLETON


@pytest.mark.parametrize("signature", [b"", b"\1" * 64, b"\1" * 66])
async def test_a_signature_of_another_length_is_not_even_tried(vault: Vault, signature: bytes) -> None:
    found = await said(vault, transfer(vault), signature)

    assert found is not None
    assert found.reason is SafeReason.WRONG_SIGNATURE


async def test_the_pinned_hashes_are_those_of_the_published_code(vault: Vault) -> None:
    tree = vault.world.writer.artifacts._modules
    folder = tree / "@safe-global/safe-contracts/build/artifacts/contracts"
    hashes = {}
    for name in ("Safe.sol/Safe", "SafeL2.sol/SafeL2", "proxies/SafeProxy.sol/SafeProxy"):
        code = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["deployedBytecode"]
        hashes[name.rpartition("/")[2]] = to_data(keccak(bytes.fromhex(code[2:])))

    assert hashes.pop("SafeProxy") == PROXY_CODE
    assert {kind: code for code, kind in SINGLETON_CODES.items()} == hashes
