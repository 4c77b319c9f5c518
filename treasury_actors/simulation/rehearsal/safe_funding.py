"""
A dedicated Safe in a rehearsal: funded with exactly the stage's pool, emptied by its owner's signature alone.

The real contracts, the real check of the signature; only the relayer, who pays the gas and can change
nothing of what was signed, is an unlocked account of the node.
"""

from dataclasses import dataclass
from typing import Protocol

from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.chain.model.values import to_data
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AssetId
from treasury_actors.simulation.rehearsal.deploy_safe import create_safe
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm.safe import (
    EXECUTE,
    check_transaction,
    execution_values,
    read_safe,
    transaction_hash,
    try_execution,
)
from treasury_actors.trading.adapters.evm.safe_batch import TRANSFER
from treasury_actors.trading.model.safe import SafeRefused, SafeTransaction


class SafeOwner(Protocol):
    """Whoever owns a Safe and signs for it."""

    @property
    def address(self) -> str:
        """The checksummed address of the owner."""
        ...

    def sign_safe(self, transaction: SafeTransaction) -> bytes:
        """Return the signature (r, s, v) of a Safe transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SafePayment:
    """What a Safe paid: the transaction, the hash its owner signed, and both balances afterwards."""

    transaction: SafeTransaction
    signed_hash: str
    safe_units: int
    receiver_units: int


async def open_stage_safe(world: World, *, owner: str, units: int, salt: int = 0) -> str:
    """Create a Safe of one owner, fund it with exactly `units` of the reserve asset, return its address."""
    async with world.writer.blocks():
        safe = await create_safe(world.writer, world.safe, owners=(owner,), threshold=1, salt=salt)
    await world.fund(safe, world.universe.reserve, units)
    return safe


async def pay_from_safe(
    world: World, *, safe: str, owner: SafeOwner, asset: AssetId, to: str, units: int
) -> SafePayment | SafeRefused:
    """
    Let a Safe of one owner transfer `units` of an asset, signed by that owner, and check what it did.

    Raises InvariantViolated if the balances don't change by exactly these units.
    """
    rpc, token = world.writer.rpc, world.tokens[asset]
    state = await read_safe(rpc, safe, LOCAL_CHAIN_ID)
    if isinstance(state, SafeRefused):
        return state
    transaction = SafeTransaction(
        chain_id=LOCAL_CHAIN_ID,
        safe=safe,
        to=token,
        value_wei=0,
        data=to_data(TRANSFER.encode(to, units)),
        nonce=state.nonce,
    )
    checked = await check_transaction(rpc, transaction, signer=owner.address, chain_id=LOCAL_CHAIN_ID)
    if isinstance(checked, SafeRefused):
        return checked
    signature = owner.sign_safe(transaction)
    relayer = world.roles.deployer
    refusal = await try_execution(rpc, transaction, signature, relayer=relayer)
    if refusal is not None:
        return refusal
    before = [await world.writer.number(token, "balanceOf(address)", holder) for holder in (safe, to)]
    async with world.writer.blocks():
        await world.writer.send(safe, EXECUTE.signature, *execution_values(transaction, signature))
    after = [await world.writer.number(token, "balanceOf(address)", holder) for holder in (safe, to)]
    if after != [before[0] - units, before[1] + units]:
        raise InvariantViolated(f"a Safe's transfer of {units} {asset} changed {before} to {after}")
    return SafePayment(
        transaction=transaction,
        signed_hash=to_data(transaction_hash(transaction)),
        safe_units=after[0],
        receiver_units=after[1],
    )
